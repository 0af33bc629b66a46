from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.encoders import stripes as module
from castsearch.encoders.stripes import DIM, STRIPES, stripes

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)


def person(*colours: tuple[int, int, int]) -> np.ndarray:
    """A crop of bands of colour, from the top down."""
    return np.repeat(np.array(colours, dtype=np.uint8), 96 // len(colours), axis=0)[:, None].repeat(
        48, axis=1
    )


def test_one_colour_fills_one_bin_of_each_histogram_of_each_stripe() -> None:
    vector = stripes(person(RED))
    assert vector.shape == (DIM,)
    colours = vector[: module.N_STRIPES * module.N_HUES * module.N_SATURATIONS]
    colours = colours.reshape(module.N_STRIPES, module.N_HUES, module.N_SATURATIONS)
    lights = vector[colours.size :].reshape(module.N_STRIPES, module.N_VALUES)
    # Red: hue 0, the highest saturation, the highest value; 2 bins of 8 stripes share length 1.
    expected = np.sqrt(1 / (2 * module.N_STRIPES))
    assert colours[:, 0, -1] == pytest.approx(expected)
    assert lights[:, -1] == pytest.approx(expected)
    assert np.count_nonzero(vector > 1e-3) == 2 * module.N_STRIPES


def test_the_same_clothes_are_near_and_others_and_swapped_ones_are_far() -> None:
    red_over_blue = stripes(person(RED, BLUE))
    assert red_over_blue @ stripes(person(RED, BLUE)) == pytest.approx(1)
    assert red_over_blue @ stripes(person(BLUE, RED)) == pytest.approx(0.5, abs=1e-3)
    assert red_over_blue @ stripes(person(RED, GREY)) < 0.8


def test_a_little_less_light_changes_little() -> None:
    darker = stripes(person((235, 0, 0)))
    assert stripes(person(RED)) @ darker > 0.8


def test_the_middle_counts_more_than_the_sides() -> None:
    sides = person(RED)
    sides[:, :12], sides[:, 36:] = BLUE, BLUE
    middle = person(BLUE)
    middle[:, 12:36] = GREY
    assert stripes(sides) @ stripes(person(RED)) > 0.9
    assert stripes(middle) @ stripes(person(BLUE)) < 0.9


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_any_crop_has_a_unit_vector_and_its_mirror_image_the_same(
    height: int, width: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    vector = stripes(pixels)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector.min() >= 0
    mirrored = stripes(np.ascontiguousarray(cv2.flip(pixels, 1)).reshape(pixels.shape))
    assert vector @ mirrored > 0.98


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255)])
def test_black_and_white_crops_have_unit_vectors(colour: tuple[int, int, int]) -> None:
    assert np.linalg.norm(stripes(person(colour))) == pytest.approx(1, abs=1e-5)


def test_the_entry_of_the_table_gives_a_row_for_each_crop() -> None:
    crops = [person(RED), person(BLUE, GREY)]
    for flip in (False, True):
        vectors = STRIPES.encode(None, STRIPES.model, crops, flip)
        assert vectors.shape == (2, DIM)
        np.testing.assert_array_equal(vectors[0], stripes(crops[0]))
        np.testing.assert_array_equal(vectors[1], stripes(crops[1]))
    assert STRIPES.model.dim == DIM
    assert not STRIPES.is_mirrored
