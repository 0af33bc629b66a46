"""Pictures at the size that dlib's locators look at, and faces back in the picture's own pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from castsearch.features.faces import find_faces, sized
from castsearch.features.recipe import Role, recipe_of
from hypothesis import given
from hypothesis import strategies as st

from castsearch.detectors import dlib_face
from castsearch.presets import PRESETS, preset
from castsearch.types import Box, Face, ImageArray


@pytest.mark.parametrize(
    ("min_size", "max_size", "size"),
    [
        (0, 0, (200, 100)),
        (400, 0, (400, 200)),
        (400, 400, (400, 200)),
        (0, 50, (50, 25)),
        (50, 50, (50, 25)),
        (100, 300, (200, 100)),
        (0, 1, (1, 1)),
    ],
)
def test_the_longer_side_is_brought_within_the_sizes(
    min_size: int, max_size: int, size: tuple[int, int]
) -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    scaled, scale = sized(image, min_size, max_size)
    assert scaled.shape == (size[1], size[0], 3)
    assert scale == (size[0] / 200, size[1] / 100)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 60), st.integers(0, 60))
def test_proportions_stay_within_a_pixel(
    height: int, width: int, min_size: int, max_size: int
) -> None:
    scaled, (x, y) = sized(np.zeros((height, width, 3), np.uint8), min_size, max_size)
    wanted = max(height, width, min_size)
    wanted = min(wanted, max_size) if max_size else wanted
    assert max(scaled.shape[:2]) == wanted
    assert abs(scaled.shape[0] - height * wanted / max(height, width)) <= 1
    assert scaled.shape[:2] == (round(height * y), round(width * x))


class FakeLocator:
    """Finds the lower right quarter of whatever it is shown, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, int], int]] = []

    def __call__(self, image: ImageArray, kind: str, *, upsample: int = 0) -> list[Face]:
        height, width = image.shape[:2]
        self.asked.append(((width, height), upsample))
        return [Face(Box(width / 2, height / 2, width, height), 1.0)]


@pytest.mark.parametrize(
    ("name", "role", "asked"),
    [
        ("sgbt_hybrid", "candidate", ((300, 160), 0)),
        ("sgbt_hybrid_pro", "candidate", ((300, 160), 1)),
        ("sgbt_hybrid_resize", "candidate", ((640, 341), 0)),
        ("sgbt_hybrid", "portrait", ((300, 160), 0)),
        ("sgbt_hybrid_pro", "portrait", ((300, 160), 0)),
        ("sgbt_hybrid_resize", "portrait", ((640, 341), 0)),
        ("dlib_inverse", "portrait", ((300, 160), 1)),
    ],
)
def test_each_row_looks_at_its_size(
    name: str, role: Role, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    locator = FakeLocator()
    monkeypatch.setattr(dlib_face, "detect", locator)
    image = np.zeros((160, 300, 3), np.uint8)
    (face,) = find_faces(recipe_of(PRESETS[name]), image, role=role)
    assert locator.asked == [asked]
    found = (face.box.x0, face.box.y0, face.box.x1, face.box.y1)
    assert found == pytest.approx((150, 80, 300, 160))


@pytest.mark.parametrize("row", ["sgbt_hybrid", "sgbt_hybrid_pro", "sgbt_hybrid_resize"])
def test_large_crops_are_not_doubled_as_they_are(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    locator = FakeLocator()
    monkeypatch.setattr(dlib_face, "detect", locator)
    find_faces(recipe_of(PRESETS[row]), np.zeros((1000, 500, 3), np.uint8), role="candidate")
    size = (500, 1000) if row == "sgbt_hybrid" else (320, 640)
    assert locator.asked == [(size, PRESETS[row].upsample)]


def test_sizes_are_part_of_the_stored_name() -> None:
    keys = {
        recipe_of(preset("sgbt_hybrid", settings)).faces_key(role="candidate")
        for settings in ([], ["min_size=640"], ["max_size=640"], ["min_size=320"], ["upsample=1"])
    }
    assert len(keys) == 5
    shared = {
        recipe_of(PRESETS[n]).faces_key(role="candidate") for n in ("dlib_allcast", "sgbt_hybrid")
    }
    assert len(shared) == 1
