"""What the weights of a run depend on, told without torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from castsearch.training.budget import Budget
from castsearch.training.options import Options
from castsearch.training.recipes import RECIPES


def test_what_decides_is_flat_and_plain() -> None:
    values = Options(seed=3, budget=Budget(minutes=2.0), recipe=RECIPES["finetune"]).decisive()
    assert values["seed"] == 3
    assert values["minutes"] == 2.0
    # A budget in minutes has no steps, whatever the recipe would have had.
    assert values["steps"] is None
    assert values["lr"] == 3.5e-4
    # As a checkpoint gives it back: no tuples.
    assert values["size"] == [128, 64]
    assert values["betas"] == [0.9, 0.999]
    assert not {"recipe", "budget"} & values.keys()


@pytest.mark.parametrize(
    ("changed", "decides"),
    [
        ({"seed": 1}, True),
        ({"accumulate": 2}, True),
        ({"n_validations": 3}, True),
        ({"recipe": replace(RECIPES["triplet"], erase=0.5)}, True),
        ({"budget": Budget(steps=7)}, True),
        ({"checkpoint_seconds": 1.0}, False),
    ],
)
def test_a_run_with_other_options_is_another_run(changed: dict, decides: bool) -> None:
    assert (Options(**changed).decisive() != Options().decisive()) is decides


def test_options_are_read_without_torch() -> None:
    code = "import castsearch.cli, castsearch.training.train, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_file_of_weights_stays_a_path() -> None:
    assert Options(weights=Path("w.pth")).decisive()["weights"] == Path("w.pth")
