"""Literal forms of the ranking methods, one statement after the other, to compare with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def k_reciprocal_loop(
    distances: NDArray[np.float64], n_queries: int, k1: int, k2: int, lambda_: float
) -> NDArray[np.float64]:
    """Zhong et al. 2017, picture after picture over dense rows, as the published code goes."""
    D = np.transpose(distances.astype(np.float64) / np.max(distances.astype(np.float64), axis=0))
    n = len(D)
    rank = np.argsort(D, axis=1, kind="stable")

    def reciprocal(i: int, k: int) -> NDArray[np.intp]:
        forward = rank[i, : k + 1]
        return forward[[i in rank[j, : k + 1] for j in forward]]

    V = np.zeros((n, n))
    for i in range(n):
        base = reciprocal(i, k1)
        extended = list(base)
        for j in base:
            other = reciprocal(j, int(np.around(k1 / 2)))
            if len(np.intersect1d(other, base)) > 2 / 3 * len(other):
                extended.extend(other)
        members = np.unique(np.asarray(extended, dtype=np.intp))
        weight = np.exp(-D[i, members])
        V[i, members] = weight / weight.sum()
    if k2 != 1:
        V = np.stack([V[rank[i, :k2]].mean(axis=0) for i in range(n)])
    jaccard = np.zeros((n_queries, n))
    for i in range(n_queries):
        m = np.zeros(n)
        for j in np.flatnonzero(V[i]):
            m += np.minimum(V[i, j], V[:, j])
        jaccard[i] = 1 - m / (2 - m)
    final = jaccard * (1 - lambda_) + D[:n_queries] * lambda_
    return final[:, n_queries:]
