"""A picture scaled or bordered for a locator, and the faces found there as they lie in it."""

from __future__ import annotations

import numpy as np

from castsearch.types import Box, Face, ImageArray

PORTRAIT_MARGINS = (0.0, 0.5, 1.0)
"""Borders added around a portrait that shows no face at first, in longer sides: a face that fills
its picture is larger than any that the locators know."""


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
    method = cv2.INTER_AREA if wanted < longer else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
    return scaled, (size[0] / width, size[1] / height)


def unscaled(face: Face, scale: tuple[float, float]) -> Face:
    """A face of a picture that :func:`sized` scaled, in pixels of the picture before."""
    x, y = scale
    box = face.box
    return Face(Box(box.x0 / x, box.y0 / y, box.x1 / x, box.y1 / y), face.score)


def bordered(image: ImageArray, margin: float) -> tuple[ImageArray, int]:
    """The picture with its edge continued by ``margin`` longer sides, and the border in pixels."""
    border = round(margin * max(image.shape[:2]))
    if not border:
        return image, 0
    return np.pad(image, ((border, border), (border, border), (0, 0)), mode="edge"), border


def without_border(face: Face, border: int) -> Face:
    """A face of a picture that :func:`bordered` widened, in pixels of the picture before."""
    landmarks = tuple((x - border, y - border) for x, y in face.landmarks)
    return Face(face.box.shift(-border, -border), face.score, landmarks)
