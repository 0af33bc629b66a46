"""Small JPEG files of crops, for the report."""

from __future__ import annotations

import io

from castsearch.types import ImageArray

LONGER_SIDE = 240


def thumbnail(image: ImageArray) -> bytes:
    """``image`` (uint8 RGB) as a JPEG file of at most 240 pixels a side."""
    from PIL import Image

    picture = Image.fromarray(image)
    # BOX over whole factors first: a third of the time, and no difference to see at this size.
    picture.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
