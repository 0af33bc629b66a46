"""The one way to run a network: its input, its metadata, its sentences."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from castsearch.errors import InputError
from castsearch.networks.session import Session


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Gives out its input twice over: doubled, and less than nothing."""
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["twice"]),
            helper.make_node("Neg", ["x"], ["minus"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 2]) for n in ("twice", "minus")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"castsearch.mean": "1,2,3"})
    onnx.save(model, str(tmp_path / "m.onnx"))
    return tmp_path / "m.onnx"


def test_all_outputs_in_the_order_of_the_file(network: Path) -> None:
    session = Session(network)
    twice, minus = session.run(np.array([[1, 2], [3, -4]], np.float32))
    assert twice.tolist() == [[2, 4], [6, -8]]
    assert minus.tolist() == [[-1, -2], [-3, 4]]


def test_what_the_file_says_of_itself(network: Path) -> None:
    session = Session(network)
    assert session.input_name == "x"
    assert session.input_shape == ("n", 2)
    assert session.metadata["castsearch.mean"] == "1,2,3"


def test_several_threads_at_once(network: Path) -> None:
    session = Session(network)
    batches = [np.full((3, 2), i, np.float32) for i in range(50)]
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(session.run, batches))
    assert all((out[0] == 2 * i).all() for i, out in enumerate(outputs))


def test_a_file_that_cannot_be_run_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is no network")
    with pytest.raises(InputError, match=r"text\.onnx: onnxruntime cannot run this model"):
        Session(path)


def test_a_network_with_an_unknown_operator_is_a_sentence(network: Path) -> None:
    model = onnx.load(str(network))
    model.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(model, str(network))
    with pytest.raises(InputError, match="NoSuchOperator"):
        Session(network)


def test_providers_that_are_not_there(network: Path) -> None:
    with pytest.raises(InputError, match="None of the providers NoSuchProvider is in this onnxrun"):
        Session(network, providers=["NoSuchProvider"])
