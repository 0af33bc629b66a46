"""How much of a run is done, by hand; and budgets that cannot be."""

from __future__ import annotations

import pytest

from castsearch.errors import InputError
from castsearch.training.budget import Budget, Clock


@pytest.mark.parametrize(
    ("budget", "n_steps"),
    [(Budget(), 100), (Budget(steps=7), 7), (Budget(epochs=2.5), 30), (Budget(epochs=0.01), 1)],
)
def test_budgets_in_steps(budget: Budget, n_steps: int) -> None:
    clock = Clock(budget, recipe_steps=100, steps_an_epoch=12)
    assert clock.n_steps == n_steps
    assert clock.done(0) == 0.0
    assert clock.done(n_steps) == 1.0


def test_a_budget_in_minutes_keeps_time_for_the_last_validation() -> None:
    clock = Clock(Budget(minutes=1.0), 100, 12, elapsed=25.0)
    assert clock.done(999) == pytest.approx(25 / 60, abs=0.01)
    clock.reserved = 10.0
    assert clock.done(999) == pytest.approx(25 / 50, abs=0.01)
    assert clock.seconds_left(999, 0.5) == pytest.approx(35, abs=0.5)


@pytest.mark.parametrize("wrong", [{"steps": 1, "epochs": 1.0}, {"minutes": 0.0}, {"steps": -5}])
def test_budgets_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Budget(**wrong)


def test_what_is_left_goes_by_how_long_the_steps_took(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("castsearch.training.budget.time.monotonic", lambda: now[0])
    clock = Clock(Budget(steps=10), recipe_steps=100, steps_an_epoch=12, elapsed=60.0)
    now[0] += 4.0
    # The first step is that of a run that was gone on with: six of ten were done before it.
    assert clock.seconds_left(7, 0.7) == pytest.approx(3 * 4.0)
    now[0] += 2.0
    assert clock.seconds_left(8, 0.8) == pytest.approx(2 * 3.0)
    assert clock.elapsed == pytest.approx(66.0)
