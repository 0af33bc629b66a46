"""What a run is asked for, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from castsearch.training.budget import Budget
from castsearch.training.data import Validation
from castsearch.training.recipes import RECIPES, Precision, Recipe


@dataclass(frozen=True, slots=True)
class Options:
    """How one run is done; the recipe says how the network learns.

    ``weights`` starts the backbone from a file; ``accumulate`` PK batches make one step;
    ``n_validations`` are spread evenly over the run; a checkpoint is written every
    ``checkpoint_seconds``, at every validation and at the end.
    """

    arch: str = "resnet50"
    recipe: Recipe = RECIPES["triplet"]
    budget: Budget = field(default_factory=Budget)
    weights: Path | None = None
    seed: int = 0
    validation: Validation = "auto"
    n_validations: int = 20
    test_flip: bool = False
    precision: Precision = "no"
    accumulate: int = 1
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run ends with; the mAPs are ``None`` where nothing was validated."""

    out: Path
    steps: int
    seconds: float
    first_mAP: float | None
    best_mAP: float | None
    best_step: int | None
    last_mAP: float | None
    last_rank1: float | None
    collapsed: bool
    skipped: tuple[str, ...]
    is_main: bool = True
    """Whether this is the process that writes and speaks."""

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [f"trained {self.steps} steps in {self.seconds / 60:.1f} minutes: {self.out}"]
        if self.first_mAP is not None and self.best_mAP is not None:
            lines.append(
                f"validation mAP {self.first_mAP:.4f} before, {self.last_mAP:.4f} at the end, best "
                f"{self.best_mAP:.4f} after step {self.best_step}"
            )
            if self.best_mAP <= self.first_mAP:
                lines.append("No validation was better than that before training.")
        return "\n".join(lines)
