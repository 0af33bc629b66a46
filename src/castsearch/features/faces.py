"""The faces of one picture, as a recipe has them looked for, and which of them is meant."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from castsearch.detectors import choose, dlib_face, yunet
from castsearch.features.recipe import Recipe, Role, session
from castsearch.presets import Preset
from castsearch.types import Box, Face, ImageArray

STILL_SIZE = 1280
PORTRAIT_SIZES = (512, 320, 1024)
PORTRAIT_MARGINS = (0.0, 0.5, 1.0)
"""Borders added around a portrait that shows no face at first, in longer sides: a face that fills
its picture is larger than any that the locators know."""
PORTRAIT_MIN_SCORE = 0.6


def find_faces(recipe: Recipe, image: ImageArray, *, role: Role) -> list[Face]:
    """Faces of a picture or crop (uint8 RGB), in its pixels; empty where there is none."""
    if role == "still":
        return _still_faces(recipe, image)
    if role == "candidate":
        return _locate(recipe, image)
    if recipe.preset.locator == "yunet":
        return _portrait_faces(recipe, image)
    return _dlib_portrait_faces(recipe.preset, image)


def _dlib_portrait_faces(preset: Preset, image: ImageArray) -> list[Face]:
    """Dlib on a portrait, plain, doubled, then with a border around it."""
    kind: Literal["hog", "mmod"] = "mmod" if preset.locator == "mmod" else "hog"
    # Doubling is asked of mmod for candidates; a portrait is doubled where it shows no face.
    upsamples = (0, 1) if kind == "mmod" else sorted({preset.upsample, 1})
    scaled, scale = sized(image, preset.min_size, preset.max_size)
    for margin in PORTRAIT_MARGINS:
        padded, border = _padded(scaled, margin)
        for upsample in upsamples:
            faces = dlib_face.detect(padded, kind, upsample=upsample)
            if faces:
                return [_unscaled(_without_border(face, border), scale) for face in faces]
    return []


def _locate(recipe: Recipe, image: ImageArray) -> list[Face]:
    preset = recipe.preset
    height, width = image.shape[:2]
    if preset.locator == "whole":
        return [Face(Box(0, 0, width, height), 1.0)]
    if preset.locator != "yunet":
        scaled, scale = sized(image, preset.min_size, preset.max_size)
        faces = dlib_face.detect(scaled, preset.locator, upsample=preset.upsample)
        return [_unscaled(face, scale) for face in faces]
    assert recipe.detector is not None
    found: list[Face] = []
    for size in preset.detect_sizes:
        faces = yunet.detect(
            session(recipe.detector, recipe.cache),
            image,
            longer_side=size,
            max_enlarge=preset.max_enlarge,
            min_score=preset.min_score,
        )
        # Views of one face at several sizes are encoded each, and averaged.
        if not preset.all_faces and any(face.score >= preset.sure_score for face in faces):
            return faces
        found += faces
    return sorted(found, key=lambda face: -face.score)


def sized(
    image: ImageArray, min_size: int, max_size: int
) -> tuple[ImageArray, tuple[float, float]]:
    """The picture scaled so that its longer side is at least and at most so many pixels (0: any).

    Returns:
        The picture, uint8 RGB, and its pixels per pixel of ``image``, across and down.
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    wanted = max(longer, min_size)
    wanted = min(wanted, max_size) if max_size else wanted
    if wanted == longer:
        return image, (1.0, 1.0)
    import cv2

    size = tuple(max(1, round(side * wanted / longer)) for side in (width, height))
    how = cv2.INTER_AREA if wanted < longer else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)
    return scaled, (size[0] / width, size[1] / height)


def _unscaled(face: Face, scale: tuple[float, float]) -> Face:
    x, y = scale
    box = face.box
    return Face(Box(box.x0 / x, box.y0 / y, box.x1 / x, box.y1 / y), face.score)


def _still_faces(recipe: Recipe, image: ImageArray) -> list[Face]:
    """All faces of a whole still, small ones too."""
    preset = recipe.preset
    if preset.locator != "yunet":
        return dlib_face.detect(image, "hog" if preset.locator == "whole" else preset.locator)
    assert recipe.detector is not None
    return yunet.detect(
        session(recipe.detector, recipe.cache),
        image,
        longer_side=STILL_SIZE,
        max_enlarge=2.0,
        min_score=PORTRAIT_MIN_SCORE,
    )


def _portrait_faces(recipe: Recipe, image: ImageArray) -> list[Face]:
    """YuNet on a portrait, at several sizes, then with a border around it."""
    assert recipe.detector is not None
    for margin in PORTRAIT_MARGINS:
        padded, border = _padded(image, margin)
        for size in PORTRAIT_SIZES:
            faces = yunet.detect(
                session(recipe.detector, recipe.cache),
                padded,
                longer_side=size,
                min_score=PORTRAIT_MIN_SCORE,
            )
            if faces:
                return [_without_border(face, border) for face in faces]
    return []


def _padded(image: ImageArray, margin: float) -> tuple[ImageArray, int]:
    border = round(margin * max(image.shape[:2]))
    if not border:
        return image, 0
    return np.pad(image, ((border, border), (border, border), (0, 0)), mode="edge"), border


def _without_border(face: Face, border: int) -> Face:
    landmarks = tuple((x - border, y - border) for x, y in face.landmarks)
    return Face(face.box.shift(-border, -border), face.score, landmarks)


def pick(faces: list[Face], width: float, height: float, *, role: Role) -> Face | None:
    """The face that a portrait or crop is about."""
    if role == "portrait":
        return choose.choose_portrait(faces)
    return choose.choose(faces, width, height)


def as_array(faces: list[Face]) -> NDArray[np.float64]:
    """Faces as rows of box, score and landmarks, shape (n, 5) or (n, 15)."""
    rows = [
        (f.box.x0, f.box.y0, f.box.x1, f.box.y1, f.score, *(v for p in f.landmarks for v in p))
        for f in faces
    ]
    return np.array(rows, dtype=np.float64) if rows else np.zeros((0, 5))


def from_array(rows: NDArray[np.float64]) -> list[Face]:
    """The faces that :func:`as_array` made rows of."""
    return [
        Face(Box(*row[:4]), row[4], tuple(zip(row[5::2], row[6::2], strict=True)))
        for row in rows.tolist()
    ]
