"""dlib's face locators, HOG and CNN (mmod), as the reference system calls them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from castsearch.detectors.detector import Detector, DetectSettings
from castsearch.detectors.framing import (
    PORTRAIT_MARGINS,
    bordered,
    sized,
    unscaled,
    without_border,
)
from castsearch.errors import InputError
from castsearch.models.config import weights
from castsearch.models.table import BY_NAME
from castsearch.networks.device import Place
from castsearch.types import Box, Face, ImageArray

Kind = Literal["hog", "mmod"]
"""dlib's two locators."""


def load_dlib() -> Any:
    """The module ``dlib``; InputError with what to install where it is missing."""
    try:
        import dlib
    except ImportError as error:
        raise InputError(
            "This preset needs the extra castsearch[dlib], which is not installed: "
            "pip install 'castsearch[dlib]'."
        ) from error
    return dlib


@lru_cache(maxsize=2)
def _locator(kind: Kind) -> Any:
    dlib = load_dlib()
    if kind == "hog":
        return dlib.get_frontal_face_detector()
    return dlib.cnn_face_detection_model_v1(str(weights(BY_NAME["dlib-mmod"])))


def detect(image: ImageArray, kind: Kind, *, upsample: int = 0) -> list[Face]:
    """Faces of ``image`` (uint8 RGB), best first, cut at its edges; no landmarks.

    ``upsample`` doubles the picture that often before looking. The score is dlib's own
    confidence: above 0, not bound by 1.
    """
    locator = _locator(kind)
    if kind == "hog":
        rectangles, scores, _ = locator.run(image, upsample, 0.0)
        found = list(zip(rectangles, scores, strict=True))
    else:
        found = [(hit.rect, hit.confidence) for hit in locator(image, upsample)]
    height, width = image.shape[:2]
    faces = [
        Face(Box(r.left(), r.top(), r.right(), r.bottom()).clip(width, height), float(score))
        for r, score in found
    ]
    return sorted((f for f in faces if f.box.area > 0), key=lambda face: -face.score)


def _in_crop(kind: Kind, image: ImageArray, settings: DetectSettings) -> list[Face]:
    scaled, scale = sized(image, settings.min_size, settings.max_size)
    return [unscaled(face, scale) for face in detect(scaled, kind, upsample=settings.upsample)]


def _in_portrait(kind: Kind, image: ImageArray, settings: DetectSettings) -> list[Face]:
    """Plain, doubled, then with a border around the portrait."""
    # Doubling is asked of mmod for candidates; a portrait is doubled where it shows no face.
    upsamples = (0, 1) if kind == "mmod" else sorted({settings.upsample, 1})
    scaled, scale = sized(image, settings.min_size, settings.max_size)
    for margin in PORTRAIT_MARGINS:
        wider, border = bordered(scaled, margin)
        for upsample in upsamples:
            faces = detect(wider, kind, upsample=upsample)
            if faces:
                return [unscaled(without_border(face, border), scale) for face in faces]
    return []


def _in_still(kind: Kind, image: ImageArray, settings: DetectSettings) -> list[Face]:
    return detect(image, kind)


def _whole(kind: Kind, image: ImageArray, settings: DetectSettings) -> list[Face]:
    """The picture itself is taken for the face."""
    height, width = image.shape[:2]
    return [Face(Box(0, 0, width, height), 1.0)]


def _load_hog(place: Place) -> Kind:
    _locator("hog")
    return "hog"


def _load_mmod(place: Place) -> Kind:
    _locator("mmod")
    return "mmod"


def _scale_key(settings: DetectSettings) -> str:
    scaled = settings.min_size or settings.max_size
    sizes = f"|{settings.min_size}|{settings.max_size}" if scaled else ""
    return f"{settings.upsample}{sizes}"


def _whole_key(settings: DetectSettings) -> str:
    return f"{settings.upsample}"


HOG = Detector(
    "hog",
    None,
    _load_hog,
    _in_crop,
    _in_portrait,
    _in_still,
    _scale_key,
    holds_lock=True,
)
MMOD = Detector(
    "mmod",
    BY_NAME["dlib-mmod"],
    _load_mmod,
    _in_crop,
    _in_portrait,
    _in_still,
    _scale_key,
    holds_lock=True,
)
WHOLE = Detector(
    "whole",
    None,
    # A portrait is still located, by HOG.
    _load_hog,
    _whole,
    _in_portrait,
    _in_still,
    _whole_key,
    holds_lock=True,
)
