from __future__ import annotations

import math

import pytest

from castsearch.detectors.choose import body_box, choose, choose_portrait, suitability
from castsearch.types import Box, Face


def face(x: float, y: float, side: float, score: float = 0.9) -> Face:
    return Face(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), score)


def test_suitability_by_hand() -> None:
    # A face of a quarter of the width, at its place: score * sqrt(1/4).
    assert suitability(face(50, 100, 25), 100, 300) == pytest.approx(0.45)
    # The same, a third of the width off: exp(-3 / 3).
    moved = suitability(face(50 + 100 / 3, 100, 25), 100, 300)
    assert moved == pytest.approx(0.45 * math.exp(-1))


def test_the_face_at_its_place_wins_over_a_neighbours() -> None:
    own, neighbour = face(52, 95, 25, 0.8), face(95, 90, 30, 0.95)
    assert choose([neighbour, own], 100, 300) is own
    assert choose([], 100, 300) is None


def test_a_portrait_is_of_its_largest_sure_face() -> None:
    large, small = face(80, 80, 60, 0.7), face(20, 20, 20, 0.99)
    assert choose_portrait([small, large]) is large
    assert choose_portrait([]) is None


def test_a_body_is_grown_inside_the_picture() -> None:
    assert body_box(Box(100, 50, 120, 70), 640, 480) == Box(80, 40, 140, 190)
    assert body_box(Box(5, 5, 25, 25), 40, 60) == Box(0, 0, 40, 60)
