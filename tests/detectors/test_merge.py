"""Detections of one face at several sizes as one, by hand and as a rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from castsearch.detectors.merge import SAME_IOU, merged
from castsearch.types import Box, Face


def face(x: float, score: float, side: float = 10) -> Face:
    return Face(Box(x, 0, x + side, side), score)


def test_none_and_one() -> None:
    assert merged([]) == []
    assert merged([face(0, 0.5)]) == [[0]]


def test_what_overlaps_is_one_and_its_best_detection_stands_first() -> None:
    # Moved by 2 of 10: 80 of 120, IoU 2/3. Moved by 5: 50 of 150, IoU 1/3.
    assert merged([face(0, 0.6), face(2, 0.9)]) == [[1, 0]]
    assert merged([face(0, 0.9), face(5, 0.6)]) == [[0], [1]]


def test_a_chain_is_held_together_by_its_best_detection_alone() -> None:
    # 0-3 and 3-6 overlap by 7 of 13, 0-6 by 4 of 16.
    assert merged([face(0, 0.9), face(3, 0.8), face(6, 0.7)]) == [[0, 1], [2]]
    assert merged([face(0, 0.8), face(3, 0.9), face(6, 0.7)]) == [[1, 0, 2]]


boxes = st.builds(
    face, st.integers(0, 30), st.sampled_from([0.5, 0.6, 0.7, 0.8]), st.integers(1, 20)
)


@given(st.lists(boxes, max_size=12))
def test_groups_part_the_faces(faces: list[Face]) -> None:
    groups = merged(faces)
    assert sorted(i for group in groups for i in group) == list(range(len(faces)))
    best = [faces[group[0]] for group in groups]
    for group, first in zip(groups, best, strict=True):
        assert all(faces[i].score <= first.score for i in group)
        assert all(first.box.iou(faces[i].box) > SAME_IOU for i in group[1:])
    assert all(a.box.iou(b.box) <= SAME_IOU for i, a in enumerate(best) for b in best[:i])
