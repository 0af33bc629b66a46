"""The coarse order: candidates by the similarity of their face to the portrait's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.types import Candidate, CastMember, FloatArray, Ranking, order_by_score

UNCLAIMED = 10.0
"""Taken off the score of a candidate that another cast member claims: more than any two
similarities, or distances of unit vectors, differ by, so that all claimed ones come first."""


def similarity(
    queries: Sequence[Sequence[FloatArray]],
    candidates: Sequence[FloatArray | None],
    *,
    euclidean: bool,
) -> NDArray[np.float64]:
    """Scores of candidates for queries, shape (n_queries, n_candidates), higher is better.

    ``queries`` holds the vectors of each query's portraits; the nearest portrait counts. The
    score is the cosine of unit vectors, or minus the Euclidean distance; ``-inf`` where the
    query or the candidate has no vector.
    """
    scores = np.full((len(queries), len(candidates)), -np.inf)
    seen = [i for i, vector in enumerate(candidates) if vector is not None]
    if not seen:
        return scores
    gallery = np.stack([v for v in candidates if v is not None]).astype(np.float64)
    for row, portraits in enumerate(queries):
        if len(portraits) == 0:
            continue
        probe = np.stack(list(portraits)).astype(np.float64)
        if euclidean:
            difference = probe[:, None] - gallery[None]
            values = -np.sqrt((difference**2).sum(axis=2))
        else:
            values = probe @ gallery.T
        scores[row, seen] = values.max(axis=0)
    return scores


def inverse_relation(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores after each candidate named its nearest cast; shape and order as given.

    Candidates that name another cast lose :data:`UNCLAIMED`: each list starts with those that
    named its cast, then all others, both by similarity. Equal similarities name the first cast.
    """
    if not len(scores):
        return scores
    claimed = scores.argmax(axis=0)[None] == np.arange(len(scores))[:, None]
    return np.where(claimed, scores, scores - UNCLAIMED)


def rankings(
    cast: Sequence[CastMember],
    candidates: Sequence[Candidate],
    scores: NDArray[np.float64],
    reasons: Sequence[Sequence[str]],
) -> tuple[Ranking, ...]:
    """One ranking per cast member with every candidate once: best first, ties by id.

    ``scores`` has shape (n_cast, n_candidates); ``reasons`` likewise, in words.
    """
    ids = [candidate.id for candidate in candidates]
    result = []
    for member, row, words in zip(cast, scores, reasons, strict=True):
        order, n_ties = order_by_score(ids, row.tolist())
        result.append(
            Ranking(
                member.id,
                tuple(ids[i] for i in order),
                tuple(float(row[i]) for i in order),
                tuple(words[i] for i in order),
                n_ties,
            )
        )
    return tuple(result)
