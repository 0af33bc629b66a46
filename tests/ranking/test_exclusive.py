"""Exclusivity within a still, against all assignments one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from castsearch.ranking.constraints import constraints
from castsearch.ranking.exclusive import exclusive


def brute_force(beliefs: np.ndarray) -> np.ndarray:
    """Marginals of one still over every assignment that names no cast member twice."""
    n_boxes, n_labels = beliefs.shape
    marginals = np.zeros_like(beliefs)
    for labels in product(range(n_labels), repeat=n_boxes):
        named = [label for label in labels if label < n_labels - 1]
        if len(named) == len(set(named)):
            weight = np.prod([beliefs[box, label] for box, label in enumerate(labels)])
            for box, label in enumerate(labels):
                marginals[box, label] += weight
    total = marginals.sum(axis=1, keepdims=True)
    return marginals / total if (total > 0).all() else beliefs


def one_still(n: int):
    return constraints([0] * n, 1).apart


def normalised(rows: np.ndarray) -> np.ndarray:
    rows = rows + 1e-3
    return rows / rows.sum(axis=1, keepdims=True)


@given(
    st.tuples(st.integers(1, 5), st.integers(2, 4)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
    )
)
def test_one_still_is_all_its_assignments(rows: np.ndarray) -> None:
    beliefs = normalised(rows)
    got = exclusive(beliefs, one_still(len(beliefs)))
    np.testing.assert_allclose(got, brute_force(beliefs), atol=1e-12)


def test_two_boxes_by_hand() -> None:
    # Both may be the one cast member: (a, others), (others, a), (others, others) are left.
    got = exclusive(np.array([[0.9, 0.1], [0.5, 0.5]]), one_still(2))
    weights = 0.9 * 0.5, 0.1 * 0.5, 0.1 * 0.5
    first = weights[0] / sum(weights)
    second = weights[1] / sum(weights)
    np.testing.assert_allclose(got, [[first, 1 - first], [second, 1 - second]])


def test_stills_do_not_touch_each_other_and_single_boxes_stay() -> None:
    rng = np.random.default_rng(0)
    beliefs = normalised(rng.random((9, 4)))
    stills = np.array([2, 0, 2, 1, 2, 0, 7, 9, 9])
    got = exclusive(beliefs, constraints(stills, 1).apart)
    for still in np.unique(stills):
        own = stills == still
        np.testing.assert_allclose(got[own], brute_force(beliefs[own]), atol=1e-12)
    np.testing.assert_array_equal(got[[3, 6]], beliefs[[3, 6]])


def test_of_a_large_cast_the_likeliest_are_told_apart() -> None:
    beliefs = np.full((2, 13), 0.02)
    beliefs[0, 3], beliefs[1, 3] = 0.76, 0.66
    beliefs[1, 7] = 0.12
    got = exclusive(beliefs, one_still(2), max_cast=2)
    rest = 1 - beliefs[:, [3, 7]].sum(axis=1, keepdims=True)
    expected = brute_force(np.hstack([beliefs[:, [3, 7]], rest]))
    np.testing.assert_allclose(got[:, [3, 7]], expected[:, :2], atol=1e-12)
    np.testing.assert_allclose(got.sum(axis=1), 1.0)
    # The rest keep their proportions.
    np.testing.assert_allclose(got[1, 8:12] / got[1, 8], 1.0)


def test_two_certain_boxes_keep_their_beliefs() -> None:
    beliefs = np.array([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(exclusive(beliefs, one_still(2)), beliefs)


@pytest.mark.parametrize("n_boxes", [12, 40])
def test_many_boxes_of_one_still(n_boxes: int) -> None:
    beliefs = normalised(np.random.default_rng(1).random((n_boxes, 31)))
    got = exclusive(beliefs, one_still(n_boxes))
    np.testing.assert_allclose(got.sum(axis=1), 1.0)
    assert (got[:, :-1].sum(axis=0) <= beliefs[:, :-1].sum(axis=0) + 1.0).all()
