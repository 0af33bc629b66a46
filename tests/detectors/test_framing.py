"""Pictures scaled or bordered for a locator, and faces back in the picture's own pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.detectors.framing import (
    PORTRAIT_MARGINS,
    bordered,
    sized,
    unscaled,
    without_border,
)
from castsearch.types import Box, Face


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


def test_a_picture_within_the_sizes_is_the_picture_itself() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    assert sized(image, 0, 0)[0] is image
    assert sized(image, 200, 200)[0] is image


def test_a_picture_is_averaged_down() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, 0] = image[0, 2:] = 200
    scaled, _ = sized(image, 0, 2)
    # Left: one column of 200 and one of 0; right: one row of 200 and one of 0.
    np.testing.assert_array_equal(scaled[0, :, 0], [100, 100])


def test_a_face_of_a_scaled_picture_lies_in_the_picture_before() -> None:
    face = unscaled(Face(Box(10, 20, 30, 60), 0.7), (2.0, 0.5))
    assert face == Face(Box(5, 40, 15, 120), 0.7)


def test_a_border_continues_the_edge() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    wide, border = bordered(image, 0.5)
    # Half of the longer side, which is 4.
    assert border == 2
    assert wide.shape == (6, 8, 3)
    np.testing.assert_array_equal(wide[2:4, 2:6], image)
    for row in (0, 1):
        np.testing.assert_array_equal(wide[row], wide[2])
        np.testing.assert_array_equal(wide[5 - row], wide[3])
        np.testing.assert_array_equal(wide[:, row], wide[:, 2])
        np.testing.assert_array_equal(wide[:, 7 - row], wide[:, 5])


def test_no_border_is_the_picture_itself() -> None:
    image = np.zeros((2, 4, 3), np.uint8)
    assert bordered(image, 0.0) == (image, 0)
    assert PORTRAIT_MARGINS[0] == 0


def test_a_face_of_a_bordered_picture_lies_in_the_picture_before() -> None:
    face = Face(Box(10, 20, 30, 60), 0.7, ((11, 21), (12, 22)))
    assert without_border(face, 5) == Face(Box(5, 15, 25, 55), 0.7, ((6, 16), (7, 17)))
