"""What a run ends with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
