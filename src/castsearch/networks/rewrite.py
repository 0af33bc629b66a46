"""A packaged ONNX graph rewritten so that onnxruntime runs it, in batches, and fast.

The packaged files store weights as int8 blocks, list some of them as graph inputs (onnxruntime
then asks for them on every call), fix the input to one picture of one size, and use PRelu, which
onnxruntime runs unvectorised and outside its blocked layout: 22 of SFace's 33 ms. The rewritten
graph computes the same function; ``benchmarks/sessions.py`` prints both times and the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from castsearch.networks.graph import attributes, constants_of, set_nodes_and_constants
from castsearch.networks.heads import merge_heads

if TYPE_CHECKING:
    import onnx


def rewrite(model: onnx.ModelProto) -> None:
    """Apply, in place: constant weights, free axes, PRelu by convolutions, heads side by side."""
    fold_weights(model)
    free_axes(model)
    replace_prelu(model)
    merge_heads(model)
    del model.graph.value_info[:]


def fold_weights(model: onnx.ModelProto) -> None:
    """Turn ``Reshape(DequantizeLinear(int8 blocks))`` into float32 constants."""
    constants = constants_of(model.graph)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        constant = all(name in constants for name in node.input)
        if node.op_type == "DequantizeLinear" and constant:
            quantized, scale, zero = (constants[name] for name in node.input)
            values = attributes(node)
            block, axis = values.get("block_size", 0), values.get("axis", 1)
            if block:
                # The last block may be cut short by the end of the axis.
                ends = tuple(slice(0, n) for n in quantized.shape)
                scale = np.repeat(scale, block, axis)[ends]
                zero = np.repeat(zero, block, axis)[ends]
            elif scale.ndim:
                shape = [1] * quantized.ndim
                shape[axis] = -1
                scale, zero = scale.reshape(shape), zero.reshape(shape)
            value = (quantized.astype(np.float32) - zero.astype(np.float32)) * scale
            constants[node.output[0]] = value.astype(np.float32)
        elif node.op_type == "Reshape" and constant:
            constants[node.output[0]] = constants[node.input[0]].reshape(constants[node.input[1]])
        else:
            nodes.append(node)
    set_nodes_and_constants(model.graph, nodes, constants)


def free_axes(model: onnx.ModelProto) -> None:
    """Make the batch axis free, and height and width too where the network has no dense layer."""
    graph = model.graph
    constants = constants_of(graph)
    nodes = list(graph.node)
    convolutional = all(node.op_type not in {"Gemm", "MatMul", "Flatten"} for node in nodes)
    for value in (*graph.input, *graph.output):
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if axis == 0:
                dim.dim_param = "n"
            elif convolutional and value.name in {i.name for i in graph.input} and axis >= 2:
                dim.dim_param = "hw"[axis - 2]
            elif convolutional and axis == 1 and value in graph.output:
                dim.dim_param = f"{value.name}_cells"
    if convolutional:
        for node in nodes:
            if node.op_type == "Reshape" and node.input[1] in constants:
                shape = constants[node.input[1]]
                if shape.size == 3 and shape[0] == 1:
                    constants[node.input[1]] = np.array([0, -1, shape[2]], dtype=np.int64)
            elif node.op_type == "Resize" and len(node.input) == 4:
                # Fixed target sizes become the factor 2 that the feature pyramid means by them.
                constants["twice"] = np.array([1, 1, 2, 2], dtype=np.float32)
                node.input[2] = "twice"
                del node.input[3:]
    set_nodes_and_constants(graph, nodes, constants)


def replace_prelu(model: onnx.ModelProto) -> None:
    """PRelu(z) = z + (1 - slope) * Relu(-z), the factors as depthwise convolutions.

    Convolutions and sums stay in onnxruntime's blocked layout, PRelu does not.
    """
    from onnx import helper

    constants = constants_of(model.graph)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        slope = constants.get(node.input[1]) if node.op_type == "PRelu" else None
        # Only per-channel slopes of 4-d activations, shape (channels, 1, 1), fit a depthwise form.
        if slope is None or slope.ndim < 3 or slope.size != slope.shape[-3]:
            nodes.append(node)
            continue
        value, name = node.input
        channels = int(slope.size)
        constants[f"{name}_sign"] = np.full((channels, 1, 1, 1), -1.0, dtype=np.float32)
        constants[f"{name}_rise"] = 1 - slope.reshape(channels, 1, 1, 1).astype(np.float32)
        depthwise = {"group": channels, "kernel_shape": [1, 1]}
        nodes += [
            helper.make_node("Conv", [value, f"{name}_sign"], [f"{value}_minus"], **depthwise),
            helper.make_node("Relu", [f"{value}_minus"], [f"{value}_down"]),
            helper.make_node(
                "Conv", [f"{value}_down", f"{name}_rise"], [f"{value}_s"], **depthwise
            ),
            helper.make_node("Add", [value, f"{value}_s"], [node.output[0]]),
        ]
    set_nodes_and_constants(model.graph, nodes, constants)
