"""Texts, numbers, boxes and arrays as SQLite holds them, and back without a difference.

A text that SQLite does not hold as text (with a NUL or a lone surrogate, as in file names that are
not UTF-8) is a blob of its UTF-8 with surrogates; a NaN, which SQLite turns into NULL, is the text
``nan``.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.types import Box


def to_text(value: str) -> str | bytes:
    """``value`` as SQLite holds it: see the module."""
    try:
        encoded = value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return encoded if "\0" in value else value


def from_text(value: object) -> str:
    """What :func:`to_text` was given.

    Raises:
        TypeError, ValueError: ``value`` is no text.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogatepass")
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def to_npy(array: NDArray[Any]) -> bytes:
    """``array`` as the bytes of an ``.npy`` file; ValueError for an array of objects."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def from_npy(content: bytes) -> NDArray[Any]:
    """The array in the bytes of an ``.npy`` file, whose size its header has to tell truly.

    Raises:
        TypeError, ValueError: It holds something else, or objects.
    """
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array is of another form")
    try:
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a header that is none fails in the parser, in many ways
        raise ValueError("an array has no header") from error
    if dtype.hasobject:
        raise ValueError("an array holds objects")
    values = bytearray(stream.read())
    if math.prod(shape) * dtype.itemsize != len(values):
        raise ValueError("an array is cut short")
    array: NDArray[Any] = np.ndarray(shape, dtype, values, order="F" if is_fortran else "C")
    return array


def to_maybe_text(value: str | None) -> str | bytes | None:
    """:func:`to_text`, where there is a text."""
    return None if value is None else to_text(value)


def to_real(value: float | None) -> float | str | None:
    """``value`` as SQLite holds it; ``float`` reads it."""
    if value is None:
        return None
    return "nan" if math.isnan(value) else float(value)


def to_sides(box: Box | None) -> tuple[float | str | None, ...]:
    """Four columns of a box, all NULL for none."""
    return (None,) * 4 if box is None else tuple(to_real(side) for side in box.xyxy)


def from_sides(*sides: Any) -> Box:
    """The box of four columns; TypeError or ValueError where one is no number."""
    x0, y0, x1, y1 = (float(side) for side in sides)
    return Box(x0, y0, x1, y1)
