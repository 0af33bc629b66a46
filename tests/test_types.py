from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.types import Box, Candidate, CastMember, Movie, Still, order_by_score

WHOLE = st.integers(-6, 12)
SIDE = st.integers(0, 9)
REAL = st.floats(-1e6, 1e6)


def pixels(box: Box) -> set[tuple[int, int]]:
    """The whole pixels of a box with whole edges."""
    return {
        (x, y) for x in range(int(box.x0), int(box.x1)) for y in range(int(box.y0), int(box.y1))
    }


whole_boxes = st.builds(Box.from_xywh, WHOLE, WHOLE, SIDE, SIDE)


def test_from_xywh() -> None:
    assert Box.from_xywh(3, 4, 10, 20) == Box(3, 4, 13, 24)


@given(WHOLE, WHOLE, SIDE, SIDE)
def test_from_xywh_keeps_place_and_size(x: int, y: int, width: int, height: int) -> None:
    box = Box.from_xywh(x, y, width, height)
    assert (box.x0, box.y0, box.width, box.height) == (x, y, width, height)
    assert box.area == len(pixels(box))


@given(whole_boxes, whole_boxes)
def test_intersection_and_iou_count_pixels(a: Box, b: Box) -> None:
    shared, either = pixels(a) & pixels(b), pixels(a) | pixels(b)
    assert a.intersection(b) == len(shared)
    assert a.iou(b) == pytest.approx(len(shared) / len(either) if either else 0.0)


@given(whole_boxes, st.integers(1, 8), st.integers(1, 8))
def test_clip_keeps_the_pixels_inside(box: Box, width: int, height: int) -> None:
    inside = {(x, y) for x, y in pixels(box) if 0 <= x < width and 0 <= y < height}
    assert pixels(box.clip(width, height)) == inside
    assert box.clip(width, height).area == len(inside)


@given(REAL, REAL, REAL, REAL, st.integers(1, 4000), st.integers(1, 4000))
def test_clip_never_leaves_the_picture(
    x0: float, y0: float, x1: float, y1: float, width: int, height: int
) -> None:
    box = Box(x0, y0, x1, y1).clip(width, height)
    assert 0 <= min(box.x0, box.x1) <= max(box.x0, box.x1) <= width
    assert 0 <= min(box.y0, box.y1) <= max(box.y0, box.y1) <= height
    assert box.clip(width, height) == box


@given(whole_boxes, whole_boxes, WHOLE, WHOLE)
def test_iou_is_symmetric_and_moves_along(a: Box, b: Box, dx: int, dy: int) -> None:
    assert a.iou(b) == b.iou(a)
    assert 0 <= a.iou(b) <= 1
    assert a.shift(dx, dy).iou(b.shift(dx, dy)) == pytest.approx(a.iou(b))
    assert a.iou(a) == (1 if a.area else 0)


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert Box(5, 5, 2, 9).area == 0
    assert Box(5, 5, 2, 9).iou(Box(0, 0, 9, 9)) == 0


SCORES = st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.0, math.inf, -math.inf, math.nan])


@given(st.lists(st.tuples(st.text("ab_019", max_size=3), SCORES | st.floats())))
def test_order_by_score_against_sorted(pairs: list[tuple[str, float]]) -> None:
    ids = [f"{id_}-{i}" for i, (id_, _) in enumerate(pairs)]
    scores = [score for _, score in pairs]
    clean = [-math.inf if math.isnan(score) else score for score in scores]
    order, n_ties = order_by_score(ids, scores)
    assert order == sorted(range(len(ids)), key=lambda i: (-clean[i], ids[i]))
    assert n_ties == sum(1 for score in clean if clean.count(score) > 1)


def test_order_by_score_by_hand() -> None:
    assert order_by_score(["b", "a", "c", "d"], [0.5, 0.5, 0.9, math.nan]) == ([2, 1, 0, 3], 2)
    assert order_by_score([], []) == ([], 0)


def test_order_by_score_wants_one_score_per_id() -> None:
    with pytest.raises(ValueError, match="2 ids but 1 scores"):
        order_by_score(["a", "b"], [1.0])


def movie_of(*labels: str | None) -> Movie:
    still = Still("s", Path("s.jpg"))
    candidates = tuple(Candidate(f"m_{i}", still, label=label) for i, label in enumerate(labels))
    return Movie("m", (CastMember("m_ann", "ann", ()), CastMember("m_bob", "bob", ())), candidates)


def test_truth_lists_the_candidates_of_each_member() -> None:
    truth = movie_of("m_ann", "others", None, "m_ann").truth
    assert truth == {"m_ann": {"m_0", "m_3"}, "m_bob": set()}


def test_no_label_no_truth() -> None:
    assert movie_of(None, None).truth is None
    assert movie_of("others").truth == {"m_ann": set(), "m_bob": set()}
