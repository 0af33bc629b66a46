"""How a run uses its machine: rates of the parts, exact repetition, being asked to stop."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest
import torch

from castsearch.errors import InputError
from castsearch.training.networks import build, network_options
from castsearch.training.options import Options
from castsearch.training.process import (
    deterministic,
    parameter_groups,
    start_accelerator,
    until_asked_to_stop,
)
from castsearch.training.recipes import RECIPES


def test_the_head_has_its_own_rate_and_what_is_frozen_has_none() -> None:
    recipe = replace(RECIPES["strong"], lr=0.01, head_lr=10.0)
    network = build(network_options(recipe, "resnet18"), 3)
    network.backbone.conv1.requires_grad_(False)
    backbone, head = parameter_groups(network, recipe)
    assert [(group["lr"], group["scale"]) for group in (backbone, head)] == [(0.01, 1), (0.01, 10)]
    # The neck's shift does not move, and its classifier has none.
    assert [p.shape for p in head["params"]] == [(512,), (3, 512)]
    assert len(backbone["params"]) == len(list(network.backbone.parameters())) - 1
    assert not any(p is network.backbone.conv1.weight for p in backbone["params"])


def test_a_network_without_a_head_is_one_group() -> None:
    network = build(network_options(RECIPES["triplet"], "resnet18"))
    (group,) = parameter_groups(network, RECIPES["triplet"])
    assert len(group["params"]) == len(list(network.parameters()))


def test_on_a_cpu_what_cannot_be_repeated_is_refused_meanwhile() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with deterministic(torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled()
        # 1e-40 is subnormal in float32, where a processor is slow: it counts as 0.
        assert (torch.full((8,), 1e-30) * 1e-10).sum().item() == 0.0
    assert torch.are_deterministic_algorithms_enabled() is before
    assert (torch.full((8,), 1e-30) * 1e-10).sum().item() > 0.0


def test_a_failure_inside_puts_everything_back() -> None:
    fill = torch.utils.deterministic.fill_uninitialized_memory
    with pytest.raises(KeyError), deterministic(torch.device("cpu")):
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory is fill


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_becomes_a_question(number: signal.Signals) -> None:
    handler = signal.getsignal(number)
    with until_asked_to_stop() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked()
        # A second one changes nothing: the step is still finished.
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is handler


def test_in_another_thread_nothing_is_asked() -> None:
    handler = signal.getsignal(signal.SIGINT)
    answers = []

    def ask() -> None:
        with until_asked_to_stop() as asked:
            answers.append(asked())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]
    assert signal.getsignal(signal.SIGINT) is handler


def test_no_batch_makes_no_step() -> None:
    with pytest.raises(InputError, match="--accumulate must be 1 or more"):
        start_accelerator(Options(accumulate=0))
