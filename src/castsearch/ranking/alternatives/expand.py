"""Query expansion: faces sure to be a cast member become queries themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from castsearch.errors import InputError

FACE_HIT, OTHER_BODY, STILL_MATE, CLAIMED = range(4)
"""Groups of the order, first to last."""
STEP = 10.0
"""Between the scores of two groups: more than any two cosines differ by."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Scores, groups and queries, each of shape (n_cast, n_candidates).

    ``scores`` (float64) orders everything: the similarity less :data:`STEP` for each group.
    ``groups`` holds :data:`FACE_HIT` .. :data:`CLAIMED`. ``members`` marks M_c, the queries.
    """

    scores: NDArray[np.float64]
    groups: NDArray[np.intp]
    members: NDArray[np.bool_]


def expand(
    face: NDArray[np.floating[Any]],
    face_pairs: NDArray[np.floating[Any]],
    body_pairs: NDArray[np.floating[Any]],
    stills: ArrayLike,
    *,
    threshold: float = 0.5,
    n_least: int = 5,
    taus: Sequence[float] = (0.4, 0.3, 0.25),
    n_top: int = 3,
) -> Expansion:
    """Rank by thresholds that fall while the set of queries grows.

    A method of the WIDER 2019 cast search challenge, read so: M_c are
    the candidates whose face is nearer to the portrait than ``threshold``, filled up to
    ``n_least`` with the next ones. For each tau all candidates with a face join whose mean face
    similarity to M_c, as it was before this tau, is above tau. A candidate in several M_c is a hit
    of the cast whose portrait it is most similar to and claimed for the others. The score is the
    mean of the ``n_top`` largest similarities to M_c weighted by their softmax: of faces, the
    portrait among M_c and the candidate itself not, for a hit; of bodies for all others. Order:
    face hits, other bodies, bodies in a still with a hit, candidates that are hits of another cast.

    Args:
        face: Cosine of candidates to portraits, shape (n_cast, n), ``-inf`` without a face.
        face_pairs: Cosine of candidates' faces, shape (n, n); not read without a face.
        body_pairs: Cosine of candidates' bodies, shape (n, n).
        stills: Still of each candidate: any ids, shape (n,).
        threshold: Face similarity that makes a query.
        n_least: Queries that each cast has at least, as far as there are faces.
        taus: Thresholds of the rounds of growth.
        n_top: Similarities that are averaged.

    Returns:
        An :class:`Expansion`; scores are ``-inf`` for a cast where no candidate has a face.

    Raises:
        InputError: shapes do not fit, a value is NaN, or ``n_least`` or ``n_top`` is below 1.
    """
    ids = _check(face, face_pairs, body_pairs, stills, n_least, n_top)
    has_face = _has_face(face)
    members = np.zeros(face.shape, dtype=bool)
    for row, values in enumerate(face):
        members[row] = _grow(values, face_pairs, has_face, threshold, n_least, taus)
    owner = np.where(members, face, -np.inf).argmax(axis=0) if len(face) else np.zeros(0)
    claimed = members.any(axis=0)
    scores = np.full(face.shape, -np.inf)
    groups = np.full(face.shape, OTHER_BODY, dtype=np.intp)
    for row in range(len(face)):
        hits = claimed & (owner == row)
        groups[row, np.isin(ids, np.unique(ids[hits]))] = STILL_MATE
        groups[row, claimed] = CLAIMED
        groups[row, hits] = FACE_HIT
        queries = np.flatnonzero(members[row])
        if len(queries):
            similarity = np.where(
                hits,
                _face_scores(face[row], face_pairs, queries, np.flatnonzero(hits), n_top),
                _softmax_mean(body_pairs[:, queries], n_top),
            )
            scores[row] = similarity - STEP * groups[row]
    return Expansion(scores, groups, members)


def _grow(
    face: NDArray[np.floating[Any]],
    face_pairs: NDArray[np.floating[Any]],
    has_face: NDArray[np.bool_],
    threshold: float,
    n_least: int,
    taus: Sequence[float],
) -> NDArray[np.bool_]:
    members = face > threshold
    if members.sum() < n_least:
        nearest = np.argsort(-face, kind="stable")[:n_least]
        members[nearest[~np.isneginf(face[nearest])]] = True
    for tau in taus:
        if members.any():
            mean = face_pairs[np.ix_(has_face, members)].mean(axis=1)
            members[np.flatnonzero(has_face)[mean > tau]] = True
    return members


def _face_scores(
    face: NDArray[np.floating[Any]],
    face_pairs: NDArray[np.floating[Any]],
    queries: NDArray[np.intp],
    hits: NDArray[np.intp],
    n_top: int,
) -> NDArray[np.float64]:
    """Score of the hits by faces, shape (n,); 0 for all that are no hit."""
    similarity = face_pairs[np.ix_(hits, queries)].astype(np.float64)
    similarity[hits[:, None] == queries[None]] = -np.inf
    scores = np.zeros(len(face))
    scores[hits] = _softmax_mean(np.hstack([face[hits, None], similarity]), n_top)
    return scores


def _softmax_mean(similarity: NDArray[np.floating[Any]], n_top: int) -> NDArray[np.float64]:
    """Mean of the largest values of each row weighted by their softmax; ``-inf`` has no weight."""
    n = similarity.shape[1]
    top = np.sort(similarity, axis=1)[:, max(n - n_top, 0) :].astype(np.float64)
    weights = np.exp(top)
    total = (weights * np.where(weights > 0, top, 0)).sum(axis=1)
    mean: NDArray[np.float64] = total / weights.sum(axis=1)
    return mean


def _has_face(face: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    has_face: NDArray[np.bool_] = np.asarray((face > -np.inf).any(axis=0))
    return has_face


def _check(
    face: NDArray[np.floating[Any]],
    face_pairs: NDArray[np.floating[Any]],
    body_pairs: NDArray[np.floating[Any]],
    stills: ArrayLike,
    n_least: int,
    n_top: int,
) -> NDArray[Any]:
    n = face.shape[-1]
    ids = np.asarray(stills)
    shapes = face_pairs.shape, body_pairs.shape, ids.shape
    if face.ndim != 2 or shapes != ((n, n), (n, n), (n,)):
        raise InputError(f"face affinities of shape {face.shape} do not fit shapes {shapes}")
    if n_least < 1 or n_top < 1:
        raise InputError("query expansion needs one query and one similarity at least")
    has_face = _has_face(face)
    if (
        np.isnan(face).any()
        or np.isnan(body_pairs).any()
        or np.isnan(face_pairs[np.ix_(has_face, has_face)]).any()
    ):
        raise InputError("the similarities hold NaN; check the embeddings")
    return ids
