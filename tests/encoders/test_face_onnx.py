"""Face encoders in ONNX: pixels in, unit vectors out, with a network whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from castsearch.encoders.face_onnx import PER_CALL, as_batch, as_vectors, encode
from castsearch.errors import InputError
from castsearch.models.config import Model

PLAIN = Model(name="corners", kind="face encoder", file="", dim=2)


class Corners:
    """A network that gives the first channel of the upper left and of the upper right pixel."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(len(batch))
        return [batch[:, 0, 0, [0, -1]]]


def face(left: int, right: int) -> np.ndarray:
    """Two pixels: the red, green and blue of each are n, n + 1 and n + 2."""
    return np.array([[[n, n + 1, n + 2] for n in (left, right)]], dtype=np.uint8)


def test_a_batch_by_hand() -> None:
    batch = as_batch([face(10, 20), face(30, 40)], PLAIN)
    assert batch.dtype == np.float32
    assert batch[:, :, 0].tolist() == [
        [[10, 20], [11, 21], [12, 22]],
        [[30, 40], [31, 41], [32, 42]],
    ]


def test_blue_comes_first_where_the_model_wants_it() -> None:
    bgr = Model(name="m", kind="face encoder", file="", color="bgr")
    assert as_batch([face(10, 20)], bgr)[0, :, 0].tolist() == [[12, 22], [11, 21], [10, 20]]


def test_mean_and_deviation_go_with_their_channels() -> None:
    model = Model(name="m", kind="face encoder", file="", mean=(10, 1, 2), std=(2, 5, 10))
    assert as_batch([face(10, 20)], model)[0, :, 0].tolist() == [[0, 5], [2, 4], [1, 2]]


def test_vectors_by_hand() -> None:
    vectors = encode(Corners(), PLAIN, [face(3, 4), face(0, 9)])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 1]], atol=1e-7)
    assert vectors.dtype == np.float32


def test_the_mirror_image_is_added_before_the_length_is_taken() -> None:
    vectors = encode(Corners(), PLAIN, [face(3, 4), face(0, 9)], flip=True)
    np.testing.assert_allclose(vectors, [[0.5**0.5] * 2] * 2, atol=1e-7)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_as_many_at_once_as_change_nothing(precision: str) -> None:
    network = Corners()
    model = Model(name="m", kind="face encoder", file="", dim=2, precision=precision)
    faces = [face(i + 1, 100) for i in range(9)]
    vectors = encode(network, model, faces)
    n = PER_CALL[precision]
    assert network.sizes == [n] * (9 // n) + [9 % n] * (9 % n > 0)
    np.testing.assert_allclose(vectors[:, 1] / vectors[:, 0], 100 / np.arange(1, 10), rtol=1e-5)


def test_no_face_no_call() -> None:
    network = Corners()
    assert encode(network, PLAIN, []).shape == (0, 2)
    assert network.sizes == []


def test_outputs_of_more_axes_are_laid_flat_and_nothing_is_divided_by_nothing() -> None:
    output = np.array([[[[3.0]], [[4.0]]], [[[0.0]], [[0.0]]]], np.float32)
    np.testing.assert_allclose(as_vectors(output, PLAIN, flip=False), [[0.6, 0.8], [0, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_gives_no_number_is_named(bad: float) -> None:
    with pytest.raises(InputError, match="face encoder 'corners' gives NaN or infinity"):
        as_vectors(np.array([[1.0, bad]], np.float32), PLAIN, flip=False)
