"""Which crops were cut from one still, told by the pixels that they share.

Where every candidate is a file of its own, nothing says which of them come from one picture. Boxes
of one picture often overlap, and there their pixels are the same, up to what saving them did, at
a shift of whole pixels. Corners that agree propose the shift; the pixels confirm or refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.features.corners import Corners
from castsearch.types import ImageArray

MIN_CORNERS = 5
"""Corners that must agree on a shift before pixels are looked at."""

MIN_SIDE = 24
"""Width and height in pixels that the shared part of two crops has at least."""

# Grey levels, of the mean difference in blocks of 8 x 8 pixels. Measured: of 2,297 pairs of crops
# of one still, saved at JPEG quality 75 to 95, 99.7 % stay below 7.0 and 9.2; person boxes in
# different frames of one talk show camera differ by 16 and 29 at the least.
MAX_DIFFERENCE = 8.0
"""95 of 100 blocks differ by less than this."""
MAX_BLOCK_DIFFERENCE = 16.0
"""No block differs by more than this."""

_BLOCK = 8
_MAX_RUN = 30  # a word that more corners have is texture, or a background of many stills
_N_CELLS = 2**22
_KEPT_PICTURES = 512  # decoded ones, in memory at a time


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two crops of one still: pixel p of ``second`` is pixel p + (dx, dy) of ``first``."""

    first: int
    second: int
    dx: int
    dy: int


def overlaps(crops: Sequence[Corners | None]) -> list[Overlap]:
    """Pairs of crops that show the same pixels.

    Frames of one shot may share a background pixel by pixel. A pair that overlaps in nothing else
    looks like one still; it is dropped where it would lay two other crops over each other, known
    to be in one still with either, that show different things. What more than 30
    crops show (a title, a background of many stills) ties none of them.

    Args:
        crops: The corners of every crop; ``None`` where a crop could not be read.

    Returns:
        Each pair once, ``first < second``, by falling number of corners that agree; without
        contradictions, so that :func:`places_of` uses every one of them.
    """

    @lru_cache(maxsize=_KEPT_PICTURES)
    def picture(index: int) -> ImageArray:
        held = crops[index]
        assert held is not None  # only crops with corners are proposed
        return np.asarray(
            cv2.imdecode(np.frombuffer(held.grey, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
        )

    places = _Places(len(crops))
    found: dict[tuple[int, int], Overlap] = {}
    # The strongest links build the stills; what contradicts them is weaker.
    for link in _proposals(crops):
        pair = (link.first, link.second)
        if pair in found or _shared(picture, link) is None:
            continue
        # Crops of one still were compared when it was joined; places decide about their links.
        if places.still(link.first) != places.still(link.second):
            if not _same_pixels(picture, link):
                continue
            if not all(_same_pixels(picture, other) for other in places.implied(link)):
                continue
        if places.join(link):
            found[pair] = link
    return list(found.values())


def places_of(n: int, found: Sequence[Overlap]) -> NDArray[np.int64]:
    """The still of every crop and where in it the crop lies: crops that overlap share a still.

    Args:
        n: Number of crops.
        found: Strongest first, as :func:`overlaps` returns them. A link that puts a crop
            elsewhere than stronger ones do is dropped.

    Returns:
        Shape (n, 3): an index of the still, from 0 by first appearance, and left and top of the
        crop, pixels from the corner of one crop of that still. Two indices that differ do not mean
        two stills: crops of one still need not overlap.
    """
    places = _Places(n)
    for link in found:
        places.join(link)
    numbers: dict[int, int] = {}
    return np.array(
        [(numbers.setdefault(places.still(i), len(numbers)), *places.at(i)) for i in range(n)],
        dtype=np.int64,
    ).reshape(-1, 3)


class _Places:
    """Where crops lie in their stills, as far as links have told; a crop starts in its own."""

    def __init__(self, n: int) -> None:
        self._still = list(range(n))
        self._at = [(0, 0)] * n
        self._members = [[i] for i in range(n)]

    def still(self, crop: int) -> int:
        return self._still[crop]

    def at(self, crop: int) -> tuple[int, int]:
        return self._at[crop]

    def implied(self, link: Overlap) -> list[Overlap]:
        """How crops of the two stills would lie if ``link`` made them one, but ``link`` itself."""
        one, two = self._still[link.first], self._still[link.second]
        if one == two:
            return []
        move_x, move_y = self._move(link)
        return [
            Overlap(
                i,
                j,
                self._at[j][0] + move_x - self._at[i][0],
                self._at[j][1] + move_y - self._at[i][1],
            )
            for i in self._members[one]
            for j in self._members[two]
            if (i, j) != (link.first, link.second)
        ]

    def join(self, link: Overlap) -> bool:
        """Make the stills of two crops one; False where the crops lie otherwise already."""
        one, two = self._still[link.first], self._still[link.second]
        move_x, move_y = self._move(link)
        if one == two:
            return (move_x, move_y) == (0, 0)
        if len(self._members[one]) < len(self._members[two]):
            one, two, move_x, move_y = two, one, -move_x, -move_y
        for crop in self._members[two]:
            self._still[crop] = one
            self._at[crop] = (self._at[crop][0] + move_x, self._at[crop][1] + move_y)
        self._members[one] += self._members[two]
        self._members[two] = []
        return True

    def _move(self, link: Overlap) -> tuple[int, int]:
        """What the crops of the second still move by, to lie as the link says."""
        (x1, y1), (x2, y2) = self._at[link.first], self._at[link.second]
        return x1 + link.dx - x2, y1 + link.dy - y2


def _proposals(crops: Sequence[Corners | None]) -> list[Overlap]:
    """Shifts that at least :data:`MIN_CORNERS` corners of a pair agree on, most corners first."""
    held = [(i, c) for i, c in enumerate(crops) if c is not None and len(c.points)]
    if len(held) < 2:
        return []
    owner = np.concatenate([np.full(len(c.points), i, np.int64) for i, c in held])
    points = np.concatenate([c.points for _, c in held]).astype(np.int64)
    words = np.concatenate([c.words for _, c in held])
    first, second = _often_alike(words, owner, points)
    # A pair of corners is one vote however many of its words agree.
    corner_pairs = np.unique(first * len(owner) + second)
    first, second = corner_pairs // len(owner), corner_pairs % len(owner)
    rows = np.stack([owner[first], owner[second], *(points[first] - points[second]).T], axis=1)
    links, votes = np.unique(rows, axis=0, return_counts=True)
    order = np.argsort(-votes, kind="stable")
    order = order[votes[order] >= MIN_CORNERS]
    return [Overlap(*link) for link in links[order].tolist()]


def _often_alike(
    words: NDArray[np.uint32], owner: NDArray[np.int64], points: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of corners with an equal word, without those whose shift nearly nobody shares.

    Equal words by chance are many and their shifts are scattered. Shifts are counted in hashed
    cells, without sorting: what falls into a cell below the limit cannot reach it.
    """
    parts = [_equal_words(words[:, k], owner) for k in range(words.shape[1])]
    first, second = (np.concatenate(ends) for ends in zip(*parts, strict=True))
    # Odd multipliers spread neighbouring shifts and crops; wrapping around is what is wanted. As a
    # sum, what depends on either corner is worked out once per corner.
    place = points[:, 0] * 0xC2B2AE3D + points[:, 1] * 0x27D4EB2F
    cell = (owner * 0x9E3779B1 + place)[first] + (owner * 0x85EBCA77 - place)[second]
    cell = (cell ^ (cell >> 23)) & (_N_CELLS - 1)
    keep = np.bincount(cell, minlength=_N_CELLS)[cell] >= MIN_CORNERS
    return first[keep], second[keep]


def _equal_words(
    word: NDArray[np.uint32], owner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of corners of different crops whose ``word`` is equal, the earlier corner first."""
    order = np.argsort(word, kind="stable")
    value = word[order]
    starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    lengths = np.diff(np.r_[starts, len(word)])
    end = np.repeat(np.where(lengths <= _MAX_RUN, starts + lengths, 0), lengths)
    at = np.arange(len(word))
    first, second = [], []
    for step in range(1, _MAX_RUN):
        at = at[at + step < end[at]]
        i, j = order[at], order[at + step]
        other = owner[i] != owner[j]
        first.append(i[other])
        second.append(j[other])
    return np.concatenate(first), np.concatenate(second)


def _shared(
    picture: Callable[[int], ImageArray], link: Overlap
) -> tuple[ImageArray, ImageArray] | None:
    """What either crop shows of the part that both have; None where that is too small."""
    one, two = picture(link.first), picture(link.second)
    left, top = max(0, link.dx), max(0, link.dy)
    right = min(one.shape[1], two.shape[1] + link.dx)
    bottom = min(one.shape[0], two.shape[0] + link.dy)
    if min(right - left, bottom - top) < MIN_SIDE:
        return None
    return (
        one[top:bottom, left:right],
        two[top - link.dy : bottom - link.dy, left - link.dx : right - link.dx],
    )


def _same_pixels(picture: Callable[[int], ImageArray], link: Overlap) -> bool:
    """Whether two crops show the same where they overlap; True where they hardly do."""
    parts = _shared(picture, link)
    if parts is None:
        return True
    difference = cv2.absdiff(*parts)
    rows, columns = (side // _BLOCK for side in difference.shape)
    blocks = difference[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    means = np.sort(blocks.mean(axis=(1, 3), dtype=np.float32), axis=None)
    typical = means[int(0.95 * (len(means) - 1))]
    return bool(typical < MAX_DIFFERENCE and means[-1] <= MAX_BLOCK_DIFFERENCE)
