"""Clusters of body embeddings, named by the votes of members that their face has labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from castsearch.errors import InputError

DLIB_THRESHOLD = 0.6
"""Euclidean distance of dlib face vectors below which two faces are one person's (strict: 0.55)."""
UNNAMED = -1
"""Cast position of a candidate without label, and of a cluster without a winner."""
STEP = 10.0
"""Between members of a cast's clusters and the rest: more than two distances differ by."""
_BLOCK = 256
"""Rows of cosines computed at once: at 10,000 candidates 20 MB."""


@dataclass(frozen=True, slots=True)
class Hybrid:
    """What :func:`hybrid` found.

    ``scores`` has shape (n_cast, n_candidates), float64; ``reasons`` says the same in words.
    ``clusters``, ``labels`` (cast by face) and ``named`` (cast of the cluster) have shape
    (n_candidates,); -1 is none.
    """

    scores: NDArray[np.float64]
    reasons: tuple[tuple[str, ...], ...]
    clusters: NDArray[np.intp]
    labels: NDArray[np.intp]
    named: NDArray[np.intp]


def clusters(
    vectors: NDArray[np.floating[Any]],
    *,
    threshold: float = 0.4,
    stills: ArrayLike | None = None,
) -> NDArray[np.intp]:
    """Cluster of each candidate of a movie, numbered from 0 in the order of first members.

    Clusters are agglomerative, by average linkage.

    Args:
        vectors: Embeddings, shape (n_candidates, dim); their length does not matter.
        threshold: Largest mean cosine distance of two clusters that are joined.
        stills: The still of each candidate; boxes of one still are two people, and no
            cluster holds both.

    Returns:
        Cluster numbers, shape (n_candidates,).

    Raises:
        InputError: vectors hold NaN, a length is 0, or shapes or options do not fit.
    """
    unit = _unit(vectors)
    ids = None if stills is None else np.unique(np.asarray(stills), return_inverse=True)[1]
    if ids is not None and len(ids) != len(unit):
        raise InputError("stills need one id per candidate")
    if len(unit) < 2:
        return np.zeros(len(unit), dtype=np.intp)
    return _numbered(_average(unit, threshold, ids))


def vote(
    cluster_of: NDArray[np.integer[Any]],
    labels: NDArray[np.integer[Any]],
    n_cast: int,
    weights: NDArray[np.floating[Any]] | None = None,
) -> NDArray[np.intp]:
    """Cast of each cluster: the one with the largest sum of its labelled members' weights.

    A cluster without labelled members stays :data:`UNNAMED`. Members that contradict one another
    are outvoted; where two casts have the same sum, nothing tells them apart, and the cluster stays
    unnamed too.

    Args:
        cluster_of: Cluster of each candidate, from 0, shape (n_candidates,).
        labels: Cast of each candidate by its face, or -1, shape (n_candidates,).
        n_cast: Number of cast members.
        weights: Weight of each candidate's vote, above 0; by default 1.

    Returns:
        Positions in the cast or -1, shape (n_clusters,).

    Raises:
        InputError: shapes do not fit, or a voting weight is not above 0.
    """
    weight = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(cluster_of) == len(labels) == len(weight):
        raise InputError("clusters, labels and weights must name the same candidates")
    voters = np.flatnonzero(np.asarray(labels) >= 0)
    if not (weight[voters] > 0).all():
        raise InputError("the weight of a vote must be above 0")
    votes = np.zeros((int(np.max(cluster_of, initial=-1)) + 1, n_cast))
    np.add.at(votes, (cluster_of[voters], labels[voters]), weight[voters])
    if not votes.size:
        return np.full(len(votes), UNNAMED, dtype=np.intp)
    most = votes.max(axis=1, keepdims=True)
    # Sums of the same weights in another order differ by their last bits.
    n_winners = np.isclose(votes, most, rtol=1e-12, atol=0).sum(axis=1)
    return np.where((most[:, 0] > 0) & (n_winners == 1), votes.argmax(axis=1), UNNAMED)


def hybrid(
    face: NDArray[np.floating[Any]],
    body: NDArray[np.floating[Any]],
    *,
    face_threshold: float = DLIB_THRESHOLD,
    cluster_threshold: float = 0.4,
    stills: ArrayLike | None = None,
) -> Hybrid:
    """Coarse to fine: faces label candidates, labels name clusters of bodies, distance orders.

    The reference's ``sgbt_hybrid`` (``docs/presets.md``). The poster leaves open how sure
    a face has to be, how a cluster is formed, who wins a vote and what "fine ranking" compares.
    It is read so:

    - A candidate is pre-labelled with the cast of its nearest portrait if that distance is at most
      ``face_threshold``: dlib's own limit, 0.6.
    - Clusters are those of :func:`clusters`, over all candidates of the movie, with a face or not.
    - A vote counts 1, and up to 1 more the nearer the face is (2 - distance / threshold); the
      largest sum names the cluster. No votes, or two equal sums: no name, its members are "rest".
    - The list of a cast starts with all members of its clusters, also one whose own face was
      outvoted; all other candidates follow. Inside both parts the fine distance decides: of the
      face to the portrait where there is a face, else the mean Euclidean distance of the unit body
      vector to those of all candidates pre-labelled with the cast. Both lie between 0 and 2.
    - A body has nothing to go by where no face was labelled with the cast: ``-inf``, at the end.

    Args:
        face: Minus the face distance, shape (n_cast, n_candidates), ``-inf`` without a face.
        body: Body embeddings, shape (n_candidates, dim).
        face_threshold: Largest distance at which a face labels its candidate.
        cluster_threshold: The ``threshold`` of :func:`clusters`.
        stills: As of :func:`clusters`.

    Returns:
        A :class:`Hybrid`; its scores are minus the fine distance, less :data:`STEP` for the rest.

    Raises:
        InputError: shapes do not fit, a value is NaN, or the threshold is not above 0.
    """
    if face.ndim != 2 or len(body) != face.shape[1]:
        raise InputError(f"face scores of shape {face.shape} do not fit {len(body)} bodies")
    if np.isnan(face).any() or not face_threshold > 0:
        raise InputError("face scores must not be NaN, and the face threshold must be above 0")
    n_cast = len(face)
    cluster_of = clusters(body, threshold=cluster_threshold, stills=stills)
    nearest = face.max(axis=0, initial=-np.inf)
    is_sure = -nearest <= face_threshold
    labels = np.where(is_sure, face.argmax(axis=0) if n_cast else UNNAMED, UNNAMED)
    weights = np.where(is_sure, 2 + nearest / face_threshold, 1.0)
    named = vote(cluster_of, labels, n_cast, weights)[cluster_of]
    unit = _unit(body)
    scores = np.empty(face.shape)
    reasons = []
    for cast in range(n_cast):
        queries = unit[labels == cast]
        by_body = np.full(len(unit), -np.inf)
        if len(queries):
            by_body = -np.sqrt(np.maximum(2 - 2 * (unit @ queries.T), 0)).mean(axis=1)
        has_face = ~np.isneginf(face[cast])
        fine = np.where(has_face, face[cast], by_body)
        is_own = named == cast
        scores[cast] = np.where(is_own, fine, fine - STEP)
        members = np.bincount(cluster_of[labels == cast], minlength=cluster_of.max(initial=0) + 1)
        reasons.append(
            tuple(
                _reason(float(fine[i]), bool(has_face[i]), int(members[c]) if is_own[i] else 0)
                for i, c in enumerate(cluster_of)
            )
        )
    return Hybrid(scores, tuple(reasons), cluster_of, labels, named)


def _reason(fine: float, has_face: bool, n_votes: int) -> str:
    what = f"{'face' if has_face else 'body'} distance {-fine:.3f}"
    if np.isneginf(fine):
        what = "no face, and no body to compare with"
    if not n_votes:
        return what
    return f"{what}, in a cluster that {n_votes} face{'s' if n_votes > 1 else ''} named"


def _unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    values = np.asarray(vectors, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise InputError("body embeddings must be rows of finite numbers; check the embeddings")
    length = np.linalg.norm(values, axis=1, keepdims=True)
    if not (length > 0).all():
        raise InputError("a body embedding has length 0; check the embeddings")
    unit: NDArray[np.float64] = values / length
    return unit


def _average(
    unit: NDArray[np.float64], threshold: float, stills: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    """Average linkage by SciPy over the upper triangle, filled in blocks to spare the square."""
    from scipy.cluster.hierarchy import fcluster, linkage

    n = len(unit)
    pairs = np.empty(n * (n - 1) // 2)
    end = 0
    for first in range(0, n, _BLOCK):
        cosines = unit[first : first + _BLOCK] @ unit[first:].T
        for inner, values in enumerate(cosines):
            row = first + inner
            start, end = end, end + n - 1 - row
            np.subtract(1, values[inner + 1 :], out=pairs[start:end])
            if stills is not None:
                # One such pair lifts the mean over at most n^2 / 4 pairs above every threshold.
                pairs[start:end][stills[row + 1 :] == stills[row]] = float(n) ** 2
    np.maximum(pairs, 0, out=pairs)
    joined: NDArray[np.intp] = fcluster(linkage(pairs, "average"), threshold, "distance")
    return joined


def _numbered(found: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same clusters, numbered in the order of their first members."""
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.intp)
    place[np.argsort(first)] = np.arange(len(first))
    return place[inverse]
