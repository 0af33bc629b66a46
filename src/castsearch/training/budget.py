"""How long a run is, in steps or in time, and what share of it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass

from castsearch.errors import InputError


@dataclass(frozen=True, slots=True)
class Budget:
    """At most one of these; with none the recipe says how many steps there are.

    An epoch is as many steps as it takes to draw as many pictures as there are.
    """

    steps: int | None = None
    """How many steps to train."""
    epochs: float | None = None
    """How many times as many pictures as there are."""
    minutes: float | None = None
    """How long to train; the schedule goes by the time."""

    def __post_init__(self) -> None:
        """Refuse two limits at once, and limits that are not above zero.

        Raises:
            InputError: so.
        """
        given = [v for v in (self.steps, self.epochs, self.minutes) if v is not None]
        if len(given) > 1:
            raise InputError("Give one of --steps, --epochs and --minutes.")
        if any(value <= 0 for value in given):
            raise InputError("--steps, --epochs and --minutes must be above 0.")


class Clock:
    """The share of a run that is done.

    Args:
        budget: How long the run is.
        recipe_steps: How long it is where the budget does not say.
        steps_an_epoch: Of this data.
        elapsed: Seconds that earlier parts of the run took.
    """

    def __init__(
        self, budget: Budget, recipe_steps: int, steps_an_epoch: int, elapsed: float = 0.0
    ) -> None:
        self._seconds = None if budget.minutes is None else 60.0 * budget.minutes
        steps = budget.steps or recipe_steps
        if budget.epochs is not None:
            steps = max(1, round(budget.epochs * steps_an_epoch))
        self.n_steps = None if self._seconds is not None else steps
        self._before = elapsed
        self._start = time.monotonic()
        self._start_step: int | None = None
        self.reserved = 0.0
        """Seconds at the end that are kept for the last validation."""

    @property
    def elapsed(self) -> float:
        """Seconds of the run, earlier parts included."""
        return self._before + time.monotonic() - self._start

    def done(self, step: int) -> float:
        """The share that is done after ``step``, 0 to 1."""
        if self.n_steps is not None:
            return min(1.0, step / self.n_steps)
        assert self._seconds is not None
        return min(1.0, self.elapsed / max(self._seconds - self.reserved, 1.0))

    def seconds_left(self, step: int, done: float) -> float:
        """How long the rest will take, from how long this part took."""
        if self._seconds is not None:
            return max(0.0, self._seconds - self.elapsed)
        if self._start_step is None:
            self._start_step = step - 1
        taken = (time.monotonic() - self._start) / max(step - self._start_step, 1)
        return taken * ((self.n_steps or step) - step)
