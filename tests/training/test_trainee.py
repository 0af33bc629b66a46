from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from castsearch.training.networks import ReidNetwork, build, network_options
from castsearch.training.recipes import RECIPES, Recipe
from castsearch.training.trainee import RunningMean, Trainee, early_modules

LABELS = torch.tensor([0, 0, 1, 1])
CAMERAS = torch.tensor([1, 2, 1, 2])


def stepped(recipe: Recipe, arch: str) -> tuple[dict[str, torch.Tensor], ReidNetwork]:
    """The state of a new network, and the network after one step with ``recipe``."""
    torch.manual_seed(0)
    network = build(network_options(recipe, arch), 2 if recipe.identity_weight else 0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trainee = Trainee(network, recipe).train()
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=0.01)
    trainee(torch.randn(4, 3, 64, 32), LABELS, CAMERAS)["loss"].backward()
    optimizer.step()
    return before, network


@pytest.mark.parametrize("arch", ["resnet18", "efficientnet-lite0"])
def test_what_is_frozen_stays_and_the_rest_moves(arch: str) -> None:
    recipe = RECIPES["finetune"]
    before, network = stepped(recipe, arch)
    early = {
        id(t) for m in early_modules(network, 3) for t in m.state_dict(keep_vars=True).values()
    }
    moved = 0
    for name, tensor in network.state_dict(keep_vars=True).items():
        same = torch.equal(tensor, before[name])
        if id(tensor) in early or (name.startswith("backbone") and "running" in name):
            assert same, name
        elif name.startswith("backbone") and tensor.is_floating_point():
            moved += not same
    assert moved > 20
    assert not torch.equal(network.neck.running_mean, before["neck.running_mean"])


def test_without_freezing_statistics_follow() -> None:
    before, network = stepped(RECIPES["triplet"], "resnet18")
    name = "backbone.layer4.1.bn2.running_mean"
    assert not torch.equal(network.state_dict()[name], before[name])


@pytest.mark.parametrize(("arch", "n_stages"), [("resnet18", 5), ("efficientnet-lite0", 8)])
def test_stages_are_all_of_the_backbone_but_the_head(arch: str, n_stages: int) -> None:
    network = build(network_options(RECIPES["triplet"], arch))
    own = {id(p) for m in early_modules(network, n_stages) for p in m.parameters()}
    rest = [name for name, p in network.backbone.named_parameters() if id(p) not in own]
    assert all(name.startswith(("_conv_head", "_bn1")) for name in rest)


def test_the_loss_is_the_weighted_sum_of_its_parts() -> None:
    recipe = replace(
        RECIPES["strong"], triplet_weight=0.5, identity_weight=2.0, contrast_weight=3.0
    )
    torch.manual_seed(0)
    trainee = Trainee(build(network_options(recipe, "resnet18"), 2), recipe).train()
    terms = trainee(torch.randn(4, 3, 64, 32), LABELS, CAMERAS)
    parts = 0.5 * terms["triplet"] + 2.0 * terms["identity"] + 3.0 * terms["contrast"]
    torch.testing.assert_close(terms["loss"].detach(), parts)


def test_the_running_mean_by_hand() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 0.0)
    mean = RunningMean(module, decay=0.5)
    torch.nn.init.constant_(module.weight, 11.0)
    # At step 1 the decay is 1 / 11, so that 10 / 11 of the new value enter.
    mean.update(module, 1)
    assert mean.state["weight"].item() == pytest.approx(10.0)
    mean.update(module, 1000)
    assert mean.state["weight"].item() == pytest.approx(10.5)
