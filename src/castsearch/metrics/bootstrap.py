"""How sure a mean over queries is: percentile intervals of the bootstrap (Efron 1979)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

N_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its interval."""

    mean: float
    low: float
    high: float


def resampled_means(
    values: NDArray[np.float64],
    units: Sequence[str],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Means of the rows of ``values`` over queries that are drawn with replacement.

    What is drawn are the ``units``: queries of one name, such as those of one person in two forms
    of the same movie, say the same thing twice and are drawn together. All rows see the same
    draws, so the difference of two rows of the result is that of paired means.

    Args:
        values: One row per ranking, shape (n_rows, n_queries); no NaN.
        units: Name of each query, n_queries of them.
        n_resamples: How many draws.
        seed: Of the draws: the same seed, the same draws.

    Returns:
        Means, shape (n_rows, n_resamples).

    Raises:
        InputError: there are no queries, or shapes do not fit.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(units) or not len(units):
        raise InputError(f"values of shape {values.shape} do not fit {len(units)} queries")
    counts = draws(len(set(units)), n_resamples=n_resamples, seed=seed)
    _, unit_of = np.unique(np.asarray(units, dtype=np.str_), return_inverse=True)
    weights = counts[:, unit_of]
    means: NDArray[np.float64] = values @ weights.T / weights.sum(axis=1)
    return means


def draws(n_units: int, *, n_resamples: int, seed: int) -> NDArray[np.int64]:
    """How often each unit is drawn, shape (n_resamples, n_units): ``n_units`` draws in each row."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_resamples)


def interval(
    values: NDArray[np.float64], means: NDArray[np.float64], *, level: float = 0.95
) -> Interval:
    """The mean of ``values`` and the middle ``level`` of its resampled ``means``."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.mean(values)), float(low), float(high))
