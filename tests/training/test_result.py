"""The few lines that a run ends with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from castsearch.training.result import TrainResult

RESULT = TrainResult(
    out=Path("run"),
    steps=40,
    seconds=90.0,
    first_mAP=0.25,
    best_mAP=0.5,
    best_step=30,
    last_mAP=0.4375,
    last_rank1=0.5,
    collapsed=False,
    skipped=(),
)


def test_scores_and_time_by_hand() -> None:
    assert str(RESULT).splitlines() == [
        "trained 40 steps in 1.5 minutes: run",
        "validation mAP 0.2500 before, 0.4375 at the end, best 0.5000 after step 30",
    ]


def test_a_run_that_made_nothing_better_says_so() -> None:
    lines = str(replace(RESULT, best_mAP=0.25)).splitlines()
    assert lines[-1] == "No validation was better than that before training."


def test_without_validation_there_is_only_the_time() -> None:
    result = replace(RESULT, first_mAP=None, best_mAP=None, best_step=None, last_mAP=None)
    assert str(result) == "trained 40 steps in 1.5 minutes: run"
