"""dlib's descriptor, called as the reference system calls it."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest

from castsearch.encoders.face_dlib import encode
from castsearch.models.config import BY_NAME, weights
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, ImageArray

FACE = Box(161, 137, 376, 352)
"""Grace Hopper's, in the pixels of the portrait."""


@pytest.fixture(scope="module")
def portrait(hopper: Path) -> ImageArray:
    return decode(read_bytes(hopper), "hopper")


def by_dlib(image: ImageArray, points: int, jitters: int) -> np.ndarray:
    """The same in dlib's own words, with an encoder that has encoded nothing before."""
    landmarks = dlib.shape_predictor(str(weights(BY_NAME[f"dlib-{points}-points"])))
    encoder = dlib.face_recognition_model_v1(str(weights(BY_NAME["dlib-resnet"])))
    shape = landmarks(image, dlib.rectangle(161, 137, 376, 352))
    return np.array(encoder.compute_face_descriptor(image, shape, jitters))


@pytest.mark.parametrize("points", [5, 68])
def test_it_is_dlibs_own_descriptor(portrait: ImageArray, points: int) -> None:
    vector = encode(portrait, FACE, points=points)
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, by_dlib(portrait, points, 0), atol=1e-6)


def test_with_jitter_too_whatever_was_encoded_before(portrait: ImageArray) -> None:
    first = encode(portrait, FACE, num_jitters=3)
    encode(portrait[:, ::-1].copy(), FACE, num_jitters=2)
    np.testing.assert_array_equal(encode(portrait, FACE, num_jitters=3), first)
    np.testing.assert_allclose(first, by_dlib(portrait, 5, 3), atol=1e-6)
    assert not np.array_equal(first, encode(portrait, FACE))


def test_corners_are_rounded_to_the_nearest_pixel(portrait: ImageArray) -> None:
    near = Box(160.6, 137.4, 376.3, 351.8)
    np.testing.assert_array_equal(encode(portrait, near), encode(portrait, FACE))


def test_one_person_is_nearer_than_two(portrait: ImageArray, collins: Path) -> None:
    other = decode(read_bytes(collins), "collins")
    vectors = [
        encode(portrait, FACE),
        encode((portrait * 0.8).astype(np.uint8), FACE),
        encode(other, Box(179, 83, 266, 170)),
    ]
    # dlib's own words: one person's lie nearer than 0.6.
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.3
    assert np.linalg.norm(vectors[0] - vectors[2]) > 0.6
