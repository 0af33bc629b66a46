"""Messages between groups of different people, against all assignments."""

from __future__ import annotations

import numpy as np
import pytest

from castsearch.ranking.consensus import consensus


def graph(n: int, groups) -> np.ndarray:
    apart = np.zeros((n, n), dtype=bool)
    for group in groups:
        apart[np.ix_(group, group)] = True
    np.fill_diagonal(apart, False)
    return apart


def by_size(groups) -> list[np.ndarray]:
    sizes = sorted({len(group) for group in groups})
    return [np.array([g for g in groups if len(g) == size]) for size in sizes]


def one_component(beliefs, groups) -> np.ndarray:
    whole = np.zeros(len(beliefs), dtype=np.intp)
    return consensus(beliefs, by_size(groups), whole, max_cast=8)


@pytest.mark.parametrize(
    "groups",
    [
        [(0, 1), (1, 2)],
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
        [(0, 1, 2), (2, 3), (3, 4, 5)],
        [(0, 1), (0, 2), (0, 3), (0, 4)],
        [(0, 1, 2), (2, 3, 4), (2, 5)],
    ],
)
@pytest.mark.parametrize("concentration", [0.1, 1.0])
def test_groups_like_a_tree_are_exact(exclusive_loop, groups, concentration) -> None:
    rng = np.random.default_rng(0)
    n = 1 + max(max(group) for group in groups)
    for _ in range(5):
        beliefs = rng.dirichlet([concentration] * 4, size=n)
        got = one_component(beliefs, groups)
        np.testing.assert_allclose(got, exclusive_loop(beliefs, graph(n, groups)), atol=1e-9)


def test_a_meets_b_and_b_meets_c_by_hand() -> None:
    # One cast member, of belief 1/2 in all: B has it in 1 way (A and C are others); not, in 4.
    beliefs = np.full((3, 2), 0.5)
    got = one_component(beliefs, [(0, 1), (1, 2)])
    np.testing.assert_allclose(got[:, 0], [2 / 5, 1 / 5, 2 / 5], atol=1e-12)


def test_news_travel_along_a_long_chain() -> None:
    # Two members and hardly others: each is what the one before is not, from the first on.
    n = 120
    beliefs = np.tile([0.5, 0.5, 0.0], (n, 1))
    beliefs[0] = 0.9, 0.1, 0.0
    got = one_component(beliefs, [(i, i + 1) for i in range(n - 1)])
    expected = [[0.9, 0.1, 0], [0.1, 0.9, 0]] * (n // 2)
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_where_no_assignment_is_left_a_component_keeps_its_beliefs() -> None:
    certain = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
    possible = np.full((3, 2), 0.5)
    beliefs = np.concatenate([certain, possible])
    pairs = np.array([[0, 1], [1, 2], [3, 4], [4, 5]])
    got = consensus(beliefs, [pairs], np.repeat([0, 1], 3), max_cast=8)
    np.testing.assert_array_equal(got[:3], certain)
    np.testing.assert_allclose(got[3:, 0], [2 / 5, 1 / 5, 2 / 5], atol=1e-12)


def test_a_component_is_the_same_beside_others() -> None:
    rng = np.random.default_rng(1)
    beliefs = rng.dirichlet([0.5] * 4, size=9)
    circle = [(0, 1), (1, 2), (2, 3), (3, 0)]
    tree = [(4, 5, 6), (6, 7), (7, 8)]
    component = np.repeat([0, 1], [4, 5])
    both = consensus(beliefs, by_size(circle + tree), component, max_cast=8)
    np.testing.assert_allclose(both[:4], one_component(beliefs[:4], circle), atol=1e-12)
    shifted = [tuple(i - 4 for i in group) for group in tree]
    np.testing.assert_allclose(both[4:], one_component(beliefs[4:], shifted), atol=1e-9)
