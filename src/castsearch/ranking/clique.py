"""Boxes that all are different people: what each may be while no two are one cast member.

All assignments that name a cast member twice are struck out: sums of products like a permanent's,
by dynamic programming over the subsets of the cast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def likeliest_members(beliefs: Array, max_cast: int) -> NDArray[np.intp]:
    """The cast members that are told apart in each clique, shape (n_cliques, up to max_cast).

    ``beliefs`` has shape (n_cliques, n_boxes, n_cast + 1), the last column is "others".
    """
    n_cast = min(beliefs.shape[2] - 1, max_cast)
    return np.argsort(-beliefs[:, :, :-1].max(axis=1), axis=1, kind="stable")[:, :n_cast]


def clique_marginals(beliefs: Array, members: NDArray[np.intp]) -> Array:
    """Beliefs of cliques of one size after each of ``members`` was allowed once, exactly.

    Shape and meaning as ``beliefs``, rows sum to 1. A clique whose every assignment is struck out
    keeps its beliefs. What is not told apart shares what is left for "none of the members" as it
    did before.
    """
    n_cast = members.shape[1]
    told_apart, cast, free = _split(beliefs, members)
    marginals = _compatible(cast, free)
    marginals[:, :, n_cast] *= free
    marginals[:, :, :n_cast] *= cast
    total = marginals.sum(axis=2, keepdims=True)
    possible = (total > 0).all(axis=1, keepdims=True)
    marginals = np.where(possible, marginals / np.where(total > 0, total, 1.0), 0.0)
    result = beliefs.copy()
    share = np.where(free > 0, marginals[:, :, n_cast] / np.where(free > 0, free, 1.0), 0.0)
    result *= share[:, :, None]
    np.put_along_axis(result, told_apart, marginals[:, :, :n_cast], axis=2)
    return np.where(possible, result, beliefs)


def clique_messages(beliefs: Array, members: NDArray[np.intp]) -> Array:
    """What the other boxes of its clique say of each box, shape as ``beliefs``.

    The weight of all assignments of the others that go with a label of this box, up to a factor for
    each box; times its own beliefs they are the marginals.
    """
    n_cast = members.shape[1]
    told_apart, cast, free = _split(beliefs, members)
    compatible = _compatible(cast, free)
    messages = compatible[:, :, n_cast:].repeat(beliefs.shape[2], axis=2)
    np.put_along_axis(messages, told_apart, compatible[:, :, :n_cast], axis=2)
    return messages


def _split(beliefs: Array, members: NDArray[np.intp]) -> tuple[NDArray[np.intp], Array, Array]:
    """Places of the members, shape (n_cliques, n_boxes, n_members), their beliefs, and the rest."""
    told_apart = members[:, None].repeat(beliefs.shape[1], axis=1)
    cast = np.take_along_axis(beliefs[:, :, :-1], told_apart, axis=2)
    return told_apart, cast, np.maximum(1.0 - cast.sum(axis=2), 0.0)


def _compatible(cast: Array, free: Array) -> Array:
    """Weight of the others' assignments for each label of each box; the last is "no member"."""
    n_cliques, n_boxes, n_cast = cast.shape
    before = _forward(cast, free)
    after = _forward(cast[:, ::-1], free[:, ::-1])[::-1]
    subsets = np.arange(1 << n_cast)
    weights = np.zeros((n_cliques, n_boxes, n_cast + 1))
    for box in range(n_boxes):
        taken_before = before[box]
        # allowed[s]: all that the boxes behind may take while the subset s is taken.
        allowed = _sum_over_subsets(after[box + 1], n_cast)[:, subsets[::-1]]
        weights[:, box, n_cast] = (taken_before * allowed).sum(axis=1)
        for member in range(n_cast):
            without = subsets[(subsets >> member) & 1 == 0]
            joint = taken_before[:, without] * allowed[:, without | (1 << member)]
            weights[:, box, member] = joint.sum(axis=1)
    return weights


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
