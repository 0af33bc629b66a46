"""The order of the reference's hybrid rows: clusters of bodies that faces name."""

from __future__ import annotations

import numpy as np

from castsearch.ranking.cluster import hybrid
from castsearch.ranking.coarse import similarity
from castsearch.ranking.constraints import Constraints
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.order import UNREADABLE, Order, Ordered, OrderSettings, People


def _rank(
    evidence: Evidence, settings: OrderSettings, facts: Constraints, people: People
) -> Ordered:
    """Pictures that could not be read are last."""
    scores = np.full((evidence.n_cast, evidence.n), -np.inf)
    reasons = [[UNREADABLE] * evidence.n for _ in range(evidence.n_cast)]
    described = np.flatnonzero(evidence.has_body)
    if not len(described):
        return Ordered(scores, reasons, evidence.faces)
    vectors = evidence.vectors
    hybrid_order = hybrid(
        similarity(evidence.queries, [vectors[i] for i in described], euclidean=True),
        # Several descriptors stand for one body with equal weight.
        np.concatenate(list(evidence.whole.values()), axis=1),
        face_threshold=settings.prelabel_distance,
        cluster_threshold=settings.cluster_distance,
    )
    scores[:, described] = hybrid_order.scores
    for row, words in zip(reasons, hybrid_order.reasons, strict=True):
        for i, text in zip(described, words, strict=True):
            row[i] = text
    return Ordered(scores, reasons, evidence.faces)


BY_CLUSTERS = Order(_rank, needs_body=True)
