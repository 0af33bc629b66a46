from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from castsearch.encoders import body
from castsearch.errors import InputError
from castsearch.models.config import Model
from castsearch.networks.device import CPU, Place
from castsearch.networks.session import Session

FREE = ("n", 3, "h", "w")


def network(
    path: Path,
    shape: tuple[int | str, ...] = FREE,
    operator: str = "Mean",
    metadata: dict[str, str] | None = None,
) -> Session:
    """The mean colour of the left half, then that of the right, so that mirroring shows."""
    halves = [helper.make_node("Split", ["x"], ["left", "right"], axis=3, num_outputs=2)]
    if operator == "Log":
        halves.append(helper.make_node("Log", ["x"], ["whole"]))
        nodes = [*halves, helper.make_node("GlobalAveragePool", ["whole"], ["y"])]
    else:
        nodes = [
            *halves,
            helper.make_node("GlobalAveragePool", ["left"], ["l"]),
            helper.make_node("GlobalAveragePool", ["right"], ["r"]),
            helper.make_node("Concat", ["l", "r"], ["y"], axis=1),
        ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(made, metadata or {})
    onnx.save(made, path)
    return Session(path)


def model(**values: object) -> Model:
    return Model(name="mean", kind="body encoder", file="", **values)  # type: ignore[arg-type]


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    crop = np.zeros((64, 32, 3), dtype=np.uint8)
    crop[:, :16], crop[:, 16:] = left, right
    return crop


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("flip", [False, True])
def test_vectors_worked_out_by_hand(tmp_path: Path, batch: int | str, flip: bool) -> None:
    session = network(tmp_path / "m.onnx", (batch, 3, "h", "w"))
    prepared = model(mean=(10.0, 0.0, 0.0), std=(1.0, 2.0, 1.0))
    crops = [halves((20, 0, 0), (10, 60, 0)), halves((10, 0, 5), (10, 0, 5))]
    vectors = body.encode(session, prepared, crops, flip=flip)
    # (20-10, 0, 0 | 0, 60/2, 0), and with the mirror image added: both halves alike.
    first = np.array([10, 30, 0, 10, 30, 0] if flip else [10, 0, 0, 0, 30, 0])
    second = np.array([0, 0, 5, 0, 0, 5])
    assert vectors.dtype == np.float32
    expected = [v / np.linalg.norm(v) for v in (first, second)]
    # Stretching to 256x128 mixes the two pixels at the border of the halves.
    np.testing.assert_allclose(vectors, expected, atol=0.01)


def test_what_the_file_says_of_its_input_counts(tmp_path: Path) -> None:
    metadata = {"castsearch.mean": "10,0,0", "castsearch.std": "1,2,1"}
    session = network(tmp_path / "m.onnx", metadata=metadata)
    vector = body.encode(session, model(mean=(99.0, 9.0, 9.0)), [halves((20, 0, 0), (10, 60, 0))])
    expected = np.array([10, 0, 0, 0, 30, 0]) / np.sqrt(1000)
    np.testing.assert_allclose(vector[0], expected, atol=0.01)
    session = network(tmp_path / "m.onnx", metadata={"castsearch.std": "1,2"})
    with pytest.raises(InputError, match=r"castsearch\.std = '1,2', which is to be three numbers"):
        body.encode(session, model(), [halves((9, 0, 0), (9, 0, 0))])


def test_bgr_networks_get_bgr(tmp_path: Path) -> None:
    session = network(tmp_path / "m.onnx")
    vector = body.encode(session, model(color="bgr"), [halves((9, 0, 0), (9, 0, 0))])[0]
    assert np.argmax(vector) % 3 == 2


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        (FREE, (0, 0), (256, 128)),
        (("n", 3, 128, 64), (0, 0), (128, 64)),
        (("n", 3, 128, "w"), (0, 0), (128, 128)),
        (FREE, (96, 48), (96, 48)),
    ],
)
def test_the_size_is_the_tables_then_the_networks_then_the_usual(
    tmp_path: Path, shape: tuple[int | str, ...], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert body.input_size(network(tmp_path / "m.onnx", shape), model(size=size)) == expected


@pytest.mark.parametrize("shape", [("n", 1, "h", "w"), (8, 3, "h", "w")])
def test_other_input_is_refused(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    session = network(tmp_path / "m.onnx", shape)
    with pytest.raises(InputError, match="is to take \\(batch, 3, height, width\\)"):
        body.input_size(session, model())


def test_a_network_that_gives_nan_is_refused(tmp_path: Path) -> None:
    session = network(tmp_path / "m.onnx", operator="Log")
    with pytest.raises(InputError, match="gives NaN or infinity"):
        body.encode(session, model(), [halves((0, 0, 0), (0, 0, 0))])


def test_no_crops_have_no_vectors(tmp_path: Path) -> None:
    assert body.encode(network(tmp_path / "m.onnx"), model(dim=6), []).shape == (0, 6)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (300, 200)])
def test_crops_of_any_size_are_stretched(shape: tuple[int, int]) -> None:
    crop = np.full((*shape, 3), 77, dtype=np.uint8)
    assert np.array_equal(body.resized(crop, (16, 8)), np.full((16, 8, 3), 77))


def test_an_encoder_of_a_file_runs_it_as_it_is(tmp_path: Path) -> None:
    network(tmp_path / "m.onnx", metadata={"castsearch.std": "1,2,1"})
    encoder = body.body_encoder(Model("mean", "body encoder", str(tmp_path / "m.onnx")))
    ready = encoder.load(encoder.model, Place(CPU, tmp_path / "cache"))
    crops = [halves((0, 20, 0), (10, 0, 0))]
    plain = encoder.encode(ready, encoder.model, crops, False)
    np.testing.assert_allclose(plain, [[0, 2**-0.5, 0, 2**-0.5, 0, 0]], atol=0.01)
    mirrored = encoder.encode(ready, encoder.model, crops, True)
    np.testing.assert_allclose(mirrored, [[0.5, 0.5, 0, 0.5, 0.5, 0]], atol=0.01)
    assert encoder.is_mirrored
    assert encoder.split is None
    assert not (tmp_path / "cache").exists()


def test_a_file_that_takes_other_input_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    network(tmp_path / "m.onnx", ("n", 1, "h", "w"))
    encoder = body.body_encoder(Model("mean", "body encoder", str(tmp_path / "m.onnx")))
    with pytest.raises(InputError, match="The body encoder 'mean' takes input of shape"):
        encoder.load(encoder.model, Place(CPU, tmp_path))
