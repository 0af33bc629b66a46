"""What a run is asked for: read without torch, so that the command line can show every option."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from castsearch.training.budget import Budget
from castsearch.training.recipes import RECIPES, Recipe

Validation = Literal["auto", "held-out", "none"]
Precision = Literal["no", "fp16", "bf16"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How one run is done, whatever is learnt in it.

    Each field is an option of ``castsearch train``, and the sentence below it that option's help.
    """

    arch: str = "resnet50"
    """Network; `castsearch models --architectures` lists them."""
    weights: Path | None = None
    """What the backbone starts from: a weight file, or a name of `castsearch models` such as
    `resnet50-imagenet`, which is downloaded."""
    seed: int = 0
    """Of everything drawn."""
    validation: Validation = "auto"
    """`auto` takes the data's own, else holds people out; or `held-out`, `none`."""
    n_validations: int = 20
    """How many, spread over the run; one more comes before it."""
    test_flip: bool = False
    """Average in mirror images when validating."""
    precision: Precision = "no"
    """Mixed precision."""
    accumulate: int = 1
    """Batches that make one step."""
    checkpoint_seconds: float = 60.0
    """How often a checkpoint is written; one is at every validation and at the end."""


@dataclass(frozen=True, slots=True)
class Options(Setup):
    """All of a run: how it is done, how the network learns, and for how long."""

    recipe: Recipe = RECIPES["triplet"]
    budget: Budget = field(default_factory=Budget)

    def decisive(self) -> dict[str, Any]:
        """All that the weights of a run depend on, by the name of the option, as plain values.

        What a recipe and a budget hold stands beside the rest; how often a checkpoint is written
        changes nothing.
        """
        values = asdict(self)
        del values["checkpoint_seconds"]
        values |= values.pop("recipe") | values.pop("budget")
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
