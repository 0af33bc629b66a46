"""dlib's face locators, HOG and CNN (mmod), as the reference system calls them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from castsearch.errors import InputError
from castsearch.models.config import BY_NAME, weights
from castsearch.types import Box, Face, ImageArray


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
def _locator(kind: Literal["hog", "mmod"]) -> Any:
    dlib = load_dlib()
    if kind == "hog":
        return dlib.get_frontal_face_detector()
    return dlib.cnn_face_detection_model_v1(str(weights(BY_NAME["dlib-mmod"])))


def detect(image: ImageArray, kind: Literal["hog", "mmod"], *, upsample: int = 0) -> list[Face]:
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
