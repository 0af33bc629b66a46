"""Small JPEG files of crops, for the report."""

from __future__ import annotations

import numpy as np

from castsearch.types import ImageArray

LONGER_SIDE = 240


def thumbnail(image: ImageArray) -> bytes:
    """``image`` (uint8 RGB) as a JPEG file of at most 240 pixels a side."""
    import cv2

    height, width = image.shape[:2]
    scale = min(LONGER_SIDE / max(height, width), 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # To a half, INTER_AREA has a fast form; from less than twice the size, two pixels are enough.
    small = image
    while small.shape[0] >= 2 * size[1] and small.shape[1] >= 2 * size[0]:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    bgr = cv2.cvtColor(cv2.resize(small, size), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, 80))
    return bytes(encoded)
