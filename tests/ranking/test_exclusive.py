"""Nobody is two people at once, against all assignments one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from castsearch.ranking.constraints import constraints
from castsearch.ranking.exclusive import exclusive


def one_still(n: int):
    return constraints([0] * n, 1).apart


def graph(n: int, edges):
    dense = np.zeros((n, n), dtype=bool)
    for i, j in edges:
        dense[i, j] = dense[j, i] = True
    return sparse.csr_array(dense)


def everyone(n: int) -> np.ndarray:
    return ~np.eye(n, dtype=bool)


def normalised(rows: np.ndarray) -> np.ndarray:
    rows = rows + 1e-3
    return rows / rows.sum(axis=1, keepdims=True)


@given(
    st.tuples(st.integers(1, 5), st.integers(2, 4)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
    )
)
def test_one_still_is_all_its_assignments(exclusive_loop, rows: np.ndarray) -> None:
    beliefs = normalised(rows)
    got = exclusive(beliefs, one_still(len(beliefs)))
    np.testing.assert_allclose(got, exclusive_loop(beliefs, everyone(len(beliefs))), atol=1e-12)


def test_two_boxes_by_hand() -> None:
    # Both may be the one cast member: (a, others), (others, a), (others, others) are left.
    got = exclusive(np.array([[0.9, 0.1], [0.5, 0.5]]), one_still(2))
    weights = 0.9 * 0.5, 0.1 * 0.5, 0.1 * 0.5
    first = weights[0] / sum(weights)
    second = weights[1] / sum(weights)
    np.testing.assert_allclose(got, [[first, 1 - first], [second, 1 - second]])


def test_stills_do_not_touch_each_other_and_single_boxes_stay(exclusive_loop) -> None:
    rng = np.random.default_rng(0)
    beliefs = normalised(rng.random((9, 4)))
    stills = np.array([2, 0, 2, 1, 2, 0, 7, 9, 9])
    got = exclusive(beliefs, constraints(stills, 1).apart)
    for still in np.unique(stills):
        own = stills == still
        expected = exclusive_loop(beliefs[own], everyone(own.sum()))
        np.testing.assert_allclose(got[own], expected, atol=1e-12)
    np.testing.assert_array_equal(got[[3, 6]], beliefs[[3, 6]])


def test_of_a_large_cast_the_likeliest_are_told_apart(exclusive_loop) -> None:
    beliefs = np.full((2, 13), 0.02)
    beliefs[0, 3], beliefs[1, 3] = 0.76, 0.66
    beliefs[1, 7] = 0.12
    got = exclusive(beliefs, one_still(2), max_cast=2)
    rest = 1 - beliefs[:, [3, 7]].sum(axis=1, keepdims=True)
    expected = exclusive_loop(np.hstack([beliefs[:, [3, 7]], rest]), everyone(2))
    np.testing.assert_allclose(got[:, [3, 7]], expected[:, :2], atol=1e-12)
    np.testing.assert_allclose(got.sum(axis=1), 1.0)
    # The rest keep their proportions.
    np.testing.assert_allclose(got[1, 8:12] / got[1, 8], 1.0)


def test_two_certain_boxes_keep_their_beliefs() -> None:
    beliefs = np.array([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(exclusive(beliefs, one_still(2)), beliefs)


@pytest.mark.parametrize("n_boxes", [2, 12, 40])
def test_nobody_is_more_than_once_in_a_still(n_boxes: int) -> None:
    # Few members whom many boxes look like: before, each of them stands there more than once.
    beliefs = normalised(np.random.default_rng(1).random((n_boxes, 7)) ** 4 + [*[3] * 3, *[0] * 4])
    got = exclusive(beliefs, one_still(n_boxes))
    np.testing.assert_allclose(got.sum(axis=1), 1.0)
    assert (got[:, :-1].sum(axis=0) <= 1 + 1e-9).all()
    if n_boxes > 2:
        assert (beliefs[:, :3].sum(axis=0) > 1).all()


def test_of_a_large_cast_nobody_told_apart_is_more_than_once() -> None:
    beliefs = normalised(np.random.default_rng(1).random((40, 31)))
    got = exclusive(beliefs, one_still(40))
    np.testing.assert_allclose(got.sum(axis=1), 1.0)
    told_apart = np.argsort(-beliefs[:, :-1].max(axis=0), kind="stable")[:8]
    assert (beliefs[:, told_apart].sum(axis=0) > 1).all()
    assert (got[:, told_apart].sum(axis=0) <= 1 + 1e-9).all()


def test_without_rows_there_is_nothing_to_agree() -> None:
    assert exclusive(np.zeros((0, 3)), one_still(0)).shape == (0, 3)


def random_beliefs(rng, n: int, concentration: float, n_labels: int) -> np.ndarray:
    return normalised(rng.dirichlet([concentration] * n_labels, size=n))


@given(
    seed=st.integers(0, 10_000),
    concentration=st.sampled_from([0.1, 0.3, 1.0]),
    n_labels=st.integers(2, 4),
)
def test_tracks_that_meet_one_after_the_other_are_exact(
    exclusive_loop, seed, concentration, n_labels
) -> None:
    # Node by node, each meets either one of those before, or two who have met each other alone.
    rng = np.random.default_rng(seed)
    edges, free_pairs = [(0, 1)], [(0, 1)]
    for node in range(2, 6):
        if free_pairs and rng.random() < 0.5:
            pair = free_pairs.pop(rng.integers(len(free_pairs)))
            edges += [(pair[0], node), (pair[1], node)]
        else:
            pair = (int(rng.integers(node)), node)
            edges.append(pair)
            free_pairs.append(pair)
    apart = graph(6, edges)
    beliefs = random_beliefs(rng, 6, concentration, n_labels)
    got = exclusive(beliefs, apart)
    np.testing.assert_allclose(got, exclusive_loop(beliefs, apart.toarray()), atol=1e-9)


def circle(n: int):
    return lambda rng: graph(n, [(i, (i + 1) % n) for i in range(n)])


def any_graph(rng):
    n = int(rng.integers(4, 7))
    return graph(n, [(i, j) for j in range(n) for i in range(j) if rng.random() < 0.5])


def tracks(rng):
    """Six tracks of one shot, who meet where they overlap in time."""
    start = 3 * rng.random(6)
    end = start + 1.5 * rng.random(6)
    pairs = [(i, j) for j in range(6) for i in range(j)]
    return graph(6, [(i, j) for i, j in pairs if start[i] < end[j] and start[j] < end[i]])


@pytest.mark.parametrize(
    ("make", "mean", "largest"),
    [
        # Of the largest error of each graph, over 180: the mean, and the largest. Far off are those
        # that leave hardly any assignment: everybody certain, and of the same few.
        (circle(4), 0.01, 0.2),
        (circle(5), 0.006, 0.35),
        (tracks, 0.02, 0.6),
        (any_graph, 0.02, 0.35),
    ],
)
def test_where_groups_go_round_in_circles_it_is_nearly_right(
    exclusive_loop, make, mean, largest
) -> None:
    rng = np.random.default_rng(0)
    errors, ignoring = [], []
    for k in range(180):
        apart = make(rng)
        n = apart.shape[0]
        beliefs = random_beliefs(rng, n, (0.1, 0.3, 1.0)[k % 3], 2 + k % 4)
        exact = exclusive_loop(beliefs, apart.toarray())
        errors.append(np.abs(exclusive(beliefs, apart) - exact).max())
        ignoring.append(np.abs(beliefs - exact).max())
    assert np.mean(errors) < mean
    assert max(errors) < largest
    # Never worse than to ignore who is apart, and on the whole far better.
    assert (np.array(errors) <= np.array(ignoring) + 1e-9).all()
    assert np.mean(errors) < 0.1 * np.mean(ignoring)


def test_of_too_many_groups_pairs_are_looked_at(monkeypatch, exclusive_loop) -> None:
    monkeypatch.setattr("castsearch.ranking.exclusive.MAX_CELLS", 0)
    rng = np.random.default_rng(0)
    errors, ignoring = [], []
    for _ in range(60):
        apart = tracks(rng)
        beliefs = random_beliefs(rng, 6, 0.3, 4)
        exact = exclusive_loop(beliefs, apart.toarray())
        errors.append(np.abs(exclusive(beliefs, apart) - exact).max())
        ignoring.append(np.abs(beliefs - exact).max())
    assert np.mean(errors) < 0.2 * np.mean(ignoring)


def test_stills_are_exact_beside_what_is_no_still(exclusive_loop) -> None:
    rng = np.random.default_rng(0)
    beliefs = random_beliefs(rng, 8, 0.5, 4)
    # A still of three, a chain of three, and two alone.
    apart = graph(8, [(0, 4), (0, 7), (4, 7), (1, 2), (2, 6)])
    got = exclusive(beliefs, apart)
    for rows in ([0, 4, 7], [1, 2, 6]):
        own = apart.toarray()[np.ix_(rows, rows)]
        np.testing.assert_allclose(got[rows], exclusive_loop(beliefs[rows], own), atol=1e-9)
    np.testing.assert_array_equal(got[[3, 5]], beliefs[[3, 5]])
