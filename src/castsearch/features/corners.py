"""Corners of a crop, described so that another crop of the same picture can be recognised.

Two crops of one still show the same pixels, up to what saving them did, moved by whole pixels and
neither scaled nor turned. So one scale and upright descriptors are enough, and they may be far
sharper than those that survive a change of view: most of their words agree bit for bit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.types import ImageArray

N_CORNERS = 256
"""No crop gets more corners; a larger one gets them further apart."""

_REACH = 7  # a descriptor looks at pixels this far from its corner, in x and in y
_BLUR = 5  # side of the Gaussian window that takes JPEG noise out of the compared pixels
_MARGIN = _REACH + _BLUR // 2  # nearer the edge a descriptor would see what the other crop has not
_MIN_STRENGTH = 4e-5  # smaller eigenvalue; flat or straight-edged places lie below
_WINDOWS = (5, 7, 9, 11, 15, 21, 29, 41, 59, 85)  # a corner is the strongest of such a square
_JPEG_QUALITY = 92
_MAX_SIDE = 2**15 - 1  # coordinates are kept in 16 bits; a picture's rest beyond is not looked at
_HEAD = struct.Struct("<H")


def _compared_pixels() -> NDArray[np.intp]:
    """Offsets of the 256 pairs of pixels, shape (256, 2, 2), x and y.

    Gaussian about the corner, the second form of Calonder et al. (BRIEF, ECCV 2010, section 3.2).
    """
    # RandomState's numbers are frozen for good (NEP 19): kept descriptors stay comparable.
    drawn = np.random.RandomState(20100905).normal(0.0, _REACH / 2, (4096, 2, 2))
    offsets = np.rint(drawn).astype(np.intp)
    apart = np.abs(offsets[:, 0] - offsets[:, 1]).max(axis=1) >= 4  # neighbours differ by noise
    inside = np.abs(offsets).max(axis=(1, 2)) <= _REACH
    return np.ascontiguousarray(offsets[apart & inside][:256])


_PAIRS = _compared_pixels()


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of one crop.

    Attributes:
        points: Positions, shape (n, 2), x and y in pixels of the crop.
        words: Binary descriptors of 256 bits, shape (n, 8).
        grey: The crop in grey as a JPEG file of its own size, to compare pixels with.
    """

    points: NDArray[np.int16]
    words: NDArray[np.uint32]
    grey: bytes


def corners(crop: ImageArray) -> Corners:
    """Find and describe at most :data:`N_CORNERS` corners.

    Shi and Tomasi's strength (CVPR 1994), the strongest of a square window; the window widens
    until few enough are left, so that the corners of a large crop are spread over it and are
    among those that a smaller crop of the same place has. Descriptors are upright BRIEF.

    Args:
        crop: Pixels, shape (height, width, 3), uint8, RGB, of any size.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(crop[:_MAX_SIDE, :_MAX_SIDE]), cv2.COLOR_RGB2GRAY)
    _, file = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    smooth = cv2.GaussianBlur(grey, (_BLUR, _BLUR), 0)
    points = _strongest(smooth)
    return Corners(points.astype(np.int16), _describe(smooth, points), file.tobytes())


def pack_corners(found: Corners) -> bytes:
    """Corners as bytes: their number in 16 bits, positions, descriptors, the grey picture.

    About 36 bytes a corner beside the picture; little-endian on every machine.
    """
    points, words = found.points.astype("<i2"), found.words.astype("<u4")
    return _HEAD.pack(len(points)) + points.tobytes() + words.tobytes() + found.grey


def unpack_corners(blob: bytes) -> Corners:
    """What :func:`pack_corners` packed.

    Raises:
        ValueError: The bytes end before the descriptors do.
    """
    if len(blob) < _HEAD.size:
        raise ValueError("The kept corners of a crop are cut short.")
    (n,) = _HEAD.unpack_from(blob)
    middle = _HEAD.size + 4 * n
    end = middle + 32 * n
    if len(blob) < end:
        raise ValueError("The kept corners of a crop are cut short.")
    points = np.frombuffer(blob, "<i2", 2 * n, _HEAD.size).reshape(n, 2)
    words = np.frombuffer(blob, "<u4", 8 * n, middle).reshape(n, 8)
    return Corners(points.astype(np.int16), words.astype(np.uint32), blob[end:])


def _strongest(smooth: ImageArray) -> NDArray[np.intp]:
    """Positions of the corners, shape (n, 2), x and y, in reading order."""
    height, width = smooth.shape
    if min(height, width) <= 2 * _MARGIN:
        return np.zeros((0, 2), np.intp)
    strength = cv2.cornerMinEigenVal(smooth, 5)
    inner = (slice(_MARGIN, height - _MARGIN), slice(_MARGIN, width - _MARGIN))
    ys = xs = np.zeros(0, np.intp)
    for window in _WINDOWS:
        top = cv2.dilate(strength, np.ones((window, window), np.uint8))
        ys, xs = np.nonzero((strength == top)[inner] & (strength[inner] > _MIN_STRENGTH))
        if len(ys) <= N_CORNERS:
            break
    points = np.stack([xs, ys], axis=1) + _MARGIN
    if len(points) > N_CORNERS:  # a picture so large, or strengths so equal: the strongest
        order = np.argsort(-strength[points[:, 1], points[:, 0]], kind="stable")[:N_CORNERS]
        points = points[np.sort(order)]
    return points


def _describe(smooth: ImageArray, points: NDArray[np.intp]) -> NDArray[np.uint32]:
    """256 comparisons of two pixels near each point as eight words, shape (n, 8)."""
    at = points[:, None, None, :] + _PAIRS[None]
    seen = smooth[at[..., 1], at[..., 0]]
    bits = np.packbits(seen[..., 0] < seen[..., 1], axis=1)
    return bits.view("<u4").astype(np.uint32).reshape(len(points), 8)
