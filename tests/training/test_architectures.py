from __future__ import annotations

import pytest
import torch
from torch import nn

from castsearch.errors import InputError
from castsearch.training.architectures import ARCHITECTURES, count_multiply_adds, describe
from castsearch.training.resnet import DEPTHS, ResNet

# Parameters as torchvision publishes them; multiply-adds of He et al. (2016), table 1, and how
# many more torchvision's place of the stride costs (in 10^9).
PUBLISHED = [
    ("resnet18", 11_689_512, 1.8, 0.0),
    ("resnet34", 21_797_672, 3.6, 0.0),
    ("resnet50", 25_557_032, 3.8, 0.23),
    ("resnet101", 44_549_160, 7.6, 0.23),
    ("resnet152", 60_192_808, 11.3, 0.23),
]


@pytest.mark.parametrize(("name", "n_parameters", "paper", "more"), PUBLISHED)
def test_resnets_cost_what_was_published(
    name: str, n_parameters: int, paper: float, more: float
) -> None:
    found = describe(name)
    assert found.n_parameters == n_parameters
    assert list(found.output_sizes.values()) == [112, 56, 28, 14, 7]
    with torch.device("meta"):
        as_paper = count_multiply_adds(ResNet(DEPTHS[name], stride_on_1x1=True))
    # The paper cuts some figures after the first digit (3.66 to 3.6) and rounds others.
    assert as_paper / 1e9 == pytest.approx(paper, abs=0.07)
    assert (found.n_multiply_adds - as_paper) / 1e9 == pytest.approx(more, abs=0.002)


def test_efficientnet_lite0_is_counted_too() -> None:
    found = describe("efficientnet-lite0")
    assert found.n_parameters == 4_652_008
    assert found.n_multiply_adds / 1e6 == pytest.approx(385, abs=1)
    assert found.output_sizes == {
        "stem": 112,
        "stage1": 112,
        "stage2": 56,
        "stage3": 28,
        "stage4": 14,
        "stage5": 14,
        "stage6": 7,
        "stage7": 7,
        "head": 7,
    }


def test_every_architecture_is_described_at_any_size() -> None:
    for name in ARCHITECTURES:
        assert describe(name).n_multiply_adds > 1e8
    assert describe("resnet18", 64).output_sizes["conv5_x"] == 2


def test_multiply_adds_by_hand() -> None:
    class Small(nn.Sequential):
        pass

    network = Small(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),  # 8 maps of 4x4, each number from 3*3*3.
        nn.Conv2d(8, 8, 3, padding=1, groups=8),  # 8 maps of 4x4, each number from 3*3.
        nn.Flatten(),
        nn.Linear(8 * 16, 10),
    )
    by_hand = 8 * 16 * 27 + 8 * 16 * 9 + 128 * 10
    assert count_multiply_adds(network, 8) == by_hand
    assert not any(layer._forward_hooks for layer in network)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"no architecture 'resnet51'; choose one of resnet18"):
        describe("resnet51")
