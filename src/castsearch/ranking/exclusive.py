"""Two boxes of one still are two people: beliefs of a still made to agree with that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_CAST = 8
"""Cast members of one still that are told apart exactly: the likeliest ones. The sums run over all
subsets of them, and beyond eight likely people a still hardly decides anything."""
_BLOCK = 256
"""Stills worked on at once: at 2^8 subsets and ten boxes 10 MB."""


def exclusive(
    beliefs: NDArray[np.float64], stills: NDArray[np.integer], *, max_cast: int = MAX_CAST
) -> NDArray[np.float64]:
    """Beliefs after each cast member was allowed once per still, exactly.

    The beliefs of the boxes of one still are taken as independent, all assignments that name a
    cast member twice are struck out, and what is left is normalised: the marginals of a
    permanent-like sum, by dynamic programming over the subsets of the cast. A box that loses a
    member to its still-mate gains on the others, and on "others".

    Args:
        beliefs: Shape (n, n_cast + 1), rows sum to 1; the last column is "others", which any
            number of boxes may be.
        stills: Shape (n,): boxes of equal numbers share a still.
        max_cast: Of more cast members than this the likeliest of each still are told apart, the
            rest keeps its share.

    Returns:
        Shape and meaning as ``beliefs``. A still whose every assignment is struck out (two boxes
        certain of one member) keeps its beliefs.
    """
    result = beliefs.astype(np.float64, copy=True)
    order = np.argsort(stills, kind="stable")
    _, starts, sizes = np.unique(stills[order], return_index=True, return_counts=True)
    for size in np.unique(sizes[sizes > 1]):
        boxes = order[starts[sizes == size][:, None] + np.arange(size)]
        for block in range(0, len(boxes), _BLOCK):
            chosen = boxes[block : block + _BLOCK]
            result[chosen] = _marginals(beliefs[chosen], max_cast)
    return result


def _marginals(beliefs: NDArray[np.float64], max_cast: int) -> NDArray[np.float64]:
    """:func:`exclusive` for stills of one size, shape (n_stills, n_boxes, n_cast + 1)."""
    n_stills, n_boxes, n_labels = beliefs.shape
    n_cast = min(n_labels - 1, max_cast)
    likeliest = np.argsort(-beliefs[:, :, :-1].max(axis=1), axis=1, kind="stable")
    told_apart = likeliest[:, None, :n_cast].repeat(n_boxes, axis=1)
    cast = np.take_along_axis(beliefs[:, :, :-1], told_apart, axis=2)
    free = np.maximum(1.0 - cast.sum(axis=2), 0.0)
    before = _forward(cast, free)
    after = _forward(cast[:, ::-1], free[:, ::-1])[::-1]
    subsets = np.arange(1 << n_cast)
    marginals = np.zeros((n_stills, n_boxes, n_cast + 1))
    for box in range(n_boxes):
        taken_before = before[box]
        # allowed[s]: all that the boxes behind may take while the subset s is taken.
        allowed = _sum_over_subsets(after[box + 1], n_cast)[:, subsets[::-1]]
        marginals[:, box, n_cast] = free[:, box] * (taken_before * allowed).sum(axis=1)
        for member in range(n_cast):
            without = subsets[(subsets >> member) & 1 == 0]
            joint = taken_before[:, without] * allowed[:, without | (1 << member)]
            marginals[:, box, member] = cast[:, box, member] * joint.sum(axis=1)
    total = marginals.sum(axis=2, keepdims=True)
    possible = (total > 0).all(axis=1, keepdims=True)
    marginals = np.where(possible, marginals / np.where(total > 0, total, 1.0), 0.0)
    result = beliefs.copy()
    # What is not told apart shares what is left for "none of the likely ones" as it did before.
    share = np.where(free > 0, marginals[:, :, n_cast] / np.where(free > 0, free, 1.0), 0.0)
    result *= share[:, :, None]
    np.put_along_axis(result, told_apart, marginals[:, :, :n_cast], axis=2)
    return np.where(possible, result, beliefs)


def _forward(
    cast: NDArray[np.float64], free: NDArray[np.float64]
) -> list[NDArray[np.float64]] | NDArray[np.float64]:
    """Weight of each subset of the cast after the first 0, 1, .. n_boxes boxes took theirs.

    Shape (n_boxes + 1, n_stills, 2^n_cast); each step is scaled to a sum of 1, which the marginals
    do not see.
    """
    n_stills, n_boxes, n_cast = cast.shape
    subsets = np.arange(1 << n_cast)
    weights = np.zeros((n_boxes + 1, n_stills, 1 << n_cast))
    weights[0, :, 0] = 1.0
    for box in range(n_boxes):
        current = weights[box]
        following = current * free[:, box, None]
        for member in range(n_cast):
            without = subsets[(subsets >> member) & 1 == 0]
            following[:, without | (1 << member)] += (
                current[:, without] * cast[:, box, member, None]
            )
        total = following.sum(axis=1, keepdims=True)
        weights[box + 1] = following / np.where(total > 0, total, 1.0)
    return weights


def _sum_over_subsets(weights: NDArray[np.float64], n_cast: int) -> NDArray[np.float64]:
    """For every subset the sum of the weights of all its own subsets (the zeta transform)."""
    sums = weights.copy()
    subsets = np.arange(1 << n_cast)
    for member in range(n_cast):
        with_it = subsets[(subsets >> member) & 1 == 1]
        sums[:, with_it] += sums[:, with_it ^ (1 << member)]
    return sums
