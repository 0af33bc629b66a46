"""EfficientNet-lite0: its table of stages, and an ONNX file made of its public weights.

The architecture is EfficientNet-B0 (Tan and Le, ICML 2019, table 1) without squeeze-and-excitation
and with ReLU6; the lite form scales neither the stem nor the head. The torch form in
``castsearch.training.efficientnet`` is built from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.networks.prepare import saved
from castsearch.networks.torchfile import read_torch_file

if TYPE_CHECKING:
    import onnx

FloatArray = NDArray[np.floating[Any]]

VERSION = "2"
"""Part of the cached file's name: raised when the graph changes."""

MAP_STAGES = (3, 6)
"""Stages whose maps the ONNX form gives out: patterns of cloth, and shapes of parts of a body."""

STEM = 32
HEAD = 1280
BN_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the table: ``n_blocks`` blocks, of which the first strides."""

    expand: int
    n_out: int
    n_blocks: int
    stride: int
    kernel: int


STAGES: tuple[Stage, ...] = (
    Stage(expand=1, n_out=16, n_blocks=1, stride=1, kernel=3),
    Stage(expand=6, n_out=24, n_blocks=2, stride=2, kernel=3),
    Stage(expand=6, n_out=40, n_blocks=2, stride=2, kernel=5),
    Stage(expand=6, n_out=80, n_blocks=3, stride=2, kernel=3),
    Stage(expand=6, n_out=112, n_blocks=3, stride=1, kernel=5),
    Stage(expand=6, n_out=192, n_blocks=4, stride=2, kernel=5),
    Stage(expand=6, n_out=320, n_blocks=1, stride=1, kernel=3),
)
LAST_STRIDED_STAGE = 6


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block of stage ``stage`` (counted from 1)."""

    stage: int
    n_in: int
    n_out: int
    expand: int
    kernel: int
    stride: int

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output: both have one shape."""
        return self.stride == 1 and self.n_in == self.n_out


def blocks(last_stride: int = 2) -> list[Block]:
    """All 16 blocks in order; ``last_stride`` replaces the stride of stage 6."""
    table: list[Block] = []
    n_in = STEM
    for number, stage in enumerate(STAGES, start=1):
        stride = last_stride if number == LAST_STRIDED_STAGE else stage.stride
        for i in range(stage.n_blocks):
            table.append(
                Block(
                    number, n_in, stage.n_out, stage.expand, stage.kernel, stride if i == 0 else 1
                )
            )
            n_in = stage.n_out
    return table


def lite0_onnx(weights: Path, target: Path) -> Path:
    """Write EfficientNet-lite0 with the public ``weights`` as ONNX; needs no torch.

    Batch norms are folded into the convolutions before them. The input ``pictures`` is float32 of
    shape (n, 3, h, w), of any n, h and w. The outputs are ``embedding``, shape (n, 1280), the mean
    of the last maps over the picture, and two inner maps for descriptors with places in them:
    ``stage3``, shape (n, 40, h / 8, w / 8), and ``stage6``, shape (n, 192, h / 32, w / 32).

    Raises:
        InputError: the file is no readable weight file, or one of another network.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = _graph(weights)
    sides = {"embedding": (HEAD,)} | {
        f"stage{stage}": (STAGES[stage - 1].n_out, f"h{stage}", f"w{stage}") for stage in MAP_STAGES
    }
    graph = helper.make_graph(
        nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
            for name, shape in sides.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    # An older format than the newest, so that any onnxruntime since 1.20 reads it.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return saved(model, target)


def prepared_lite0(weights: Path, sha256: str, cache: Path) -> Path:
    """The ONNX form of the public ``weights``, made at the first use and kept in ``cache``.

    Raises:
        InputError: the file is no readable weight file, or one of another network.
    """
    target = cache / f"{weights.stem}-{sha256[:16]}-{VERSION}.onnx"
    return target if target.is_file() else lite0_onnx(weights, target)


def _graph(weights: Path) -> tuple[list[onnx.NodeProto], dict[str, FloatArray]]:
    """The nodes of the network and their constants, by name."""
    graph = _Graph(weights)
    value = graph.convolution("pictures", "_conv_stem", "_bn0", (STEM, 3, 3), stride=2)
    table = blocks()
    for i, block in enumerate(table):
        at, source, hidden = f"_blocks.{i}", value, block.n_in * block.expand
        if block.expand != 1:
            shape = (hidden, block.n_in, 1)
            value = graph.convolution(value, f"{at}._expand_conv", f"{at}._bn0", shape)
        shape = (hidden, 1, block.kernel)
        value = graph.convolution(
            value, f"{at}._depthwise_conv", f"{at}._bn1", shape, stride=block.stride, groups=hidden
        )
        shape = (block.n_out, hidden, 1)
        value = graph.convolution(value, f"{at}._project_conv", f"{at}._bn2", shape, relu6=False)
        if block.residual:
            value = graph.node("Add", [value, source], f"{at}.sum")
        ends = i + 1 == len(table) or table[i + 1].stage != block.stage
        if ends and block.stage in MAP_STAGES:
            graph.node("Identity", [value], f"stage{block.stage}")
    value = graph.convolution(value, "_conv_head", "_bn1", (HEAD, table[-1].n_out, 1))
    value = graph.node("GlobalAveragePool", [value], "pooled")
    graph.node("Flatten", [value], "embedding", axis=1)
    return graph.nodes, graph.constants


class _Graph:
    """Nodes and constants, added one after the other, with the weights of a file."""

    def __init__(self, weights: Path) -> None:
        self.weights = weights
        self.state = read_torch_file(weights)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, FloatArray] = {
            "zero": np.array(0.0, dtype=np.float32),
            "six": np.array(6.0, dtype=np.float32),
        }

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node of one output; returns the name of that output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def tensor(self, name: str, shape: tuple[int, ...]) -> FloatArray:
        """The tensor ``name`` of the file, which must have ``shape``."""
        tensor = self.state.get(name)
        if tensor is None or tensor.shape != shape:
            has = "is missing" if tensor is None else f"has the shape {tensor.shape}, not {shape}"
            raise InputError(
                f"{self.weights}: these are not the weights of EfficientNet-lite0: {name!r} {has}."
            )
        return tensor.astype(np.float64)

    def convolution(
        self,
        source: str,
        name: str,
        norm: str,
        shape: tuple[int, int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        relu6: bool = True,
    ) -> str:
        """Convolution, batch norm and ReLU6 of ``source``.

        ``shape`` is the number of filters, the maps that each sees, and the size of its kernel.
        """
        n_out, n_in, kernel = shape
        scale, shift, mean, variance = (
            self.tensor(f"{norm}.{part}", (n_out,))
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = scale / np.sqrt(variance + BN_EPSILON)
        filters = self.tensor(f"{name}.weight", (n_out, n_in, kernel, kernel))
        folded = (filters * factor[:, None, None, None], shift - mean * factor)
        inputs = [source, f"{name}.weight", f"{name}.bias"]
        for key, value in zip(inputs[1:], folded, strict=True):
            self.constants[key] = value.astype(np.float32)
        # TensorFlow's padding, which puts the odd pixel at the end; without a stride it is even.
        padding: dict[str, Any] = (
            {"pads": [kernel // 2] * 4} if stride == 1 else {"auto_pad": "SAME_UPPER"}
        )
        size = {"kernel_shape": [kernel, kernel], "strides": [stride, stride], "group": groups}
        output = self.node("Conv", inputs, name, **size, **padding)
        return self.node("Clip", [output, "zero", "six"], f"{name}.relu6") if relu6 else output
