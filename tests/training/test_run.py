"""The loop from inside: one step after another, with what each changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from castsearch.errors import CastsearchError, InputError
from castsearch.training.budget import Budget
from castsearch.training.dataset import load_dataset
from castsearch.training.log import Reporter, read_log
from castsearch.training.options import Options
from castsearch.training.process import start_accelerator
from castsearch.training.recipes import recipe_of
from castsearch.training.run import Run

OPTIONS = Options(
    arch="resnet18",
    recipe=recipe_of("triplet", size=(32, 32), p=4, k=2, lr=1e-3, decay_from=0.5, final_lr=0.01),
    budget=Budget(steps=4),
    n_validations=1,
)
Start = Callable[[Path, Options], Run]


@pytest.fixture
def start(people: Path, tmp_path: Path) -> Iterator[Start]:
    """Begins a run in a folder; logs are closed at the end."""
    runs: list[Run] = []

    def start(out: Path, options: Options = OPTIONS) -> Run:
        out.mkdir(exist_ok=True)
        reporter = Reporter("quiet")
        data = load_dataset(people, options, tmp_path / "cache", reporter, "quiet")
        runs.append(Run(options, data, out, start_accelerator(options), reporter))
        return runs[-1]

    yield start
    for run in runs:
        assert run.log is not None
        run.log.close()


def test_a_step_moves_the_weights_at_the_rate_of_the_share_that_is_done(
    start: Start, tmp_path: Path
) -> None:
    run = start(tmp_path / "run", OPTIONS)
    before = run.network.backbone.conv1.weight.detach().clone()
    row = run.train_step(0.0)
    assert (row["step"], row["lr"]) == (1, 1e-3)
    # Adam's first step is the rate long, whatever the gradient.
    change = (run.network.backbone.conv1.weight.detach() - before).abs().max().item()
    assert change == pytest.approx(1e-3, rel=1e-3)
    # Three quarters through: half of the way of the exponent from 1 to a hundredth.
    assert run.train_step(0.75)["lr"] == pytest.approx(1e-3 * 0.1)
    assert run.step == 2


def test_several_batches_may_make_one_step(start: Start, tmp_path: Path) -> None:
    run = start(tmp_path / "run", replace(OPTIONS, accumulate=3))
    n_drawn = []
    draw = run.batches.draw
    run.batches.draw = lambda: n_drawn.append(1) or draw()  # type: ignore[method-assign]
    row = run.train_step(0.0)
    assert len(n_drawn) == 3
    assert row["step"] == run.step == 1
    assert all(group["lr"] == 1e-3 for group in run.optimizer.param_groups)


def test_the_first_validation_comes_before_training_and_is_not_the_best(
    start: Start, tmp_path: Path
) -> None:
    result = start(tmp_path / "run", OPTIONS).to_the_end()
    rows = read_log(tmp_path / "run" / "log.jsonl")
    scores = {row["step"]: row["val_mAP"] for row in rows if "val_mAP" in row}
    assert scores.keys() == {0, 4}
    assert (result.first_mAP, result.last_mAP) == (scores[0], scores[4])
    assert (result.best_mAP, result.best_step) == (scores[4], 4)
    assert result.steps == 4


def test_a_run_goes_on_where_it_stood(start: Start, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    expected = start(whole, OPTIONS)
    expected.to_the_end()
    first = start(broken, OPTIONS)
    with asked_after(first, 2), pytest.raises(KeyboardInterrupt):
        first.to_the_end()
    second = start(broken, OPTIONS)
    assert second.step == 2
    second.to_the_end()
    # Threads of a machine add up in another order; bit for bit it is under deterministic().
    for name, tensor in expected.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], tensor, msg=name)


@contextmanager
def asked_after(run: Run, step: int) -> Iterator[None]:
    """Ask the run to stop after a step, as Ctrl-C does."""
    agreed = run._agreed
    run._agreed = lambda asked: agreed(asked or run.step >= step)  # type: ignore[method-assign]
    yield


def test_weights_that_are_no_numbers_are_not_saved(start: Start, tmp_path: Path) -> None:
    run = start(tmp_path / "run", replace(OPTIONS, validation="none"))
    train_step = run.train_step

    def spoilt(done: float) -> dict:
        row = train_step(done)
        with torch.no_grad():
            run.network.backbone.conv1.weight[0, 0, 0, 0] = torch.nan
        return row

    run.train_step = spoilt  # type: ignore[method-assign]
    with pytest.raises(CastsearchError, match="the checkpoint of step 0 is kept"):
        run.to_the_end()
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert state["step"] == 0
    assert all(tensor.isfinite().all() for tensor in state["network"].values())


def test_a_batch_that_processes_cannot_share_is_refused(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castsearch.training.run.n_processes", lambda: 3)
    with pytest.raises(InputError, match="A batch of 4 x 2 cannot be shared by 3 processes"):
        start(tmp_path / "run", OPTIONS)
