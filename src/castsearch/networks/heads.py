"""YuNet's twelve heads as one, and its twelve outputs as one: same numbers, fewer calls.

A head is a pointwise convolution, a depthwise one, and its cells as rows. YuNet has four of them on
each of three maps, with 1, 4, 1 and 10 channels, where onnxruntime computes blocks of 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from castsearch.networks.graph import Constants, attributes, constants_of, set_nodes_and_constants

if TYPE_CHECKING:
    import onnx

ROWS = "rows"
"""The output that takes the place of the others."""


def merge_heads(model: onnx.ModelProto) -> None:
    """Put the outputs of a network of heads in one: shape (n, cells, channels).

    Cells are those of one map after the other; channels those of the heads of a map, in the order
    of the file. A Sigmoid at the end is left to the caller. Networks that are not all heads, or
    have other heads on one map than on another, stay as they are.
    """
    from onnx import helper

    graph = model.graph
    constants = constants_of(graph)
    maps: dict[str, list[_Head]] = {}
    for node in graph.node:
        head = _head(graph, node, constants)
        if head is not None:
            maps.setdefault(node.input[0], []).append(head)
    heads = [head for siblings in maps.values() for head in siblings]
    widths = {tuple(head.width for head in siblings) for siblings in maps.values()}
    if len(widths) != 1 or {head.output for head in heads} != {o.name for o in graph.output}:
        return
    gone = {id(node) for head in heads for node in head.nodes}
    nodes = [node for node in graph.node if id(node) not in gone]
    for name, siblings in maps.items():
        nodes += _merged(name, siblings, constants)
    rows = [f"{name}_rows" for name in maps]
    nodes.append(helper.make_node("Concat", rows, [ROWS], axis=1))
    del graph.output[:]
    shape = ["n", "cells", sum(head.width for head in next(iter(maps.values())))]
    graph.output.append(helper.make_tensor_value_info(ROWS, 1, shape))
    set_nodes_and_constants(graph, nodes, constants)


@dataclass(frozen=True)
class _Head:
    """Nodes of one head, first to last: two convolutions, transpose, reshape, maybe a sigmoid."""

    nodes: tuple[onnx.NodeProto, ...]
    width: int

    @property
    def output(self) -> str:
        return str(self.nodes[-1].output[0])


def _merged(name: str, siblings: list[_Head], constants: Constants) -> list[onnx.NodeProto]:
    """The nodes of one head in place of several on the map ``name``; adds its constants."""
    from onnx import helper

    width = sum(head.width for head in siblings)
    constants[f"{name}_shape"] = np.array([0, -1, width], dtype=np.int64)
    nodes, value = [], name
    for i, (part, group) in enumerate((("point", 1), ("depth", width))):
        names = [f"{name}_{part}_weight", f"{name}_{part}_bias"]
        for k, constant in enumerate(names, start=1):
            parts = [constants[head.nodes[i].input[k]] for head in siblings]
            constants[constant] = np.concatenate(parts)
        shape = attributes(siblings[0].nodes[i]) | {"group": group}
        nodes.append(helper.make_node("Conv", [value, *names], [f"{name}_{part}"], **shape))
        value = f"{name}_{part}"
    return [
        *nodes,
        helper.make_node("Transpose", [value], [f"{name}_turned"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{name}_turned", f"{name}_shape"], [f"{name}_rows"]),
    ]


def _head(graph: onnx.GraphProto, point: onnx.NodeProto, constants: Constants) -> _Head | None:
    """The head that begins with ``point``, if one does."""

    def only_user(node: onnx.NodeProto | None, kind: str) -> onnx.NodeProto | None:
        if node is None:
            return None
        users = [user for user in graph.node if node.output[0] in user.input]
        return users[0] if len(users) == 1 and users[0].op_type == kind else None

    if not _is_convolution(point, constants, kernel=1, depthwise=False):
        return None
    depth = only_user(point, "Conv")
    turn = only_user(depth, "Transpose")
    rows = only_user(turn, "Reshape")
    if depth is None or turn is None or rows is None:
        return None
    width = constants[point.input[1]].shape[0]
    if (
        not _is_convolution(depth, constants, kernel=3, depthwise=True)
        or attributes(turn).get("perm") != [0, 2, 3, 1]
        or list(constants.get(rows.input[1], ())) != [0, -1, width]
    ):
        return None
    sigmoid = only_user(rows, "Sigmoid")
    return _Head((point, depth, turn, rows, *([sigmoid] if sigmoid else [])), width)


def _is_convolution(
    node: onnx.NodeProto, constants: Constants, *, kernel: int, depthwise: bool
) -> bool:
    """A square convolution with bias and stride 1 that keeps the size of the picture."""
    if node.op_type != "Conv" or len(node.input) != 3:
        return False
    if any(name not in constants for name in node.input[1:]):
        return False
    weight, values = constants[node.input[1]], attributes(node)
    return (
        weight.shape[2:] == (kernel, kernel)
        and values.get("group", 1) == (weight.shape[0] if depthwise else 1)
        and (weight.shape[1] == 1 or not depthwise)
        and values.get("strides", [1, 1]) == [1, 1]
        and values.get("dilations", [1, 1]) == [1, 1]
        and values.get("pads", [0] * 4) == [kernel // 2] * 4
    )
