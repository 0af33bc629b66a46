"""EfficientNet-lite0 in torch, from the table of stages that the ONNX form is built from too.

Parameter names are those of the public weight file (``_conv_stem``, ``_blocks.0._bn1`` ...), so
that it loads as it is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from castsearch.networks.lite0 import BN_EPSILON, HEAD, STEM, Block, blocks


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow pads: output = ceil(input / stride), more at the end."""

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, shape (n, c_in, h, w), to (n, c_out, ceil(h / s), ceil(w / s))."""
        pads = []
        for size, kernel, stride in zip(
            (x.shape[-1], x.shape[-2]), self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            missing = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        if any(pads):
            x = functional.pad(x, pads)
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


def _convolution(
    n_in: int, n_out: int, size: int = 1, stride: int = 1, groups: int = 1
) -> SameConv2d:
    return SameConv2d(n_in, n_out, size, stride=stride, groups=groups, bias=False)


def _norm(n: int) -> nn.BatchNorm2d:
    # TensorFlow's momentum of 0.99 averages over hundreds of steps, longer than a short training
    # on a CPU lasts; torch's default, that of the ResNets, follows the new data sooner.
    return nn.BatchNorm2d(n, eps=BN_EPSILON)


class InvertedResidual(nn.Module):
    """1x1 up, depthwise, 1x1 down without activation; the input is added where shapes agree."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.residual = block.residual
        hidden = block.n_in * block.expand
        if block.expand != 1:
            self._expand_conv = _convolution(block.n_in, hidden)
            self._bn0 = _norm(hidden)
        self.expands = block.expand != 1
        self._depthwise_conv = _convolution(hidden, hidden, block.kernel, block.stride, hidden)
        self._bn1 = _norm(hidden)
        self._project_conv = _convolution(hidden, block.n_out)
        self._bn2 = _norm(block.n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, shape (n, n_in, h, w), to (n, n_out, h / stride, w / stride)."""
        y = x
        if self.expands:
            y = functional.relu6(self._bn0(self._expand_conv(y)))
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return y + x if self.residual else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-lite0: EfficientNet-B0 without squeeze-and-excitation and with ReLU6.

    Args:
        n_classes: Outputs of the last layer; 0 leaves it out (a backbone).
        last_stride: Stride of stage 6, the last that halves the picture.
    """

    def __init__(self, n_classes: int = 1000, *, last_stride: int = 2) -> None:
        super().__init__()
        self.dim = HEAD
        table = blocks(last_stride)
        self._conv_stem = _convolution(3, STEM, 3, 2)
        self._bn0 = _norm(STEM)
        self._blocks = nn.ModuleList(InvertedResidual(block) for block in table)
        self._stage_ends = {block.stage: i for i, block in enumerate(table)}
        self._conv_head = _convolution(table[-1].n_out, HEAD)
        self._bn1 = _norm(HEAD)
        self._fc = nn.Linear(HEAD, n_classes) if n_classes else None
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.weight[0, 0].numel() * module.out_channels / module.groups
                nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))

    def stages(self) -> dict[str, nn.Module]:
        """The module that ends each stage, by name."""
        ends = {f"stage{stage}": self._blocks[i] for stage, i in self._stage_ends.items()}
        return {"stem": self._conv_stem, **ends, "head": self._conv_head}

    def maps(self, x: Tensor) -> Tensor:
        """The last feature maps, shape (n, 1280, h / 32, w / 32), of pictures (n, 3, h, w)."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, shape (n, n_classes), or pooled features (n, 1280) without classes."""
        pooled = torch.flatten(functional.adaptive_avg_pool2d(self.maps(x), 1), 1)
        return pooled if self._fc is None else self._fc(pooled)
