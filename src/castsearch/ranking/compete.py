"""Casts of one movie compete for candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError


def competition(scores: NDArray[np.floating[Any]], *, alpha: float = 1.0) -> NDArray[np.float64]:
    """Scores after the casts competed: f_ic = S_ic - alpha max(0, max_{k != c} S_ik - S_ic).

    A candidate that another cast claims more strongly drops by ``alpha`` times the difference; the
    strongest claim stays as it is. ``-inf`` stays ``-inf`` and claims nothing.

    Args:
        scores: Shape (n_cast, n_candidates), higher is better.
        alpha: Weight of the others' claim, 0 or more.

    Returns:
        Shape (n_cast, n_candidates), float64.

    Raises:
        InputError: a score is NaN or ``+inf``, or ``alpha`` is negative.
    """
    values = _checked(scores)
    if not alpha >= 0:
        raise InputError(f"alpha must be 0 or more; got {alpha}")
    if len(values) < 2 or alpha == 0:
        return values.copy()
    best = values.argmax(axis=0)
    highest, second = np.sort(values, axis=0)[:-3:-1]
    is_best = best[None] == np.arange(len(values))[:, None]
    # What is -inf is looked after last: -inf - -inf would be NaN.
    rivals = np.where(is_best, second, highest)
    known = np.isfinite(values)
    lead = np.zeros_like(values)
    np.subtract(rivals, values, out=lead, where=known)
    return np.where(known, values - alpha * np.maximum(lead, 0), -np.inf)


def _checked(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise InputError(f"expected scores of shape (n_cast, n_candidates); got {values.shape}")
    if np.isnan(values).any() or np.isposinf(values).any():
        raise InputError("the scores hold NaN or +inf; check the embeddings")
    return values
