"""EfficientNet-lite0 in torch: padding by hand, blocks, and where it halves the picture."""

from __future__ import annotations

import pytest
import torch

from castsearch.networks.lite0 import Block
from castsearch.training.efficientnet import EfficientNetLite0, InvertedResidual, SameConv2d


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "outputs"),
    [
        # The output has ceil(size / stride) cells; where a side gets more padding it is the last.
        (4, 3, 2, [1 + 2 + 3, 3 + 4 + 0]),
        (5, 3, 2, [0 + 1 + 2, 2 + 3 + 4, 4 + 5 + 0]),
        (4, 5, 2, [0 + 1 + 2 + 3 + 4, 2 + 3 + 4 + 0 + 0]),
        (3, 3, 1, [0 + 1 + 2, 1 + 2 + 3, 2 + 3 + 0]),
    ],
)
def test_padding_is_that_of_tensorflow(
    size: int, kernel: int, stride: int, outputs: list[int]
) -> None:
    convolution = SameConv2d(1, 1, (1, kernel), stride=(1, stride), bias=False)
    torch.nn.init.ones_(convolution.weight)
    row = torch.arange(1.0, size + 1).view(1, 1, 1, size)
    assert convolution(row).flatten().tolist() == outputs
    column = SameConv2d(1, 1, (kernel, 1), stride=(stride, 1), bias=False)
    torch.nn.init.ones_(column.weight)
    assert column(row.transpose(2, 3)).flatten().tolist() == outputs


@pytest.mark.parametrize(("n_out", "stride", "adds"), [(8, 1, True), (8, 2, False), (16, 1, False)])
def test_a_block_adds_its_input_where_the_shapes_agree(n_out: int, stride: int, adds: bool) -> None:
    block = InvertedResidual(Block(2, 8, n_out, 6, 3, stride)).eval()
    torch.nn.init.zeros_(block._bn2.weight)  # Silences the branch.
    x = torch.rand(2, 8, 6, 4)
    expected = x if adds else torch.zeros(2, n_out, 6 // stride, 4 // stride)
    assert torch.equal(block(x), expected)


def test_the_first_stage_does_not_widen() -> None:
    names = EfficientNetLite0(0).state_dict()
    assert "_blocks.0._expand_conv.weight" not in names
    assert names["_blocks.1._expand_conv.weight"].shape == (96, 16, 1, 1)
    assert names["_blocks.1._depthwise_conv.weight"].shape == (96, 1, 3, 3)
    assert not any(name.startswith("_fc") for name in names)


@pytest.mark.parametrize(("last_stride", "sides"), [(2, (4, 2)), (1, (8, 4))])
def test_the_last_stride_keeps_the_maps_larger(last_stride: int, sides: tuple[int, int]) -> None:
    with torch.device("meta"):
        network = EfficientNetLite0(0, last_stride=last_stride)
        pictures = torch.zeros(1, 3, 128, 64)
    assert network.maps(pictures).shape == (1, 1280, *sides)
    assert network(pictures).shape == (1, 1280)
    with torch.device("meta"):
        assert EfficientNetLite0(5)(pictures).shape == (1, 5)


def test_weights_start_by_the_fan_out() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0(0)
    head = network._conv_head.weight.detach()
    assert float(head.var()) == pytest.approx(2 / 1280, rel=0.02)
    # Of a depthwise convolution each filter feeds one map.
    depthwise = network._blocks[-1]._depthwise_conv.weight.detach()
    assert float(depthwise.var()) == pytest.approx(2 / 9, rel=0.1)
