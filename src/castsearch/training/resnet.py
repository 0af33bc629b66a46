"""ResNet 18, 34, 50, 101 and 152 (He et al., CVPR 2016, table 1) from one table of blocks.

State-dict keys are torchvision's, so its public ImageNet files load. As torchvision does (its
"v1.5"), a bottleneck halves the picture in its 3x3 convolution; the paper does so in the 1x1
before it, which needs fewer multiply-adds (ResNet-50: 3.8 instead of 4.1 x 10^9 at 224x224).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)
"""Channels of the 3x3 convolutions of conv2_x .. conv5_x."""


@dataclass(frozen=True, slots=True)
class Depth:
    """One column of the paper's table 1: blocks in conv2_x .. conv5_x, and which block."""

    blocks: tuple[int, int, int, int]
    bottleneck: bool

    @property
    def dim(self) -> int:
        """Channels of the last feature map."""
        return WIDTHS[-1] * (Bottleneck.expansion if self.bottleneck else BasicBlock.expansion)


DEPTHS: dict[str, Depth] = {
    "resnet18": Depth((2, 2, 2, 2), bottleneck=False),
    "resnet34": Depth((3, 4, 6, 3), bottleneck=False),
    "resnet50": Depth((3, 4, 6, 3), bottleneck=True),
    "resnet101": Depth((3, 4, 23, 3), bottleneck=True),
    "resnet152": Depth((3, 8, 36, 3), bottleneck=True),
}


def _convolution(n_in: int, n_out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, size, stride=stride, padding=size // 2, bias=False)


def _shortcut(n_in: int, n_out: int, stride: int) -> nn.Sequential | None:
    """The projection of a block whose output has another shape than its input (option B)."""
    if stride == 1 and n_in == n_out:
        return None
    return nn.Sequential(_convolution(n_in, n_out, 1, stride), nn.BatchNorm2d(n_out))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the shortcut around them."""

    expansion = 1

    def __init__(self, n_in: int, width: int, stride: int, *, stride_on_1x1: bool) -> None:
        del stride_on_1x1  # A basic block has no 1x1 convolution to stride on.
        super().__init__()
        self.conv1 = _convolution(n_in, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(n_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, shape (n, n_in, h, w), to (n, width, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1 down to ``width`` channels, 3x3, 1x1 up to four times as many, and the shortcut."""

    expansion = 4

    def __init__(self, n_in: int, width: int, stride: int, *, stride_on_1x1: bool) -> None:
        super().__init__()
        n_out = width * self.expansion
        first, second = (stride, 1) if stride_on_1x1 else (1, stride)
        self.conv1 = _convolution(n_in, width, 1, first)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, second)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _convolution(width, n_out, 1)
        self.bn3 = nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(n_in, n_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, shape (n, n_in, h, w), to (n, 4 width, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A residual network.

    Args:
        depth: The column of the table, as in ``DEPTHS["resnet50"]``.
        n_classes: Outputs of the last layer; 0 leaves it out (a backbone).
        last_stride: Stride of conv5_x; 1 keeps its maps twice as large (Luo et al. 2019).
        stride_on_1x1: Halve the picture where the paper does, not where torchvision does.
    """

    def __init__(
        self,
        depth: Depth,
        n_classes: int = 1000,
        *,
        last_stride: int = 2,
        stride_on_1x1: bool = False,
    ) -> None:
        super().__init__()
        self.dim = depth.dim
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        block = Bottleneck if depth.bottleneck else BasicBlock
        n_in, layers = 64, []
        for n_blocks, width, stride in zip(
            depth.blocks, WIDTHS, (1, 2, 2, last_stride), strict=True
        ):
            blocks = []
            for i in range(n_blocks):
                blocks.append(
                    block(n_in, width, stride if i == 0 else 1, stride_on_1x1=stride_on_1x1)
                )
                n_in = width * block.expansion
            layers.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.fc = nn.Linear(self.dim, n_classes) if n_classes else None
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stages(self) -> dict[str, nn.Module]:
        """The module that ends each row of the paper's table, by the name of the row."""
        return {
            "conv1": self.conv1,
            "conv2_x": self.layer1,
            "conv3_x": self.layer2,
            "conv4_x": self.layer3,
            "conv5_x": self.layer4,
        }

    def maps(self, x: Tensor) -> Tensor:
        """The last feature maps, shape (n, dim, h / 32, w / 32), of pictures (n, 3, h, w)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores, shape (n, n_classes), or pooled features (n, dim) without classes."""
        pooled = torch.flatten(nn.functional.adaptive_avg_pool2d(self.maps(x), 1), 1)
        return pooled if self.fc is None else self.fc(pooled)
