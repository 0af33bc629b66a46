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


def ppcc_loop(
    face: NDArray[np.float64], body: NDArray[np.float64], phi0: float, steps: int, T: float
) -> NDArray[np.float64]:
    """Huang et al. 2018, over the whole matrix W, row after row and cast after cast."""
    C, N = face.shape
    n = C + N
    W = np.zeros((n, n))
    W[:C, C:], W[C:, :C], W[C:, C:] = face, face.T, body
    Y0 = np.zeros((n, C))
    Y0[:C] = np.eye(C)
    Y, P = Y0.copy(), Y0.copy()
    frozen = np.zeros(n, dtype=bool)
    for s in range(steps):
        G = np.zeros((n, C))
        for c in range(C):
            labelled = np.flatnonzero(Y[:, c])
            if len(labelled):
                for i in range(n):
                    G[i, c] = max(W[i, j] * Y[j, c] for j in labelled)
        P = Y.copy()
        for i in np.flatnonzero(~frozen):
            P[i] = np.exp(G[i] / T) / np.exp(G[i] / T).sum()
        phi = phi0 + s * ((1 - phi0) / (steps - 1))
        for i in np.argsort(P.max(axis=1), kind="stable")[int(n * (1 - phi)) :]:
            # Not in the paper: a row without any preference is not frozen.
            if P[i].max() > P[i].min():
                frozen[i] = True
        Y = np.zeros((n, C))
        Y[frozen] = P[frozen]
        Y[Y < 0.001] = 0
    return (W @ Y0 + P)[C:].T


def expand_loop(
    face: NDArray[np.float64],
    face_pairs: NDArray[np.float64],
    body_pairs: NDArray[np.float64],
    stills: list[int],
    threshold: float,
) -> list[list[tuple[int, float]]]:
    """Query expansion of WIDER 2019: (group, similarity) of each cast and candidate."""
    C, N = face.shape
    M: list[list[int]] = []
    for c in range(C):
        hits = [i for i in range(N) if face[c, i] > threshold]
        for i in sorted(range(N), key=lambda i: -face[c, i]):
            if len(hits) < 5 and i not in hits and face[c, i] > -np.inf:
                hits.append(i)
        for tau in (0.4, 0.3, 0.25):
            joining = []
            for j in range(N):
                if hits and j not in hits and face[c, j] > -np.inf:
                    mean = sum(face_pairs[j, m] for m in hits) / len(hits)
                    if mean > tau:
                        joining.append(j)
            hits = hits + joining
        M.append(hits)
    result = []
    for c in range(C):
        row = []
        own = {}
        for i in range(N):
            claims = [k for k in range(C) if i in M[k]]
            own[i] = max(claims, key=lambda k: face[k, i]) if claims else None
        for i in range(N):
            if own[i] == c:
                group = 0
                similarities = [face[c, i]] + [face_pairs[i, m] for m in M[c] if m != i]
            else:
                mates = [j for j in range(N) if stills[j] == stills[i] and own[j] == c]
                group = 3 if own[i] is not None else 2 if mates else 1
                similarities = [body_pairs[i, m] for m in M[c]]
            top = sorted(similarities)[-3:]
            weights = [np.exp(s) for s in top]
            mean = sum(w * s for w, s in zip(weights, top, strict=True)) / sum(weights)
            row.append((group, float(mean)))
        result.append(row)
    return result
