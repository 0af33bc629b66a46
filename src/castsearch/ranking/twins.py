"""Boxes of one still that are one person, given twice: two detections, a head and its body, a copy.

Two people who stand close share much of their boxes too, and the face of one may be the best that
the other's box shows. What tells them apart was measured on labelled stills
(``benchmarks/doubled_boxes.py``): boxes of two people overlap by at most 0.71 of their union, and a
face that both show sits at the side of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.evidence import Evidence
from castsearch.types import Box

SAME_BOX = 0.8
"""Share of their union from which two boxes are one, whatever they show: a detector is off by less,
two labelled people share at most 0.71."""
SAME_FACE = 0.5
"""Share of their union from which two faces of a still are one."""
INSIDE, GROWN = 0.95, 0.6
"""A box inside another, with the same face, is that box drawn larger; from these shares of the
smaller box and of the union. Where neither shows a face, from the second of the two below."""
GROWN_FACELESS = 0.5
NESTED, CENTRED = 0.9, 0.2
"""A box inside another is the same person where the face of both is centred in both: within this
distance of the middle, in widths."""
HEAD_INSIDE, HEAD_FACE, HEAD_CENTRED, BODY_CENTRED, HEAD_SIZE = 0.5, 0.35, 0.15, 0.4, 0.8
"""A head box: half of it is in the body's box, its face takes this part of its width and is in its
middle, and in the body it is not at the edge; the box has at most this part of the body's area."""


TOP, TOP_WIDTH = 0.1, 0.3
"""A head without a face: its upper edge is within this part of the body's height of the body's, and
it has at least this part of its width."""


@dataclass(frozen=True, slots=True)
class _Person:
    """One box with the face that is most likely its own, both in pixels of the still."""

    box: Box
    face: Box | None

    @property
    def offset(self) -> float:
        """How far the face is from the middle of the box, in widths of the box."""
        assert self.face is not None
        middle = (self.face.x0 + self.face.x1 - self.box.x0 - self.box.x1) / 2
        return abs(middle) / max(self.box.width, 1e-9)


def twins(evidence: Evidence) -> list[tuple[int, int]]:
    """Pairs of candidates that are one person, the surest first.

    Groups are joined only where each of the one is a twin of each of the other: a head between two
    bodies is one of theirs, and makes no one person of them.
    """
    people = _people(evidence)
    pairs: list[tuple[float, int, int]] = []
    for i, j in _overlapping(evidence):
        sureness = _sureness(people[i], people[j])
        if sureness > 0:
            pairs.append((-sureness, i, j))
    twin = {(i, j) for _, i, j in pairs}
    group = {i: [i] for pair in twin for i in pair}
    joined = []
    for _, i, j in sorted(pairs):
        one, two = group[i], group[j]
        if one is not two and all((min(a, b), max(a, b)) in twin for a in one for b in two):
            one += two
            group |= dict.fromkeys(two, one)
            joined.append((i, j))
    return joined


def _sureness(one: _Person, two: _Person) -> float:
    """How sure it is that two boxes are one person, above 0; 0 where they are not."""
    if one.box.area > two.box.area:
        one, two = two, one
    overlap = one.box.iou(two.box)
    if overlap >= SAME_BOX:
        return 3 + overlap
    inside = one.box.intersection(two.box) / one.box.area
    if one.face is None or two.face is None:
        if one.face is two.face and inside >= INSIDE and overlap >= GROWN_FACELESS:
            return 2 + overlap
        return 0.5 if inside >= NESTED and _is_on_top(one.box, two.box) else 0.0
    if one.face.iou(two.face) < SAME_FACE:
        return 0.0
    if inside >= INSIDE and overlap >= GROWN:
        return 2 + overlap
    if inside >= NESTED and max(one.offset, two.offset) < CENTRED:
        return 2 - two.offset
    is_head = (
        inside >= HEAD_INSIDE
        and one.face.width >= HEAD_FACE * one.box.width
        and one.offset < HEAD_CENTRED
        and two.offset < BODY_CENTRED
        and one.box.area <= HEAD_SIZE * two.box.area
    )
    return 1 - two.offset if is_head else 0.0


def _is_on_top(small: Box, large: Box) -> bool:
    """Whether a box lies in another as a head does that is seen from behind."""
    middle = (small.x0 + small.x1 - large.x0 - large.x1) / 2
    return (
        small.width >= TOP_WIDTH * large.width
        and abs(middle) < HEAD_CENTRED * large.width
        and abs(small.y0 - large.y0) < TOP * large.height
    )


def _people(evidence: Evidence) -> list[_Person]:
    """Each candidate's box, and the most suitable of its faces."""
    best: dict[int, int] = {}
    for hit, candidate in enumerate(evidence.hit_candidate.tolist()):
        first = best.setdefault(candidate, hit)
        if evidence.hit_suitability[hit] > evidence.hit_suitability[first]:
            best[candidate] = hit
    people = []
    for i, (box, shift) in enumerate(zip(evidence.boxes, evidence.shifts, strict=True)):
        face = evidence.face(best[i]).box.shift(*shift.tolist()) if i in best else None
        people.append(_Person(Box(*box.tolist()), face))
    return people


def _overlapping(evidence: Evidence) -> Iterator[tuple[int, int]]:
    """Pairs of candidates whose boxes share some of their still."""
    stills, boxes = evidence.stills, evidence.boxes
    there = ~np.isnan(boxes).any(axis=1)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    at = np.flatnonzero(there & (np.where(there, area, 0) > 0))
    order = at[np.argsort(stills[at], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(stills[order])) + 1)
    for group in groups:
        for i, j in combinations(group.tolist(), 2):
            if _meet(boxes[i], boxes[j]):
                yield i, j


def _meet(one: NDArray[np.float64], two: NDArray[np.float64]) -> bool:
    return bool(
        min(one[2], two[2]) > max(one[0], two[0]) and min(one[3], two[3]) > max(one[1], two[1])
    )
