"""ONNX face encoders: input, batches and mirror images worked out by hand on made networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from castsearch.encoders.align import TEMPLATE_112
from castsearch.encoders.encoder import FaceSettings
from castsearch.encoders.face_onnx import (
    SFACE,
    SFACE_INT8,
    as_batch,
    as_vectors,
    chip,
    encode,
    face_encoder,
)
from castsearch.errors import InputError
from castsearch.models.table import Model
from castsearch.networks.device import CPU, Device, Place
from castsearch.networks.session import Session
from castsearch.types import Box, Face

MODEL = Model("mine", "face encoder", "", size=(2, 2), dim=6)


class Columns(Session):
    """A network that gives the sums of the left and right column, and remembers its batches."""

    def __init__(self, place: Device = CPU) -> None:
        self.place = place
        self.sizes: list[int] = []

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.sizes.append(len(batch))
        return [batch.sum(axis=2).reshape(len(batch), -1)]


def face(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    """2 x 2 pixels: a column of each colour."""
    return np.array([[left, right]] * 2, np.uint8)


def test_pixels_become_planes_by_hand() -> None:
    faces = [face((1, 2, 3), (4, 5, 6))]
    batch = as_batch(faces, MODEL)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch[0], [[[1, 4]] * 2, [[2, 5]] * 2, [[3, 6]] * 2])
    swapped = as_batch(faces, replace(MODEL, color="bgr"))
    np.testing.assert_array_equal(swapped[0], [[[3, 6]] * 2, [[2, 5]] * 2, [[1, 4]] * 2])
    scaled = as_batch(faces, replace(MODEL, mean=(1.0, 0.0, 3.0), std=(1.0, 2.0, 0.5)))
    np.testing.assert_array_equal(scaled[0], [[[0, 3]] * 2, [[1, 2.5]] * 2, [[0, 6]] * 2])


def test_vectors_by_hand() -> None:
    session = Columns()
    faces = [face((3, 0, 0), (4, 0, 0)), face((0, 0, 0), (0, 0, 9))]
    # Sums of columns, R left, R right, G left and so on: (6, 8, ...) of length 10.
    plain = encode(session, MODEL, faces)
    assert plain.dtype == np.float32
    np.testing.assert_allclose(plain, [[0.6, 0.8, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], atol=1e-6)
    # With the mirror image both columns are alike.
    mirrored = encode(session, MODEL, faces, flip=True)
    half = 2**-0.5
    np.testing.assert_allclose(
        mirrored, [[half, half, 0, 0, 0, 0], [0, 0, 0, 0, half, half]], atol=1e-6
    )


def test_a_face_of_nothing_has_no_length_but_no_error() -> None:
    np.testing.assert_array_equal(encode(Columns(), MODEL, [face((0, 0, 0), (0, 0, 0))]), 0)


def test_no_faces_have_no_vectors() -> None:
    session = Columns()
    assert encode(session, MODEL, []).shape == (0, 6)
    assert session.sizes == []


@pytest.mark.parametrize(
    ("precision", "flip", "sizes"),
    [
        ("float32", False, [3, 3, 1]),
        # A face and its mirror image go through the network together.
        ("float32", True, [2] * 7),
        ("int8", False, [5, 2]),
        ("int8", True, [4, 4, 4, 2]),
    ],
)
def test_faces_go_through_in_the_batches_of_the_device(
    precision: str, flip: bool, sizes: list[int]
) -> None:
    session = Columns(Device("x", "XProvider", n_float32=3, n_int8=5))
    model = replace(MODEL, precision=precision)  # type: ignore[arg-type]
    faces = [face((i, 0, 0), (1, 0, 0)) for i in range(7)]
    vectors = encode(session, model, faces, flip=flip)
    assert session.sizes == sizes
    left_to_right = vectors[:, 0] / vectors[:, 1]
    expected = [1] * 7 if flip else list(range(7))
    np.testing.assert_allclose(left_to_right, expected, rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(bad: float) -> None:
    output = np.array([[1, 2], [bad, 0]], np.float32)
    with pytest.raises(InputError, match="The face encoder 'mine' gives NaN or infinity"):
        as_vectors(output, MODEL, flip=False)


def test_a_chip_is_the_face_upright_in_the_size_of_the_network() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (150, 160, 3), dtype=np.uint8)
    landmarks = tuple(map(tuple, (TEMPLATE_112 + np.array([20, 10])).tolist()))
    made = chip(replace(MODEL, size=(112, 112)), image, Face(Box(0, 0, 9, 9), 1, landmarks))
    np.testing.assert_array_equal(made, image[10:122, 20:132])
    assert chip(MODEL, image, Face(Box(0, 0, 9, 9), 1, landmarks)).shape == (2, 2, 3)


def test_a_face_without_landmarks_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        chip(MODEL, np.zeros((9, 9, 3), np.uint8), Face(Box(0, 0, 9, 9), 1))
    assert str(refusal.value) == (
        "The encoder 'mine' needs five landmarks, which this locator does not give; "
        "use locator=yunet."
    )


def saved(path: Path, shape: tuple[int | str, ...]) -> Model:
    """A network that gives the mean colour of a picture."""
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["y"])],
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(path))
    return replace(MODEL, file=str(path))


def test_a_network_of_the_users_runs(tmp_path: Path) -> None:
    encoder = face_encoder(saved(tmp_path / "mine.onnx", ("n", 3, 2, 2)))
    ready = encoder.load(encoder.model, Place(CPU, tmp_path / "cache"))
    chips = [face((0, 30, 0), (0, 30, 80)), face((7, 0, 0), (7, 0, 0))]
    for flip in (False, True):
        vectors = encoder.encode(ready, encoder.model, chips, FaceSettings(flip=flip))
        np.testing.assert_allclose(vectors, [[0, 0.6, 0.8], [1, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("shape", [("n", 1, 2, 2), ("n", 2, 2, 3)])
def test_a_network_that_takes_other_input_is_refused(
    shape: tuple[int | str, ...], tmp_path: Path
) -> None:
    encoder = face_encoder(saved(tmp_path / "mine.onnx", shape))
    with pytest.raises(InputError, match=r"'mine' takes input of shape .* is to take \(batch, 3"):
        encoder.load(encoder.model, Place(CPU, tmp_path / "cache"))


def test_mirroring_alone_is_in_the_name_of_a_vector() -> None:
    for encoder in (SFACE, SFACE_INT8):
        assert encoder.settings_key(FaceSettings(68, 5, flip=True)) == "True"
        assert encoder.settings_key(FaceSettings(5, 1, flip=False)) == "False"
        assert (encoder.metric, encoder.holds_lock) == ("cosine", False)
