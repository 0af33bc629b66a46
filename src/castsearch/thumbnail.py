"""Small JPEG files of crops, for the report."""

from __future__ import annotations

from castsearch.types import ImageArray

LONGER_SIDE = 240


def thumbnail(image: ImageArray) -> bytes:
    """``image`` (uint8 RGB) as a JPEG file of at most 240 pixels a side."""
    import cv2

    height, width = image.shape[:2]
    scale = min(LONGER_SIDE / max(height, width), 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, 80))
    return bytes(encoded)
