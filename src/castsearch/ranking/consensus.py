"""Beliefs of boxes that stand in several groups of different people: messages between the groups.

Sum-product over a factor graph (Kschischang, Frey and Loeliger, 2001): the boxes are variables, the
groups factors that let no two of their boxes be one cast member. It is exact where the groups hang
together like a tree: A meets B, B meets C, A never meets C. Where they go round in circles the
messages are damped, and the result is an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.clique import clique_messages, likeliest_members

Array = NDArray[np.float64]

MAX_ROUNDS, TOLERANCE = 200, 1e-11
"""Of messages between groups that hang together like a tree: rounds after which what is there is
taken, and the change of a message, of a largest value of 1, that is none."""
MAX_ROUNDS_OF_CIRCLES, TOLERANCE_OF_CIRCLES = 50, 1e-5
"""Likewise of groups that go round in circles: what they settle on is no nearer to the truth."""
DAMPING = 0.5
"""Share of the message before that stays in groups that go round in circles."""
_BLOCK = 256
"""Groups worked on at once: at 2^8 subsets and ten boxes 10 MB."""


def consensus(
    beliefs: Array,
    groups: Sequence[NDArray[np.intp]],
    component: NDArray[np.intp],
    *,
    max_cast: int,
) -> Array:
    """Beliefs after each cast member was allowed once in each group.

    Args:
        beliefs: Shape (n, n_cast + 1), rows sum to 1; the last column is "others".
        groups: For each size of groups, from 2, an array of shape (n_groups, size): rows of
            ``beliefs`` that are different people. Every row stands in one or more.
        component: Shape (n,): rows of equal numbers, from 0, hang together by groups.
        max_cast: Cast members that are told apart in a group of three or more: the likeliest.

    Returns:
        Shape and meaning as ``beliefs``. Where no assignment is left, all of a component keep
        theirs.
    """
    variable = np.concatenate([group.ravel() for group in groups])
    of_slot = component[variable]
    n_groups = np.bincount(np.concatenate([component[group[:, 0]] for group in groups]))
    is_tree = np.bincount(of_slot) == np.bincount(component) + n_groups - 1
    kept = np.where(is_tree, 0.0, DAMPING)[of_slot][:, None]
    tolerance = np.where(is_tree, TOLERANCE, TOLERANCE_OF_CIRCLES)[of_slot]
    members = [likeliest_members(beliefs[group], max_cast) for group in groups]
    gathered = _incidence(variable, len(beliefs))
    messages = np.ones((len(variable), beliefs.shape[1]))
    is_moving = np.ones(len(beliefs), dtype=bool)
    is_possible = np.ones(len(is_tree), dtype=bool)
    for rounds in range(MAX_ROUNDS):
        said = beliefs[variable] * _product(messages, gathered, variable)
        total = said.sum(axis=1, keepdims=True)
        is_possible[of_slot[total[:, 0] <= 0]] = False
        is_moving &= is_possible[component]
        said /= np.where(total > 0, total, 1.0)
        following = messages.copy()
        start = 0
        for group, likeliest in zip(groups, members, strict=True):
            stop = start + group.size
            moving = np.flatnonzero(is_moving[group].any(axis=1))
            heard = said[start:stop].reshape(*group.shape, -1)
            following[start:stop].reshape(*group.shape, -1)[moving] = _answers(
                heard[moving], likeliest[moving]
            )
            start = stop
        largest = following.max(axis=1, keepdims=True)
        following /= np.where(largest > 0, largest, 1.0)
        following = kept * messages + (1 - kept) * following
        change = np.abs(following - messages).max(axis=1)
        messages = following
        is_moving[:] = False
        is_moving[variable[change > tolerance]] = True
        if rounds + 1 >= MAX_ROUNDS_OF_CIRCLES:
            is_moving &= is_tree[component]
        if not is_moving.any():
            break
    result = beliefs * _product(messages, gathered)
    total = result.sum(axis=1, keepdims=True)
    is_possible[component[total[:, 0] <= 0]] = False
    result /= np.where(total > 0, total, 1.0)
    return np.where(is_possible[component][:, None], result, beliefs)


def _incidence(variable: NDArray[np.intp], n: int) -> Any:
    """Sums over the places of each variable in groups, SciPy CSR (n, n_slots)."""
    from scipy import sparse

    slots = np.arange(len(variable))
    return sparse.csr_array((np.ones(len(slots)), (variable, slots)), shape=(n, len(slots)))


def _product(messages: Array, gathered: Any, variable: NDArray[np.intp] | None = None) -> Array:
    """Product of the messages to each variable, of a largest value of 1.

    With ``variable``, for each message that of all the others to its variable.
    """
    zero = messages <= 0
    logs = np.log(np.where(zero, 1.0, messages))
    total, n_zero = gathered @ logs, gathered @ zero.astype(np.float64)
    if variable is not None:
        total, n_zero = total[variable] - logs, n_zero[variable] - zero
    total = np.where(n_zero > 0.5, -np.inf, total)
    largest = total.max(axis=1, keepdims=True)
    return np.asarray(np.exp(total - np.where(np.isfinite(largest), largest, 0.0)))


def _answers(beliefs: Array, members: NDArray[np.intp]) -> Array:
    """What groups of one size say to each of their boxes, shape (n_groups, size, n_cast + 1)."""
    if beliefs.shape[1] == 2:
        answers = np.maximum(1.0 - beliefs[:, ::-1], 0.0)
        answers[:, :, -1] = 1.0
        return answers
    starts = range(0, len(beliefs), _BLOCK)
    blocks = [slice(start, start + _BLOCK) for start in starts]
    parts = [clique_messages(beliefs[block], members[block]) for block in blocks]
    return np.concatenate(parts) if parts else beliefs
