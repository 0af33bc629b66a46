"""The parts of an ONNX graph that rewriting it needs: attributes, constants, nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

Constants = dict[str, np.ndarray[Any, Any]]
"""Arrays by the name of their value."""


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def constants_of(graph: onnx.GraphProto) -> Constants:
    """The initializers of a graph."""
    from onnx import numpy_helper

    return {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def set_nodes_and_constants(
    graph: onnx.GraphProto,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, np.ndarray[Any, Any]],
) -> None:
    """Put ``nodes`` in the graph, keep only the constants they use, and drop inputs among them."""
    from onnx import numpy_helper

    used = {name for node in nodes for name in node.input}
    inputs = [i for i in graph.input if i.name in used and i.name not in constants]
    initializers = [numpy_helper.from_array(v, k) for k, v in constants.items() if k in used]
    for field, values in (
        (graph.node, list(nodes)),
        (graph.initializer, initializers),
        (graph.input, inputs),
    ):
        del field[:]
        field.extend(values)
