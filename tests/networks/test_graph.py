"""The parts of a graph: attributes, constants, and what is put back."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from castsearch.networks.graph import attributes, constants_of, set_nodes_and_constants


def graph() -> onnx.GraphProto:
    """y = (x + a) * b, with ``a`` listed as an input too, and a constant that nothing uses."""
    constants = {"a": np.float32([1]), "b": np.float32([2]), "unused": np.float32([3])}
    return helper.make_graph(
        [
            helper.make_node("Add", ["x", "a"], ["sum"]),
            helper.make_node("Mul", ["sum", "b"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "a")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )


def test_attributes_by_name() -> None:
    node = helper.make_node("Conv", ["x"], ["y"], group=2, pads=[1, 1], auto_pad="VALID")
    assert attributes(node) == {"group": 2, "pads": [1, 1], "auto_pad": b"VALID"}
    assert attributes(helper.make_node("Relu", ["x"], ["y"])) == {}


def test_constants_by_name() -> None:
    constants = constants_of(graph())
    assert {name: value.tolist() for name, value in constants.items()} == {
        "a": [1],
        "b": [2],
        "unused": [3],
    }


def test_only_what_the_nodes_use_is_put_back() -> None:
    changed = graph()
    constants = constants_of(changed) | {"b": np.float32([5]), "new": np.float32([7])}
    set_nodes_and_constants(changed, list(changed.node), constants)
    # A constant that is an input too would be asked for at every call.
    assert [value.name for value in changed.input] == ["x"]
    assert {n: v.tolist() for n, v in constants_of(changed).items()} == {"a": [1], "b": [5]}


def test_nodes_are_replaced_and_inputs_without_a_use_go() -> None:
    changed = graph()
    node = helper.make_node("Neg", ["a"], ["y"])
    set_nodes_and_constants(changed, [node], {})
    assert list(changed.node) == [node]
    assert [value.name for value in changed.input] == ["a"]
    assert not changed.initializer
