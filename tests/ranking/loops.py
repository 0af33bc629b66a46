"""Literal forms of the ranking methods, one statement after the other, to compare with."""

from __future__ import annotations

from itertools import product
from typing import Any

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


def likeness_loop(view: Any, i: int, j: int) -> float:
    """The best of the four products of two crops."""
    one = [view.whole[i]] + ([view.lower[i]] if view.has_lower[i] else [])
    two = [view.whole[j]] + ([view.lower[j]] if view.has_lower[j] else [])
    return max(float(a.astype(float) @ b.astype(float)) for a in one for b in two)


def links_loop(views: Any, faces: Any, apart: NDArray[np.bool_], chosen: Any) -> NDArray[Any]:
    """The links of a film as their description says them, pair by pair."""
    n = len(apart)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j and not apart[i, j]]
    standing = np.zeros((n, n))
    for view, weight in views:
        alike = np.array([[likeness_loop(view, i, j) for j in range(n)] for i in range(n)])
        spread = [alike[pair] for pair in pairs]
        mean, deviation = (np.mean(spread), max(np.std(spread), 1e-6)) if pairs else (0.0, 1.0)
        standing += weight * (alike - mean) / deviation
    if pairs:
        standing /= max(np.std([standing[pair] for pair in pairs]), 1e-6)
    k = min(chosen.neighbours, n - 1)
    nearest = []
    for i in range(n):
        others = [j for j in range(n) if j != i and not apart[i, j]]
        nearest.append(set(sorted(others, key=lambda j: -standing[i, j])[:k]))
    links = np.zeros((n, n))
    for i, j in pairs:
        body = 0.0
        if j in nearest[i] and i in nearest[j]:
            body = min(
                _step(standing[i, j], chosen.link_at, chosen.link_width),
                _step(standing[j, i], chosen.link_at, chosen.link_width),
            )
        face = 0.0
        if faces.has_face[i] and faces.has_face[j]:
            cosine = float(faces.vectors[i].astype(float) @ faces.vectors[j].astype(float))
            body *= _step(cosine, chosen.face_differs_at, chosen.face_differs_width)
            if cosine > chosen.face_at - 7 * chosen.face_width:
                face = chosen.face_weight * _step(cosine, chosen.face_at, chosen.face_width)
        links[i, j] = 1 - (1 - body) * (1 - face)
    return links


def _step(value: float, at: float, width: float) -> float:
    return 1 / (1 + np.exp(-(value - at) / width))


def exclusive_loop(beliefs: NDArray[np.float64], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Marginals over every assignment that gives no two who are apart one cast member.

    Where no assignment is left, the beliefs.
    """
    n, n_labels = beliefs.shape
    labels = np.array(list(product(range(n_labels), repeat=n)))
    weights = np.prod(beliefs[np.arange(n), labels], axis=1)
    for i in range(n):
        for j in range(i):
            if apart[i, j]:
                weights[(labels[:, i] == labels[:, j]) & (labels[:, i] < n_labels - 1)] = 0
    if weights.sum() == 0:
        return beliefs
    marginals = [[weights[labels[:, i] == c].sum() for c in range(n_labels)] for i in range(n)]
    return np.array(marginals) / weights.sum()


def film_loop(
    evidence: Any,
    chosen: Any,
    apart: NDArray[np.bool_],
    given: dict[int, int],
    denied: set[tuple[int, int]],
    calibration: tuple[float, float],
) -> dict[str, NDArray[np.float64]]:
    """The film ranking without adaptation, candidate by candidate, by closed forms."""
    n_cast, n = evidence.face_scores.shape
    others = n_cast
    can_be = [
        {given[i]}
        if i in given
        else {
            c
            for c in range(n_cast + 1)
            if (i, c) not in denied
            and not any(apart[i, j] and c == given.get(j) != others for j in range(n))
        }
        for i in range(n)
    ]
    seeds = np.zeros((n, n_cast + 1))
    for i in range(n):
        if i in given:
            seeds[i, given[i]] = 1
            continue
        if not evidence.faces.has_face[i]:
            continue
        scores = {
            c: chosen.others_at if c == others else evidence.face_scores[c, i] for c in can_be[i]
        }
        scores = {c: np.exp(score / chosen.seed_temperature) for c, score in scores.items()}
        trust = _step(evidence.face_quality[i], chosen.trust_at, chosen.trust_width)
        for c, raised in scores.items():
            seeds[i, c] = trust * raised / sum(scores.values())
        seeds[i, others] *= chosen.others_weight
    links = links_loop([(evidence.bodies, 1.0)], evidence.faces, apart, chosen.links)
    W = links + chosen.self_link * np.eye(n)
    root = W.sum(axis=1) ** -0.5
    S = root[:, None] * W * root
    alpha = chosen.spread
    beliefs = np.zeros_like(seeds)
    for c in range(n_cast + 1):
        held = np.array([i in given or c not in can_be[i] for i in range(n)])
        u = ~held
        right = alpha * S[np.ix_(u, held)] @ seeds[held, c] + (1 - alpha) * seeds[u, c]
        beliefs[u, c] = np.linalg.solve(np.eye(u.sum()) - alpha * S[np.ix_(u, u)], right)
        beliefs[held, c] = seeds[held, c]
    beliefs[:, others] += chosen.doubt
    for i in range(n):
        for c in range(n_cast + 1):
            if c not in can_be[i]:
                beliefs[i, c] = 0
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    final = exclusive_loop(beliefs, apart)
    probabilities = np.zeros((n_cast, n))
    slope, offset = calibration
    for c in range(n_cast):
        for i in range(n):
            rival = max([final[i, k] for k in range(n_cast) if k != c], default=0.0)
            lost = chosen.competition * max(0.0, rival - final[i, c])
            probabilities[c, i] = _step(final[i, c] - lost, -offset / slope, 1 / slope)
            if i in given or c not in can_be[i]:
                probabilities[c, i] = given.get(i) == c
    return {"seeds": seeds, "beliefs": beliefs, "final": final, "probabilities": probabilities}
