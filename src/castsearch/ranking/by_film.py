"""The default order: faces, bodies and the structure of the film as one belief per candidate."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from castsearch.ranking.affinity import Bodies, Faces, bodies
from castsearch.ranking.coarse import similarity
from castsearch.ranking.constraints import Constraints
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.film import FilmEvidence, film
from castsearch.ranking.order import UNREADABLE, Order, Ordered, OrderSettings, People
from castsearch.ranking.owner import owned_faces
from castsearch.ranking.reasons import film_reasons
from castsearch.types import FaceHit


def one_blas_thread() -> AbstractContextManager[object]:
    """Keeps BLAS to one thread, within it.

    The matrices of one movie are small: threads wait for each other longer than they work, and
    where the machine has other work too, many times as long.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def film_evidence(
    evidence: Evidence, facts: Constraints
) -> tuple[FilmEvidence, list[FaceHit | None]]:
    """The evidence as the film ranking takes it, and the face that each candidate owns."""
    owned = owned_faces(evidence.face_hits, evidence.stills, facts)
    vectors = [None if hit is None else hit.vector for hit in owned]
    dim = max((len(v) for v in vectors if v is not None), default=1)
    stacked = np.zeros((evidence.n, dim), dtype=np.float32)
    for row, vector in zip(stacked, vectors, strict=True):
        if vector is not None:
            row[:] = vector
    has_face = np.array([hit is not None for hit in owned], dtype=bool)
    area = (evidence.boxes[:, 2] - evidence.boxes[:, 0]) * (
        evidence.boxes[:, 3] - evidence.boxes[:, 1]
    )
    return (
        FilmEvidence(
            face_scores=similarity(evidence.queries, vectors, euclidean=False),
            faces=Faces(stacked, has_face),
            face_quality=np.array([0.0 if hit is None else hit.face.score for hit in owned]),
            bodies=_bodies(evidence),
            body_weight=np.where(area > 0, area, 1.0),
        ),
        owned,
    )


def _bodies(evidence: Evidence) -> Bodies:
    """The bodies of all candidates; those of unreadable pictures are zeros, like nothing."""
    if not evidence.whole:
        nothing = [np.zeros((evidence.n, 1), np.float32)]
        return bodies(nothing, nothing, evidence.has_lower)
    return bodies(
        [evidence.described(name) for name in evidence.whole],
        [evidence.described(name, lower=True) for name in evidence.whole],
        evidence.has_lower,
    )


def _rank(
    evidence: Evidence, settings: OrderSettings, facts: Constraints, people: People
) -> Ordered:
    with one_blas_thread():
        weighed, owned = film_evidence(evidence, facts)
        beliefs = film(weighed, settings.film, facts)
    reasons = film_reasons(beliefs, weighed, people.candidate_ids, people.cast_names, facts)
    scores = beliefs.probabilities
    for j in np.flatnonzero(~evidence.is_readable):
        scores[:, j] = -np.inf
        for row in reasons:
            row[j] = UNREADABLE
    return Ordered(scores, reasons, {i: hit.face for i, hit in enumerate(owned) if hit})


BY_FILM = Order(_rank, all_faces=True, gives_probabilities=True, takes_facts=True)
