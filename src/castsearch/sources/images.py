"""Picture files as arrays: bytes, content hash, upright RGB pixels, crops.

Every function here may be called from several threads: Pillow's global settings are left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from castsearch.errors import ImageError
from castsearch.runtime.oserrors import sentence
from castsearch.types import Box, ImageArray

MAX_FILE_BYTES = 2**30
"""No picture within the decompression limit needs a larger file; a larger one is not read."""

_ORIENTATION_TAG = 0x0112
# EXIF 2.32, tag 0x0112: what turns the stored pixels upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# OSError, SyntaxError and ValueError came up on 240,000 damaged files (the small form of that trial
# is in the tests); the others are what Pillow's own sources catch around its parsers.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
)


def read_bytes(path: Path) -> bytes:
    """The bytes of a picture file.

    Raises:
        ImageError: The file is missing, no regular file, unreadable, empty or above 1 GiB.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ImageError(f"{path} is not a file; give a picture file.")
        if info.st_size > MAX_FILE_BYTES:
            raise ImageError(f"{path} is larger than 1 GiB and is not read as a picture.")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(sentence(error, path, "read")) from error
    except ValueError as error:  # a null byte in the path
        raise ImageError(f"{str(path)!r} is not a path that a file can have.") from error
    if not data:
        raise _empty(str(path))
    return data


def content_hash(data: bytes) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, name: str, *, max_megapixels: float = 100.0) -> ImageArray:
    """Decode JPEG, PNG, WebP, TIFF or BMP; of an animation or a multi-page file the first picture.

    EXIF orientation is applied. Transparent parts are laid on white, as picture viewers show
    them. 16-bit grey is divided by 257; 32-bit grey is scaled to what its values span.

    Args:
        data: The file's bytes.
        name: What the sentences of errors call the picture.
        max_megapixels: The size is read from the header, and a larger picture is refused before
            any pixel is decoded. Pillow itself stops TIFF and WebP at 178.9 megapixels.

    Returns:
        Pixels, shape (height, width, 3), uint8, RGB, C-contiguous, writable.

    Raises:
        ImageError: Empty, no picture of these formats, truncated or damaged, or too large.
    """
    with _sentences(name), _open(data, name, max_megapixels) as image:
        image.load()
        # TIFF turns itself upright while it loads, and then reports no orientation.
        method = _UPRIGHT.get(_orientation(image))
        rgb = _to_rgb(image)
        return np.array(rgb if method is None else rgb.transpose(method))


def upright_size(data: bytes, name: str, *, max_megapixels: float = 100.0) -> tuple[int, int]:
    """Width and height that :func:`decode` gives the picture, from its header: no pixel is decoded.

    Args:
        data: The file's bytes.
        name: What the sentences of errors call the picture.
        max_megapixels: As of :func:`decode`.

    Raises:
        ImageError: Empty, no picture of these formats, a damaged header, or too large.
    """
    with _sentences(name), _open(data, name, max_megapixels) as image:
        width, height = image.size
        # The size of a TIFF is that of the upright picture from the start.
        is_upright = isinstance(image, TiffImagePlugin.TiffImageFile)
        is_on_its_side = _orientation(image) in (5, 6, 7, 8) and not is_upright
        return (height, width) if is_on_its_side else (width, height)


@contextlib.contextmanager
def _sentences(name: str) -> Iterator[None]:
    """Turns what Pillow raises over the picture ``name`` into an :class:`ImageError`."""
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name} is above the size at which Pillow stops; make the picture smaller."
        ) from error
    except _DECODER_ERRORS as error:
        raise ImageError(
            f"{name} is truncated or damaged and cannot be decoded; copy or export it again."
        ) from error


def crop(image: ImageArray, box: Box | None) -> ImageArray:
    """The part of ``image`` under ``box``, clipped to it and rounded outward to whole pixels.

    Args:
        image: Pixels, shape (height, width, 3).
        box: In pixels of ``image``; ``None`` stands for all of it.

    Returns:
        A C-contiguous copy, or ``image`` itself where ``box`` is ``None``.

    Raises:
        ImageError: The box has no area inside the picture.
    """
    if box is None:
        return image
    height, width = image.shape[:2]
    inside = box.clip(width, height)
    # A NaN fails the comparison; an infinite edge was clipped.
    if not inside.width * inside.height > 0:
        raise ImageError(
            f"The box {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g} has no area inside "
            f"its picture of {width} x {height} pixels."
        )
    rows = slice(math.floor(inside.y0), math.ceil(inside.y1))
    columns = slice(math.floor(inside.x0), math.ceil(inside.x1))
    return image[rows, columns].copy()


def _empty(name: str) -> ImageError:
    return ImageError(f"{name} is empty (0 bytes); copy or export the picture again.")


def _open(data: bytes, name: str, max_megapixels: float) -> ImageFile.ImageFile:
    """The picture with its header read and its size checked, pixels not yet decoded."""
    if not data:
        raise _empty(name)
    # The classes are called directly: Image.open would warn or stop at a global limit of its own,
    # try other formats, and return a multi-picture object for stereo JPEG.
    plugin: type[ImageFile.ImageFile]
    if data.startswith(b"\xff\xd8\xff"):
        plugin = JpegImagePlugin.JpegImageFile
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        plugin = PngImagePlugin.PngImageFile
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        plugin = WebPImagePlugin.WebPImageFile
        # Opening a WebP allocates its canvas, so that its size is looked at before.
        _check_size(_webp_canvas(data), name, max_megapixels)
    elif data.startswith((b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")):
        plugin = TiffImagePlugin.TiffImageFile
    elif data.startswith(b"BM"):
        plugin = BmpImagePlugin.BmpImageFile
    else:
        raise ImageError(
            f"{name} is not a JPEG, PNG, WebP, TIFF or BMP picture, whatever its name says; "
            "convert it or take it out."
        )
    image = plugin(io.BytesIO(data))
    _check_size(image.size, name, max_megapixels)
    return image


def _check_size(size: tuple[int, int], name: str, max_megapixels: float) -> None:
    width, height = size
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise ImageError(
            f"{name} has {width} x {height} pixels ({megapixels:.5g} megapixels), above the limit "
            f"of {max_megapixels:g}; make it smaller or raise the limit."
        )


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Width and height from the first chunk of a WebP file (RFC 9649, sections 2.5 to 2.7)."""
    kind, head = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    sides = struct.unpack("<2H", head[6:10])
    return sides[0] & 0x3FFF, sides[1] & 0x3FFF


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 where there is none or where the EXIF block is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_grey_to_8_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        # Pillow knows no way from premultiplied grey ("La") to RGBA but over "LA".
        straight = image.convert("LA") if image.mode == "La" else image
        rgba = straight.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_to_8_bit(values: NDArray[np.generic]) -> ImageArray:
    """Grey of more than 8 bits, shape (height, width), scaled, never clipped, to uint8."""
    if values.dtype.kind == "u":  # 16 bits, in either byte order
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    # 32-bit integers and floats do not say what white is: 1, 255 and 65535 are customary, and
    # anything else is stretched from its smallest to its largest value.
    wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(wide.min()), float(wide.max())
    whites = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    if low >= 0 and high <= whites[-1]:
        low, high = 0.0, next(white for white in whites if high <= white)
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.rint((wide - low) * scale).astype(np.uint8)
