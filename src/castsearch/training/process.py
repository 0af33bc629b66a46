"""How a run uses its machine: devices, exact repetition, and being asked to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator

from castsearch.errors import InputError
from castsearch.training.networks import ReidNetwork
from castsearch.training.options import Options
from castsearch.training.recipes import Recipe


def start_accelerator(options: Options) -> Accelerator:
    """Devices, processes and precision, as the launcher and ``options`` have them.

    Raises:
        InputError: the precision or the accumulation is not possible here.
    """
    if options.accumulate < 1:
        raise InputError("--accumulate must be 1 or more.")
    try:
        return Accelerator(
            mixed_precision=options.precision,
            gradient_accumulation_steps=options.accumulate,
        )
    except (ValueError, RuntimeError) as error:
        raise InputError(f"--precision {options.precision}: {error}") from error


def parameter_groups(network: ReidNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters with the scale of their learning rate: the backbone, and what is new."""
    backbone = {id(parameter) for parameter in network.backbone.parameters()}
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    parts = (
        ([p for p in trained if id(p) in backbone], 1.0),
        ([p for p in trained if id(p) not in backbone], recipe.head_lr),
    )
    return [{"params": part, "lr": recipe.lr, "scale": scale} for part, scale in parts if part]


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """On a CPU, the same result bit for bit at every run; elsewhere the fastest way."""
    if device.type != "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # Nothing here reads memory that it has not written, and filling it takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Squares of small gradients in Adam are subnormal, and CPUs are many times slower on those.
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.use_deterministic_algorithms(before)
        torch.utils.deterministic.fill_uninitialized_memory = fill


@contextmanager
def until_asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Make Ctrl-C and SIGTERM a question that the loop answers after a whole step."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
