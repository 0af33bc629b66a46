"""The order by the likeness of faces alone: the reference's first four rows, and ``face``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.coarse import inverse_relation, similarity
from castsearch.ranking.constraints import Constraints
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.order import UNREADABLE, Order, Ordered, OrderSettings, People
from castsearch.types import FloatArray


def _rank(
    evidence: Evidence, settings: OrderSettings, facts: Constraints, people: People
) -> Ordered:
    vectors, queries = evidence.vectors, evidence.queries
    scores = similarity(queries, vectors, euclidean=evidence.is_euclidean)
    is_inverse = settings.relation == "inverse"
    nearest = scores.argmax(axis=0) if is_inverse and len(scores) else None
    reasons = [
        [
            _reason(evidence, vectors, i, query, _other(people, nearest, i, member))
            for i in range(evidence.n)
        ]
        for member, query in enumerate(queries)
    ]
    return Ordered(inverse_relation(scores) if is_inverse else scores, reasons, evidence.faces)


def _other(people: People, nearest: NDArray[np.intp] | None, i: int, member: int) -> str:
    """The cast member that a candidate is nearer to than to this one, or ''."""
    if nearest is None or nearest[i] == member:
        return ""
    return people.cast_names[int(nearest[i])]


def _reason(
    evidence: Evidence,
    vectors: Sequence[FloatArray | None],
    i: int,
    query: Sequence[object],
    nearer: str,
) -> str:
    """What decided the place of one candidate, in words."""
    if not evidence.is_readable[i]:
        return UNREADABLE
    if vectors[i] is None:
        return "no face found"
    if not query:
        return "no face in the portrait"
    return f"face, nearer to {nearer}" if nearer else "face"


BY_FACES = Order(_rank)
