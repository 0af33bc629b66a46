"""A packaged graph rewritten computes the same; each change by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from castsearch.networks.graph import constants_of
from castsearch.networks.rewrite import fold_weights, free_axes, replace_prelu, rewrite
from castsearch.networks.session import Session


def small_model() -> onnx.ModelProto:
    """int8 blocks -> conv -> PRelu, with a weight listed as an input and a fixed batch of 1."""
    rng = np.random.default_rng(1)
    constants = {
        "q": rng.integers(-127, 128, (4, 27), dtype=np.int8),
        "scale": rng.uniform(0.001, 0.01, (4, 3)).astype(np.float32),
        "zero": rng.integers(-3, 4, (4, 3), dtype=np.int8),
        "shape": np.array([4, 3, 3, 3]),
        "slope": np.array([-0.5, 0.25, 1.5, 0.0], np.float32).reshape(4, 1, 1),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"], axis=1, block_size=10),
        helper.make_node("Reshape", ["d", "shape"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["z"]),
        helper.make_node("PRelu", ["z", "slope"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8]),
            helper.make_tensor_value_info("slope", TensorProto.FLOAT, [4, 1, 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_the_rewritten_graph_computes_the_same_in_batches(tmp_path: Path) -> None:
    model = small_model()
    images = np.random.default_rng(2).normal(size=(3, 3, 8, 8)).astype(np.float32)
    reference = ReferenceEvaluator(model)
    expected = np.concatenate([reference.run(None, {"x": images[i : i + 1]})[0] for i in range(3)])
    rewrite(model)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds == {"Conv", "Relu", "Add"}
    assert [i.name for i in model.graph.input] == ["x"]
    onnx.save(model, str(tmp_path / "m.onnx"))
    session = Session(tmp_path / "m.onnx")
    assert session.run(images)[0] == pytest.approx(expected, abs=1e-5)


def graph_of(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    shape: list[int],
    out: list[int] | None = None,
) -> onnx.ModelProto:
    """A network from ``x`` to ``y``."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out or shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.mark.parametrize(
    ("scale", "zero", "attributes", "expected"),
    [
        # Blocks of two along the second axis, the last cut short.
        ([[1.0, 10.0]], [[0, 1]], {"axis": 1, "block_size": 2}, [1, 2, 20]),
        # One step a column.
        ([1.0, 2.0, 3.0], [1, 1, 1], {"axis": 1}, [0, 2, 6]),
        # One for all.
        (0.5, 1, {}, [0, 0.5, 1]),
    ],
)
def test_weights_in_blocks_become_numbers(scale, zero, attributes, expected) -> None:
    constants = {
        "q": np.array([[1, 2, 3]], np.int8),
        "scale": np.array(scale, np.float32),
        "zero": np.array(zero, np.int8),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["w"], **attributes),
        helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    model = graph_of(nodes, constants, [1, 3])
    fold_weights(model)
    assert [node.op_type for node in model.graph.node] == ["Add"]
    assert constants_of(model.graph)["w"].tolist() == [expected]
    assert list(constants_of(model.graph)) == ["w"]


def dims(value: onnx.ValueInfoProto) -> list[int | str]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def test_a_convolutional_network_takes_any_picture() -> None:
    weight = {"w": np.ones((2, 3, 1, 1), np.float32)}
    model = graph_of([helper.make_node("Conv", ["x", "w"], ["y"])], weight, [1, 3, 8, 8], [1, 2, 8])
    free_axes(model)
    assert dims(model.graph.input[0]) == ["n", 3, "h", "w"]
    assert dims(model.graph.output[0]) == ["n", "y_cells", 8]


def test_a_dense_layer_keeps_the_size_of_the_picture() -> None:
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    model = graph_of(nodes, {"w": np.ones((12, 2), np.float32)}, [1, 3, 2, 2], [1, 2])
    free_axes(model)
    assert dims(model.graph.input[0]) == ["n", 3, 2, 2]
    assert dims(model.graph.output[0]) == ["n", 2]


def test_a_fixed_size_to_double_to_becomes_a_factor() -> None:
    nodes = [helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="nearest")]
    sizes = {"sizes": np.array([1, 1, 4, 4], np.int64)}
    model = graph_of(nodes, sizes, [1, 1, 2, 2], [1, 1, 4, 4])
    free_axes(model)
    picture = np.arange(12, dtype=np.float32).reshape(2, 1, 2, 3)
    (doubled,) = ReferenceEvaluator(model).run(None, {"x": picture})
    np.testing.assert_array_equal(doubled, picture.repeat(2, axis=2).repeat(2, axis=3))


def test_prelu_by_hand() -> None:
    slope = np.array([-0.5, 0.25, 2.0], np.float32).reshape(3, 1, 1)
    nodes = [helper.make_node("PRelu", ["x", "slope"], ["y"])]
    model = graph_of(nodes, {"slope": slope}, [1, 3, 1, 2])
    replace_prelu(model)
    assert {node.op_type for node in model.graph.node} == {"Conv", "Relu", "Add"}
    x = np.array([[-4, 4], [-4, 4], [-4, 4]], np.float32).reshape(1, 3, 1, 2)
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    assert y.reshape(3, 2).tolist() == [[2, 4], [-1, 4], [-8, 4]]


def test_a_slope_for_all_channels_stays() -> None:
    nodes = [helper.make_node("PRelu", ["x", "slope"], ["y"])]
    model = graph_of(nodes, {"slope": np.array([0.5], np.float32)}, [1, 3, 1, 2])
    replace_prelu(model)
    assert [node.op_type for node in model.graph.node] == ["PRelu"]
