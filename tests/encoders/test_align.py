from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.encoders.align import TEMPLATE_112, aligned, similarity_transform


@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)
def test_a_known_transform_is_recovered(
    angle: float, scale: float, shift: tuple[float, float]
) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = TEMPLATE_112 @ turn.T + np.array(shift)
    matrix = similarity_transform(moved, TEMPLATE_112)
    assert moved @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(TEMPLATE_112, abs=1e-6)


def test_an_aligned_picture_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)
    assert np.array_equal(aligned(image, TEMPLATE_112), image)


def test_points_that_fall_together_give_a_blank_face() -> None:
    chip = aligned(np.full((20, 20, 3), 9, np.uint8), np.full((5, 2), 3.0))
    assert chip.shape == (112, 112, 3)
