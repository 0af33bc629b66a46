"""Every network by name, and what can be counted of it: parameters, multiply-adds, map sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.training.efficientnet import EfficientNetLite0
from castsearch.training.networks import LITE0
from castsearch.training.resnet import DEPTHS, ResNet
from castsearch.training.vggface import VggFace

VGGFACE = "vggface"


def _resnet(name: str) -> Callable[[], nn.Module]:
    return lambda: ResNet(DEPTHS[name])


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    **{name: _resnet(name) for name in DEPTHS},
    LITE0: EfficientNetLite0,
    VGGFACE: VggFace,
}
"""How to build each network as its paper has it, with its classifier. All but VGG-Face, which
encodes faces, are backbones for re-identification."""


@dataclass(frozen=True, slots=True)
class Description:
    """What one network costs at an input of ``size`` x ``size``, one picture.

    ``output_sizes`` is the height (and width) of the maps at the end of each stage.
    """

    name: str
    n_parameters: int
    n_multiply_adds: int
    output_sizes: dict[str, int]
    size: int = 224


def describe(name: str, size: int = 224) -> Description:
    """Count the network ``name``, as its paper has it, classifier included.

    Raises:
        InputError: there is no network of that name.
    """
    if name not in ARCHITECTURES:
        raise InputError(
            f"There is no architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}."
        )
    # On the meta device tensors have shapes but no numbers: counting takes no time and no memory.
    with torch.device("meta"):
        network = ARCHITECTURES[name]().eval()
    return Description(
        name=name,
        n_parameters=sum(p.numel() for p in network.parameters()),
        n_multiply_adds=count_multiply_adds(network, size),
        output_sizes=output_sizes(network, size),
        size=size,
    )


def count_multiply_adds(network: nn.Module, size: int = 224) -> int:
    """Multiply-adds of all convolutions and linear layers for one picture, counted as it runs.

    This is what He et al. (2016) call FLOPs in table 1. Norms, activations, poolings and sums,
    below one hundredth of that, are not counted.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        # Each output number is one dot product with a filter (or a row of the matrix).
        total += output.numel() * layer.weight[0].numel()

    _run_with_hooks(
        network,
        [(m, count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)],
        size,
    )
    return total


def output_sizes(network: nn.Module, size: int = 224) -> dict[str, int]:
    """Height of the maps at the end of each stage, for a square picture."""
    heights: dict[str, int] = {}

    def note(stage: str) -> Callable[..., None]:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            heights[stage] = int(output.shape[-2])

        return hook

    _run_with_hooks(
        network, [(module, note(stage)) for stage, module in network.stages().items()], size
    )
    return heights


def _run_with_hooks(
    network: nn.Module, hooks: list[tuple[nn.Module, Callable[..., None]]], size: int
) -> None:
    """Run ``network`` on one picture with ``hooks`` on its layers, and take them off again."""
    device = next(network.parameters()).device
    handles = [module.register_forward_hook(hook) for module, hook in hooks]
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, size, size, device=device))
    finally:
        for handle in handles:
            handle.remove()
