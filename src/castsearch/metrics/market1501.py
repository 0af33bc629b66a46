"""The Market-1501 protocol: every query ranks the pictures that other cameras took.

Zheng et al., "Scalable Person Re-identification: A Benchmark" (ICCV 2015). Pictures of the query's
own person by the query's own camera are taken out, junk (identity ``-1``) is taken out for every
query, and distractors (identity ``0000``) stay in, where they are wrong answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.types import FloatArray

JUNK = "-1"
"""Identity of bad detections, which no query is asked about and no list counts."""

QUERIES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class MarketScore:
    """Figures over the queries that have a right answer.

    ``mAP`` takes the plain average precision, the mean of the precision at every right answer, as
    most published code does. ``mAP_trapezoid`` is that of the protocol's own program, which
    averages the precision just before and at a right answer; it is never higher. ``rank1``,
    ``rank5`` and ``rank10`` are the shares of queries with a right answer among the first 1, 5 and
    10. ``n_skipped`` counts queries with no right answer, which enter no figure; ``n_gallery``
    counts the pictures ranked, without junk.
    """

    mAP: float
    mAP_trapezoid: float
    rank1: float
    rank5: float
    rank10: float
    n_queries: int
    n_skipped: int
    n_gallery: int


def score_market(
    query_vectors: FloatArray,
    query_ids: Sequence[str],
    query_cameras: Sequence[int | None],
    gallery_vectors: FloatArray,
    gallery_ids: Sequence[str],
    gallery_cameras: Sequence[int | None],
) -> MarketScore:
    """Score vectors, compared by Euclidean distance (which orders unit vectors as cosine does).

    Equal distances keep the order of the gallery. A camera ``None`` is like no other: nothing is
    taken out for it.

    Args:
        query_vectors: Shape (n_queries, dim), float32.
        query_ids: Identity of each query.
        query_cameras: Camera of each query.
        gallery_vectors: Shape (n_gallery, dim), float32.
        gallery_ids: Identity of each picture of the gallery.
        gallery_cameras: Camera of each picture of the gallery.

    Raises:
        InputError: a vector holds NaN or infinity, or no query has a right answer.
        ValueError: the arguments differ in length or dimension.
    """
    queries = _checked(query_vectors, query_ids, query_cameras, "query")
    gallery = _checked(gallery_vectors, gallery_ids, gallery_cameras, "gallery")
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(f"queries of {queries.shape[1]} numbers, gallery of {gallery.shape[1]}")
    kept = np.array([identity != JUNK for identity in gallery_ids], dtype=bool)
    gallery = gallery[kept]
    people, codes = np.unique([*query_ids, *gallery_ids], return_inverse=True)
    query_people, gallery_people = codes[: len(queries)], codes[len(queries) :][kept]
    query_people = np.where(people[query_people] == JUNK, -1, query_people)
    query_at = np.array([-1 if camera is None else camera for camera in query_cameras])
    gallery_at = np.array([-2 if camera is None else camera for camera in gallery_cameras])[kept]
    lengths = np.einsum("ij,ij->i", gallery, gallery)

    precisions: list[NDArray[np.float64]] = []
    trapezoids: list[NDArray[np.float64]] = []
    firsts: list[NDArray[np.intp]] = []
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        block = slice(start, start + QUERIES_AT_ONCE)
        # |q - g|^2 = |q|^2 + |g|^2 - 2 q.g, and |q|^2 changes no order.
        nearness = 2.0 * (queries[block] @ gallery.T) - lengths
        right = query_people[block, None] == gallery_people
        own = right & (query_at[block, None] == gallery_at)
        nearness[own] = -np.inf
        order = np.argsort(-nearness, axis=1, kind="stable")
        hits = np.take_along_axis(right & ~own, order, axis=1)
        plain, trapezoid, first = _average_precisions(hits)
        precisions.append(plain)
        trapezoids.append(trapezoid)
        firsts.append(first)
    first = np.concatenate(firsts) if firsts else np.zeros(0, dtype=np.intp)
    if not len(first):
        raise InputError(
            "No query has a picture of the same person by another camera in the gallery; "
            "the protocol scores nothing else."
        )
    return MarketScore(
        mAP=float(np.concatenate(precisions).mean()),
        mAP_trapezoid=float(np.concatenate(trapezoids).mean()),
        rank1=float((first < 1).mean()),
        rank5=float((first < 5).mean()),
        rank10=float((first < 10).mean()),
        n_queries=len(first),
        n_skipped=len(queries) - len(first),
        n_gallery=len(gallery),
    )


def _average_precisions(
    hits: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Both average precisions and the place of the first hit, for each row that has a hit.

    Places count from 0: the k-th hit (k from 1) at place p has the precision k / (p + 1), and
    before it the list had (k - 1) / p, or 1 where it is the first of all (the protocol's own rule).
    """
    n_hits = hits.sum(axis=1)
    hits, n_hits = hits[n_hits > 0], n_hits[n_hits > 0]
    rows, places = np.nonzero(hits)
    starts = np.cumsum(n_hits) - n_hits
    k = np.arange(1, len(rows) + 1) - np.repeat(starts, n_hits)
    precision = k / (places + 1)
    before = np.where(places > 0, (k - 1) / np.maximum(places, 1), 1.0)
    plain = np.bincount(rows, precision, minlength=len(hits)) / n_hits
    trapezoid = np.bincount(rows, (precision + before) / 2, minlength=len(hits)) / n_hits
    return plain, trapezoid, places[starts]


def _checked(
    vectors: FloatArray, ids: Sequence[str], cameras: Sequence[int | None], what: str
) -> FloatArray:
    if vectors.ndim != 2 or not len(vectors) == len(ids) == len(cameras):
        raise ValueError(
            f"{what}: vectors of shape {vectors.shape}, {len(ids)} ids, {len(cameras)} cameras"
        )
    if not np.isfinite(vectors).all():
        raise InputError(f"A {what} vector holds NaN or infinity; embed the pictures again.")
    return np.asarray(vectors, dtype=np.float32)
