"""SFace in 8-bit integers: half the time of float32, from the weight file alone.

No pictures are needed to find the ranges (data-free, Nagel et al., ICCV 2019): every convolution of
the network is followed by a batch norm, which says that the numbers of channel ``c`` have the mean
``beta[c]`` and the deviation ``|gamma[c]|``. What lies further out than ``DEVIATIONS`` is clipped.
The first layers stay float32: on faces some of their numbers lie 27 deviations out, and with few
channels they are not faster in integers.

PRelu has no integer form in onnxruntime. PRelu(z) = z + (1 - slope) * Relu(-z) is a depthwise
convolution, whose zero point of 0 clips like Relu, and a sum; both take the step of ``z``, so that
only the second term is rounded again.

On processors without VNNI, onnxruntime adds pairs of products in 16 bits, which may saturate;
with these weights and ranges one pair in 8 million does (``benchmarks/sessions.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castsearch.embed.graph import Constants, attributes, constants_of, set_nodes_and_constants
from castsearch.embed.rewrite import fold_weights, free_axes, replace_prelu

if TYPE_CHECKING:
    import onnx

DEVIATIONS = 8.0
"""Range of a channel, in standard deviations either side of its mean."""
FLOAT_LAYERS = 2

Array = NDArray[np.float64]


def quantize(model: onnx.ModelProto) -> None:
    """Make, in place, a chain of convolution, batch norm and PRelu with a dense layer int8.

    The batch axis of the result is free. Input and output stay float32.

    Raises:
        ValueError: the network is no such chain.
    """
    from onnx import helper

    fold_weights(model)
    free_axes(model)
    chain = _Chain(model.graph)
    graph = _Graph(chain.float_nodes, constants_of(model.graph))
    lowest, highest = chain.layers[FLOAT_LAYERS - 1].ends
    step = (highest - lowest) / 255
    value = graph.quantized("start", step, round(-lowest / step))
    names = [chain.float_nodes[-1].output[0], *_of(value)[1:]]
    graph.nodes.append(helper.make_node("QuantizeLinear", names, [value.name]))
    spread = np.ones(len(chain.layers[FLOAT_LAYERS - 1].mean))
    for i, layer in enumerate(chain.layers[FLOAT_LAYERS:]):
        value, spread = _layer(graph, layer.scaled(spread), value, f"layer{i}")
    graph.dense(value, chain.dense * spread[:, None], chain.bias, chain.output)
    set_nodes_and_constants(model.graph, graph.nodes, graph.constants)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    replace_prelu(model)
    del model.graph.value_info[:]


@dataclass(frozen=True)
class _Layer:
    """A convolution with its batch norm folded in, and its PRelu; arrays by output channel."""

    weight: Array
    bias: Array
    mean: Array
    deviation: Array
    slope: Array
    how: dict[str, Any]

    @property
    def low(self) -> Array:
        """The least numbers before PRelu that are not clipped."""
        return self.mean - DEVIATIONS * self.deviation

    @property
    def high(self) -> Array:
        return self.mean + DEVIATIONS * self.deviation

    @property
    def ends(self) -> tuple[float, float]:
        """Least and greatest number after PRelu; 0 is between them."""
        before = np.stack([self.low, self.high, 0 * self.low])
        after = np.where(before > 0, before, self.slope * before)
        return float(after.min()), float(after.max())

    def scaled(self, spread: Array) -> _Layer:
        """The layer for an input of which each channel was divided by ``spread``."""
        depthwise = self.weight.shape[1] == 1
        by_input = spread[:, None, None, None] if depthwise else spread[None, :, None, None]
        return replace(self, weight=self.weight * by_input)

    def divided(self, spread: Array) -> _Layer:
        """The layer with each channel of its output divided by ``spread``, above 0."""
        return replace(
            self,
            weight=self.weight / spread[:, None, None, None],
            bias=self.bias / spread,
            mean=self.mean / spread,
            deviation=self.deviation / spread,
        )


@dataclass(frozen=True)
class _Quantized:
    """A uint8 value of the graph; number = step * (integer - zero)."""

    name: str
    step: float
    zero: int


def _of(value: _Quantized) -> list[str]:
    return [value.name, f"{value.name}_step", f"{value.name}_zero"]


def _layer(graph: _Graph, layer: _Layer, value: _Quantized, name: str) -> tuple[_Quantized, Array]:
    """Add convolution and PRelu: the value that comes out, and what its channels are divided by."""
    # All channels have one step: each is brought to the same range, and the next layer undoes it.
    reach = np.maximum(np.abs(layer.low), np.abs(layer.high))
    spread = reach / reach.max()
    layer = layer.divided(spread)
    lowest = float(layer.low.min())
    step = (float(layer.high.max()) - lowest) / 255
    before = graph.quantized(name, step, round(-lowest / step))
    graph.convolution(value, layer.weight, layer.bias, before, layer.how)
    fall = graph.quantized(f"{name}_fall", step, 0)
    rise = (layer.slope - 1).reshape(-1, 1, 1, 1)
    how = {"group": len(rise), "kernel_shape": [1, 1]}
    graph.convolution(before, rise, np.zeros(len(rise)), fall, how)
    after = graph.quantized(f"{name}_prelu", step, round(-layer.ends[0] / step))
    graph.sum(before, fall, after)
    return after, spread


@dataclass
class _Graph:
    """Nodes and constants of the graph under way."""

    nodes: list[onnx.NodeProto]
    constants: Constants

    def quantized(self, name: str, step: float, zero: int) -> _Quantized:
        """A value that nodes may write to, with the constants that say how it is to be read."""
        self.constants[f"{name}_step"] = np.array(step, dtype=np.float32)
        self.constants[f"{name}_zero"] = np.array(np.clip(zero, 0, 255), dtype=np.uint8)
        return _Quantized(name, step, zero)

    def convolution(
        self, value: _Quantized, weight: Array, bias: Array, to: _Quantized, how: dict[str, Any]
    ) -> None:
        from onnx import helper

        *weights, offset = self._weights(f"{to.name}_conv", weight, bias, value.step)
        names = [*_of(value), *weights, *_of(to)[1:], offset]
        self.nodes.append(helper.make_node("QLinearConv", names, [to.name], **how))

    def sum(self, one: _Quantized, other: _Quantized, to: _Quantized) -> None:
        from onnx import helper

        names = [*_of(one), *_of(other), *_of(to)[1:]]
        domain = "com.microsoft"
        self.nodes.append(helper.make_node("QLinearAdd", names, [to.name], domain=domain))

    def dense(self, value: _Quantized, weight: Array, bias: Array, output: str) -> None:
        """The last layer, with weights of shape (dim, channels, cells); its output is float32."""
        from onnx import helper

        names = [*_of(value)[1:], *self._weights("dense", weight, bias, value.step)]
        self.constants["dense_weight"] = self.constants["dense_weight"].reshape(len(weight), -1)
        how = {"domain": "com.microsoft", "transB": 1}
        self.nodes += [
            helper.make_node("Flatten", [value.name], ["flat"], axis=1),
            helper.make_node("QGemm", ["flat", *names], [output], **how),
        ]

    def _weights(self, name: str, rows: Array, bias: Array, step: float) -> list[str]:
        """Symmetric int8 weights with a step per output channel, and int32 biases."""
        steps = np.maximum(np.abs(rows).reshape(len(rows), -1).max(axis=1) / 127, 1e-12)
        weight = np.rint(rows / steps.reshape(-1, *(1,) * (rows.ndim - 1)))
        largest = np.iinfo(np.int32).max
        offset = np.clip(np.rint(bias / (step * steps)), -largest, largest)
        made = {
            f"{name}_weight": weight.astype(np.int8),
            f"{name}_weight_step": steps.astype(np.float32),
            f"{name}_weight_zero": np.zeros(len(rows), dtype=np.int8),
            f"{name}_bias": offset.astype(np.int32),
        }
        self.constants |= made
        return list(made)


class _Chain:
    """The network taken apart.

    Attributes:
        float_nodes: The nodes before and of the layers that stay float32.
        layers: All convolutions, first to last.
        dense: The last layer with the batch norms around it, shape (dim, channels, cells).
        bias: Shape (dim,).
        output: Name of the embedding.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._constants = constants_of(graph)
        self._nodes = [n for n in graph.node if n.op_type not in {"Dropout", "Constant", "Flatten"}]
        kinds = ("Conv", "BatchNormalization", "PRelu")
        self.float_nodes = self._next("Sub", "Mul")
        self.layers: list[_Layer] = []
        while self._nodes and self._nodes[0].op_type == "Conv":
            nodes = self._next(*kinds)
            if len(self.layers) < FLOAT_LAYERS:
                self.float_nodes += nodes
            self.layers.append(self._layer(*nodes))
            if len(self.layers) > FLOAT_LAYERS and self.layers[-1].slope.max() > 1:
                # Relu(-z) would be taken away, which an unsigned integer cannot hold.
                raise ValueError(f"{nodes[-1].name!r} has a slope above 1")
        if len(self.layers) < FLOAT_LAYERS:
            raise ValueError(f"it has {len(self.layers)} layers of {', '.join(kinds)}")
        norm, dense, last = self._next("BatchNormalization", "Gemm", "BatchNormalization")
        if self._nodes or attributes(dense).get("transB") != 1:
            raise ValueError("it does not end in one dense layer between two batch norms")
        factor, offset = self._norm(norm)
        rows = self._constant(dense.input[1])
        rows = rows.reshape(len(rows), len(factor), -1)
        bias = self._constant(dense.input[2]) + (rows * offset[:, None]).sum(axis=(1, 2))
        out_factor, out_offset = self._norm(last)
        self.dense = rows * factor[:, None] * out_factor[:, None, None]
        self.bias = bias * out_factor + out_offset
        self.output = last.output[0]

    def _next(self, *kinds: str) -> list[onnx.NodeProto]:
        """The next nodes of the chain, which must be of these kinds."""
        taken, self._nodes = self._nodes[: len(kinds)], self._nodes[len(kinds) :]
        if tuple(node.op_type for node in taken) != kinds:
            found = ", ".join(node.op_type for node in taken) or "its end"
            raise ValueError(f"{', '.join(kinds)} is expected where it has {found}")
        return taken

    def _constant(self, name: str) -> Array:
        if name not in self._constants:
            raise ValueError(f"{name!r} is no constant")
        return self._constants[name].astype(np.float64)

    def _norm(self, node: onnx.NodeProto) -> tuple[Array, Array]:
        """Factor and offset of a batch norm."""
        gamma, beta, mean, variance = (self._constant(name) for name in node.input[1:5])
        factor = gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
        return factor, beta - mean * factor

    def _layer(self, conv: onnx.NodeProto, norm: onnx.NodeProto, prelu: onnx.NodeProto) -> _Layer:
        if len(conv.input) != 2:
            raise ValueError(f"the convolution {conv.name!r} has a bias beside its batch norm")
        factor, offset = self._norm(norm)
        gamma, beta = (self._constant(name) for name in norm.input[1:3])
        weight, slope = self._constant(conv.input[1]), self._constant(prelu.input[1]).ravel()
        how = attributes(conv)
        if len(slope) != len(weight) or how.get("group", 1) not in {1, len(weight)}:
            raise ValueError(f"{conv.name!r} is grouped, or has not one slope a channel")
        weight = weight * factor[:, None, None, None]
        return _Layer(weight, offset, beta, np.abs(gamma), slope, how)
