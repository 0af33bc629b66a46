"""Spread who is who from faces to bodies: plain label propagation on a sparse graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

_MAX_ITERATIONS = 10_000


def diffuse(
    affinity: Any,
    seeds: NDArray[np.floating[Any]],
    *,
    alpha: float = 0.9,
    tolerance: float = 1e-8,
    clamped: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Labels spread over a sparse graph: F = (1 - alpha) (I - alpha S)^-1 Y.

    Zhou et al., "Learning with Local and Global Consistency" (2004), S = D^-1/2 W D^-1/2 with D
    the row sums. Power iterations, which need only products with the sparse W; they stop when no
    value can still change by more than ``tolerance``. A row without links keeps (1 - alpha) of
    its seed. Clamped values are their seeds, whatever their neighbours say; the
    others then are F_u = (I - alpha S_uu)^-1 (alpha S_uc Y_c + (1 - alpha) Y_u).

    Args:
        affinity: W, SciPy sparse, shape (n, n), not negative; its diagonal is taken as it is.
        seeds: Y, shape (n, n_labels): one column per cast member, and maybe one for "others".
        alpha: Share that comes from the neighbours, 0 up to but not 1.
        tolerance: Largest error of the largest value.
        clamped: Values that are known, shape (n, n_labels), or rows that are, shape (n,).

    Returns:
        F, shape (n, n_labels), float64.

    Raises:
        InputError: shapes do not fit, an affinity is negative or not finite, a seed is not finite,
            or a parameter is out of its range.
    """
    from scipy import sparse

    links = sparse.csr_array(affinity, dtype=np.float64)
    n = len(seeds)
    if seeds.ndim != 2 or links.shape != (n, n):
        raise InputError(f"seeds of shape {seeds.shape} do not fit a graph of shape {links.shape}")
    if not np.isfinite(links.data).all() or not np.isfinite(seeds).all() or (links.data < 0).any():
        raise InputError("the graph or its seeds hold negative, NaN or infinite values")
    if not 0 <= alpha < 1 or tolerance <= 0:
        raise InputError(f"alpha must lie in 0 to below 1; got {alpha}, tolerance {tolerance}")
    degree = np.asarray(links.sum(axis=1)).ravel()
    root = np.zeros(n)
    root[degree > 0] = degree[degree > 0] ** -0.5
    smooth = sparse.diags_array(root) @ links @ sparse.diags_array(root)
    start = (1 - alpha) * seeds.astype(np.float64)
    if clamped is not None:
        held = np.broadcast_to(clamped if clamped.ndim == 2 else clamped[:, None], seeds.shape)
        start = np.where(held, seeds, start)
    current = start
    for _ in range(_MAX_ITERATIONS):
        following = alpha * (smooth @ current) + start
        if clamped is not None:
            following = np.where(held, start, following)
        change = np.abs(following - current).max(initial=0.0)
        current = following
        # What is still to come is at most the geometric series of this change.
        if change * alpha <= tolerance * (1 - alpha):
            break
    return current
