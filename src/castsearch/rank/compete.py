"""Casts of one movie compete for candidates, and boxes of one still for casts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def assign_stills(
    scores: NDArray[np.floating[Any]], stills: ArrayLike, *, others: float
) -> NDArray[np.intp]:
    """Cast of each box such that no cast is given twice in one still; -1 is none of them.

    In each still the sum of scores is the largest possible; a box that is given no cast counts
    ``others``, so a cast whose score lies below that is never given.

    Args:
        scores: Shape (n_cast, n_candidates), higher is better, ``-inf`` for impossible.
        stills: The still of each candidate: any ids, shape (n_candidates,).
        others: The score of being none of the cast.

    Returns:
        Shape (n_candidates,), positions in the cast or -1.

    Raises:
        InputError: shapes do not fit, or a score is NaN or ``+inf``.
    """
    from scipy.optimize import linear_sum_assignment

    values = _checked(scores)
    n_cast, n_candidates = values.shape
    given = np.full(n_candidates, -1, dtype=np.intp)
    if not n_cast:
        return given
    # Never better than "others", and finite, which the assignment needs.
    gain = np.maximum(values - others, -1.0)
    for boxes in _groups(stills, n_candidates):
        if len(boxes) == 1:
            best = int(gain[:, boxes[0]].argmax())
            given[boxes] = best if gain[best, boxes[0]] > 0 else -1
            continue
        options = np.hstack([gain[:, boxes].T, np.zeros((len(boxes), len(boxes)))])
        rows, columns = linear_sum_assignment(options, maximize=True)
        real = (columns < n_cast) & (options[rows, columns] > 0)
        given[boxes[rows[real]]] = columns[real]
    return given


def lost_to_still_mates(
    scores: NDArray[np.floating[Any]], stills: ArrayLike, *, others: float
) -> NDArray[np.bool_]:
    """Where a cast was given to another box of the same still, shape (n_cast, n_candidates).

    Arguments and errors as of :func:`assign_stills`.
    """
    given = assign_stills(scores, stills, others=others)
    lost = np.zeros(np.shape(scores), dtype=bool)
    for boxes in _groups(stills, len(given)):
        for box in boxes[given[boxes] >= 0]:
            lost[given[box], boxes] = True
            lost[given[box], box] = False
    return lost


def exclusive(
    scores: NDArray[np.floating[Any]], stills: ArrayLike, *, others: float, penalty: float
) -> NDArray[np.float64]:
    """Scores less ``penalty`` where a still-mate is the cast: two boxes are two people.

    Arguments and errors as of :func:`assign_stills`; ``penalty`` is in units of the score.
    """
    lost = lost_to_still_mates(scores, stills, others=others)
    return np.where(lost, np.asarray(scores, dtype=np.float64) - penalty, scores)


def _checked(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise InputError(f"expected scores of shape (n_cast, n_candidates); got {values.shape}")
    if np.isnan(values).any() or np.isposinf(values).any():
        raise InputError("the scores hold NaN or +inf; check the embeddings")
    return values


def _groups(stills: ArrayLike, n_candidates: int) -> list[NDArray[np.intp]]:
    """Positions of the boxes of each still."""
    ids = np.asarray(stills)
    if ids.shape != (n_candidates,):
        raise InputError(f"{n_candidates} candidates but stills of shape {ids.shape}")
    if not n_candidates:
        return []
    _, member = np.unique(ids, return_inverse=True)
    order = np.argsort(member, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(member[order])) + 1)
