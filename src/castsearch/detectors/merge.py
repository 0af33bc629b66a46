"""One face found at several sizes of a picture is one face."""

from __future__ import annotations

from collections.abc import Sequence

from castsearch.types import Face

SAME_IOU = 0.4
"""Overlap from which two detections are one face: a detector is off by less, and two faces of a
picture hardly overlap."""


def merged(faces: Sequence[Face]) -> list[list[int]]:
    """Groups of positions in ``faces``, each one face, its best detection first.

    Greedy from the best score on: what overlaps the best detection of a group joins it.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(faces)), key=lambda i: -faces[i].score):
        for group in groups:
            if faces[group[0]].box.iou(faces[i].box) > SAME_IOU:
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
