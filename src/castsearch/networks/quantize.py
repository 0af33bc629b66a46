"""SFace in 8-bit integers: half the time of float32, from the weight file alone.

No pictures are needed to find the ranges (data-free, Nagel et al., ICCV 2019): every convolution of
the network is followed by a batch norm, which says that the numbers of channel ``c`` have the mean
``beta[c]`` and the deviation ``|gamma[c]|``. What lies further out than ``DEVIATIONS`` is clipped.
All of it is in integers, from the pixels on. Rounding is chaotic: a millionth more in a float goes
on to move a vector by a tenth of what rounding costs in all. So a face has one vector everywhere.

PRelu has no integer form in onnxruntime. PRelu(z) = z + (1 - slope) * Relu(-z) is a depthwise
convolution, whose zero point of 0 clips like Relu, and a sum; both take the step of ``z``, so that
only the second term is rounded again. A channel with a slope above 1 is run as its mirror image
(its PRelu at z is minus the PRelu of slope 1 / slope at -slope * z), so that nothing is taken away.

On processors without VNNI, onnxruntime adds pairs of products in 16 bits, which may saturate;
with these weights and ranges one pair in 3 million does (``benchmarks/sessions.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castsearch.networks.graph import Constants, attributes, constants_of, set_nodes_and_constants
from castsearch.networks.rewrite import fold_weights, free_axes

if TYPE_CHECKING:
    import onnx

DEVIATIONS = 7.0
"""Range of a channel, in standard deviations either side of its mean."""
PIXEL_ZERO = 128
"""The pixel that the integers of the input, which are pixels, are counted from."""

KINDS = ("Conv", "BatchNormalization", "PRelu")

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
    graph = _Graph()
    graph.constants |= {"one": np.array(1, np.float32), "none": np.array(0, np.uint8)}
    value = graph.quantized("pixels", 1.0, PIXEL_ZERO)
    names = [model.graph.input[0].name, "one", "none"]
    graph.nodes.append(helper.make_node("QuantizeLinear", names, [value.name]))
    spread = np.ones(chain.layers[0].weight.shape[1])
    for i, layer in enumerate(chain.layers):
        value, spread = _layer(graph, layer.scaled(spread), value, f"layer{i}")
    graph.dense(value, chain.dense * spread[:, None], chain.bias, chain.output)
    set_nodes_and_constants(model.graph, graph.nodes, graph.constants)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    del model.graph.value_info[:]


@dataclass(frozen=True)
class _Layer:
    """A convolution with its batch norm folded in, and its PRelu; arrays by output channel."""

    weight: Array
    bias: Array
    mean: Array
    deviation: Array
    slope: Array
    attributes: dict[str, Any]
    """Of the convolution."""

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

    def mirrored(self) -> tuple[_Layer, Array]:
        """The layer with no slope above 1, and what its output is to be multiplied by."""
        steep = self.slope > 1
        factor = np.where(steep, -self.slope, 1.0)
        layer = self.divided(1 / factor)
        slope = np.where(steep, 1 / self.slope, self.slope)
        return replace(layer, slope=slope, deviation=np.abs(layer.deviation)), np.sign(factor)

    def divided(self, spread: Array) -> _Layer:
        """The layer with each channel of its convolution divided by ``spread``."""
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
    layer, sign = layer.mirrored()
    # All channels have one step: each is brought to the same range, and the next layer undoes it.
    reach = np.maximum(np.abs(layer.low), np.abs(layer.high))
    spread = reach / reach.max()
    layer = layer.divided(spread)
    lowest = float(layer.low.min())
    step = (float(layer.high.max()) - lowest) / 255
    before = graph.quantized(name, step, round(-lowest / step))
    graph.convolution(value, layer.weight, layer.bias, before, layer.attributes)
    fall = graph.quantized(f"{name}_fall", step, 0)
    rise = (layer.slope - 1).reshape(-1, 1, 1, 1)
    depthwise = {"group": len(rise), "kernel_shape": [1, 1]}
    graph.convolution(before, rise, np.zeros(len(rise)), fall, depthwise)
    after = graph.quantized(f"{name}_prelu", step, round(-layer.ends[0] / step))
    graph.sum(before, fall, after)
    return after, spread * sign


@dataclass
class _Graph:
    """Nodes and constants of the graph under way."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: Constants = field(default_factory=dict)

    def quantized(self, name: str, step: float, zero: int) -> _Quantized:
        """A value that nodes may write to, with the constants that say how it is to be read."""
        self.constants[f"{name}_step"] = np.array(step, dtype=np.float32)
        self.constants[f"{name}_zero"] = np.array(np.clip(zero, 0, 255), dtype=np.uint8)
        return _Quantized(name, step, zero)

    def convolution(
        self, value: _Quantized, weight: Array, bias: Array, to: _Quantized, shape: dict[str, Any]
    ) -> None:
        from onnx import helper

        *weights, offset = self._weights(f"{to.name}_conv", weight, bias, value.step)
        names = [*_of(value), *weights, *_of(to)[1:], offset]
        self.nodes.append(helper.make_node("QLinearConv", names, [to.name], **shape))

    def sum(self, first: _Quantized, second: _Quantized, to: _Quantized) -> None:
        from onnx import helper

        names = [*_of(first), *_of(second), *_of(to)[1:]]
        domain = "com.microsoft"
        self.nodes.append(helper.make_node("QLinearAdd", names, [to.name], domain=domain))

    def dense(self, value: _Quantized, weight: Array, bias: Array, output: str) -> None:
        """The last layer, with weights of shape (dim, channels, cells); its output is float32."""
        from onnx import helper

        rows = weight.reshape(len(weight), -1)
        names = [*_of(value)[1:], *self._weights("dense", rows, bias, value.step)]
        transposed = {"domain": "com.microsoft", "transB": 1}
        self.nodes += [
            helper.make_node("Flatten", [value.name], ["flat"], axis=1),
            helper.make_node("QGemm", ["flat", *names], [output], **transposed),
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
        layers: All convolutions, first to last; the first takes pixels less PIXEL_ZERO.
        dense: The last layer with the batch norms around it, shape (dim, channels, cells).
        bias: Shape (dim,).
        output: Name of the embedding.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._constants = constants_of(graph)
        self._nodes = [n for n in graph.node if n.op_type not in {"Dropout", "Constant", "Flatten"}]
        subtract, multiply = self._next("Sub", "Mul")
        shift, scale = (self._constant(node.input[1]).item() for node in (subtract, multiply))
        self.layers = [self._layer(*self._next(*KINDS))]
        while self._nodes and self._nodes[0].op_type == "Conv":
            self.layers.append(self._layer(*self._next(*KINDS)))
        # (pixel - shift) * scale, with the pixel as PIXEL_ZERO and an integer.
        weight = self.layers[0].weight * scale
        bias = self.layers[0].bias + weight.sum(axis=(1, 2, 3)) * (PIXEL_ZERO - shift)
        self.layers[0] = replace(self.layers[0], weight=weight, bias=bias)
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
            present = ", ".join(node.op_type for node in taken) or "its end"
            raise ValueError(f"{', '.join(kinds)} is expected where it has {present}")
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
        shape = attributes(conv)
        if len(slope) != len(weight) or shape.get("group", 1) not in {1, len(weight)}:
            raise ValueError(f"{conv.name!r} is grouped, or has not one slope a channel")
        weight = weight * factor[:, None, None, None]
        return _Layer(weight, offset, beta, np.abs(gamma), slope, shape)
