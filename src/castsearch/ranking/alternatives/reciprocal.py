"""k-reciprocal re-ranking: two pictures are alike when their mutual neighbours are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

_BLOCK = 512
"""Columns that are sorted at once: at 10,000 pictures 40 MB of float64."""


def k_reciprocal(
    distances: NDArray[np.floating[Any]],
    n_queries: int,
    *,
    k1: int = 20,
    k2: int = 6,
    lambda_: float = 0.3,
) -> NDArray[np.float64]:
    """Distances of queries to the gallery after k-reciprocal re-ranking.

    Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding" (CVPR 2017), with
    the column maxima and the rounding of k1/2 of the published code. That code squares Euclidean
    distances first: hand over what is to be compared. Equal distances count in the order of their
    index. All weights are float64 and sparse; of ``distances`` no second copy is made.

    Args:
        distances: Shape (n, n), float32 or float64, queries first and the gallery after them.
        n_queries: How many of the n are queries.
        k1: Neighbours that have to be mutual.
        k2: Neighbours whose weights are averaged; 1 leaves them as they are.
        lambda_: Share of the distances themselves in the result, 0 to 1.

    Returns:
        Shape (n_queries, n - n_queries), float64, smaller is more alike.

    Raises:
        InputError: distances are not square or not finite, or a parameter is out of its range.
    """
    _check(distances, n_queries, k1, k2, lambda_)
    # The published form divides each column by its maximum and transposes; row i is column i here.
    scale = distances.max(axis=0).astype(np.float64)
    scale[scale <= 0] = 1.0
    near = _nearest(distances, scale, max(k1 + 1, k2))
    weights = _weights(distances, scale, near, k1)
    if k2 > 1:
        friends = near[:, :k2]
        weights = _pattern(friends) @ weights / friends.shape[1]
    jaccard = _jaccard_distance(weights, n_queries)
    plain = distances[n_queries:, :n_queries].T / scale[:n_queries, None]
    final: NDArray[np.float64] = (1 - lambda_) * jaccard + lambda_ * plain
    return final


def join_blocks(
    query_gallery: NDArray[np.floating[Any]],
    query_query: NDArray[np.floating[Any]],
    gallery_gallery: NDArray[np.floating[Any]],
) -> NDArray[np.floating[Any]]:
    """The square matrix that :func:`k_reciprocal` takes, from three blocks of it.

    Shapes (q, g), (q, q) and (g, g) give (q + g, q + g); the fourth block is the first transposed.

    Raises:
        InputError: the shapes do not fit together.
    """
    n_queries, n_gallery = query_gallery.shape
    if query_query.shape != (n_queries, n_queries) or gallery_gallery.shape != (
        n_gallery,
        n_gallery,
    ):
        raise InputError(
            f"distances of {n_queries} queries to {n_gallery} candidates do not fit blocks of "
            f"shape {query_query.shape} and {gallery_gallery.shape}"
        )
    return np.block([[query_query, query_gallery], [query_gallery.T, gallery_gallery]])


def _check(
    distances: NDArray[np.floating[Any]], n_queries: int, k1: int, k2: int, lambda_: float
) -> None:
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1]:
        raise InputError(
            f"re-ranking needs the distances of queries and gallery together, a square matrix; "
            f"got shape {distances.shape}"
        )
    if not 1 <= n_queries <= len(distances):
        raise InputError(f"{n_queries} queries do not fit a matrix of {len(distances)} pictures")
    if k1 < 1 or k2 < 1 or not 0 <= lambda_ <= 1:
        raise InputError(
            f"re-ranking needs k1 and k2 of at least 1 and lambda from 0 to 1; "
            f"got {k1}, {k2} and {lambda_}"
        )
    if not np.isfinite(distances).all():
        raise InputError("the distances hold NaN or infinite values; check the embeddings")


def _nearest(
    distances: NDArray[np.floating[Any]], scale: NDArray[np.float64], k: int
) -> NDArray[np.intp]:
    """The k nearest of each picture, nearest first, equal ones by index; shape (n, min(k, n))."""
    n = len(distances)
    k = min(k, n)
    nearest = np.empty((n, k), dtype=np.intp)
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        # Division may round two distances to one value, so it comes before the comparison.
        rows = np.ascontiguousarray(distances[:, start:stop].T) / scale[start:stop, None]
        chosen = np.sort(np.argpartition(rows, k - 1, axis=1)[:, :k], axis=1)
        values = np.take_along_axis(rows, chosen, axis=1)
        inner = np.argsort(values, axis=1, kind="stable")
        nearest[start:stop] = np.take_along_axis(chosen, inner, axis=1)
        # Partitioning picks any of several equal ones at the border; these rows are sorted anew.
        border = values.max(axis=1)
        for row in np.flatnonzero((rows <= border[:, None]).sum(axis=1) > k):
            close = np.flatnonzero(rows[row] <= border[row])
            order = np.argsort(rows[row, close], kind="stable")
            nearest[start + row] = close[order[:k]]
    return nearest


def _pattern(near: NDArray[np.intp]) -> Any:
    """CSR matrix with a one at each neighbour, shape (n, n), float64."""
    from scipy import sparse

    n, k = near.shape
    ends = np.arange(n + 1) * k
    return sparse.csr_array((np.ones(n * k), near.ravel(), ends), shape=(n, n))


def _mutual(near: NDArray[np.intp]) -> Any:
    forward = _pattern(near)
    return forward.multiply(forward.T).tocsr()


def _weights(
    distances: NDArray[np.floating[Any]],
    scale: NDArray[np.float64],
    near: NDArray[np.intp],
    k1: int,
) -> Any:
    """V of the paper as CSR: exp(-distance) on the extended reciprocal set, rows sum to 1."""
    from scipy import sparse

    n = len(near)
    wide = _mutual(near[:, : k1 + 1])
    narrow = _mutual(near[:, : int(np.around(k1 / 2)) + 1])
    shared = (wide @ narrow.T).multiply(wide).tocoo()
    # |R(i) and R'(j)| > 2/3 |R'(j)| in whole numbers, for every j of R(i).
    sizes = narrow.sum(axis=1)
    joins = 3 * shared.data > 2 * sizes[shared.col]
    extended = sparse.csr_array(
        (np.ones(joins.sum()), (shared.row[joins], shared.col[joins])), shape=(n, n)
    )
    members = (wide + extended @ narrow).tocoo()
    row, column = members.row, members.col
    values = np.exp(-(distances[column, row] / scale[row]))
    totals = np.bincount(row, weights=values, minlength=n)
    return sparse.csr_array((values / totals[row], (row, column)), shape=(n, n))


def _jaccard_distance(weights: Any, n_queries: int) -> NDArray[np.float64]:
    """1 - m / (2 - m) with m the sum of minima, shape (n_queries, n - n_queries)."""
    gallery = weights[n_queries:].tocsc()
    minima = np.zeros((n_queries, gallery.shape[0]))
    for query in range(n_queries):
        start, stop = weights.indptr[query : query + 2]
        columns = gallery[:, weights.indices[start:stop]]
        weight = np.repeat(weights.data[start:stop], np.diff(columns.indptr))
        minima[query] = np.bincount(
            columns.indices, weights=np.minimum(weight, columns.data), minlength=gallery.shape[0]
        )
    distance: NDArray[np.float64] = 1 - minima / (2 - minima)
    return distance
