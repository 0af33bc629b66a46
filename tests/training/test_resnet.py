from __future__ import annotations

import pytest
import torch

from castsearch.training.resnet import DEPTHS, Bottleneck, ResNet


def test_state_dict_keys_are_torchvisions() -> None:
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in ResNet(DEPTHS["resnet50"]).state_dict().items()}
    assert len(shapes) == 320  # 53 convolutions, 53 norms of 5 tensors, and fc's two.
    assert list(shapes)[:6] == [
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.num_batches_tracked",
    ]
    assert shapes["layer1.0.conv1.weight"] == (64, 64, 1, 1)
    assert shapes["layer1.0.downsample.0.weight"] == (256, 64, 1, 1)
    assert shapes["layer1.0.downsample.1.running_var"] == (256,)
    assert shapes["layer4.2.conv3.weight"] == (2048, 512, 1, 1)
    assert shapes["fc.weight"] == (1000, 2048)
    assert "layer1.1.downsample.0.weight" not in shapes
    with torch.device("meta"):
        keys = list(ResNet(DEPTHS["resnet18"]).state_dict())
    assert "layer2.0.downsample.0.weight" in keys
    # Without a change of shape the first stage of a basic network has no projection.
    assert "layer1.0.downsample.0.weight" not in keys


@pytest.mark.parametrize(("paper", "strides"), [(False, (1, 2)), (True, (2, 1))])
def test_where_a_bottleneck_halves_the_picture(paper: bool, strides: tuple[int, int]) -> None:
    block = Bottleneck(256, 128, 2, stride_on_1x1=paper)
    assert (block.conv1.stride[0], block.conv2.stride[0]) == strides
    assert block(torch.zeros(1, 256, 8, 4)).shape == (1, 512, 4, 2)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.parametrize(("last_stride", "sides"), [(2, (4, 2)), (1, (8, 4))])
def test_the_last_stride_keeps_the_maps_larger(
    name: str, last_stride: int, sides: tuple[int, int]
) -> None:
    with torch.device("meta"):
        network = ResNet(DEPTHS[name], 0, last_stride=last_stride)
        pictures = torch.zeros(1, 3, 128, 64)
    assert network.maps(pictures).shape == (1, network.dim, *sides)
    assert network(pictures).shape == (1, network.dim)


def test_weights_start_as_torchvisions_do() -> None:
    torch.manual_seed(0)
    network = ResNet(DEPTHS["resnet18"])
    weight = network.layer3[0].conv2.weight
    # He initialisation over the fan out: variance 2 / (256 * 3 * 3).
    assert float(weight.detach().var()) == pytest.approx(2 / (256 * 9), rel=0.02)
    assert float(network.bn1.weight.detach().mean()) == 1.0


def test_a_block_is_the_sum_of_its_branch_and_its_shortcut() -> None:
    block = Bottleneck(16, 4, 1, stride_on_1x1=False).eval()
    assert block.downsample is None
    x = torch.rand(2, 16, 5, 5)
    torch.nn.init.zeros_(block.bn3.weight)  # Silences the branch.
    assert torch.equal(block(x), x)
