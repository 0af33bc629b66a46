"""k-reciprocal re-ranking against its literal form and against sets worked out by hand."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.alternatives.reciprocal import join_blocks, k_reciprocal


def clustered(rng: np.random.Generator, n: int, *, n_groups: int = 6, spread: float = 0.6):
    centres = rng.normal(size=(n_groups, 16))
    points = centres[rng.integers(n_groups, size=n)] + spread * rng.normal(size=(n, 16))
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@pytest.mark.parametrize(
    ("n", "n_queries", "k1", "k2", "lambda_"),
    [
        (120, 8, 20, 6, 0.3),
        (120, 1, 20, 6, 0.3),
        (90, 5, 40, 6, 0.1),
        (80, 80, 7, 3, 0.5),
        (60, 4, 5, 1, 0.3),
        (60, 4, 1, 6, 0.0),
        (10, 2, 20, 6, 0.3),
        (3, 1, 20, 6, 0.3),
    ],
)
def test_equals_the_literal_form(k_reciprocal_loop, n, n_queries, k1, k2, lambda_) -> None:
    distances = clustered(np.random.default_rng(n + k1), n)
    fast = k_reciprocal(distances, n_queries, k1=k1, k2=k2, lambda_=lambda_)
    slow = k_reciprocal_loop(distances, n_queries, k1, k2, lambda_)
    assert fast.shape == (n_queries, n - n_queries)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_more_pictures_than_one_block(k_reciprocal_loop, dtype) -> None:
    distances = clustered(np.random.default_rng(5), 700).astype(dtype)
    fast = k_reciprocal(distances, 4)
    np.testing.assert_allclose(
        fast, k_reciprocal_loop(distances, 4, 20, 6, 0.3), rtol=0, atol=1e-12
    )


def test_an_asymmetric_matrix_is_transposed_as_published(k_reciprocal_loop) -> None:
    rng = np.random.default_rng(1)
    distances = clustered(rng, 50) + 0.3 * rng.random((50, 50))
    fast = k_reciprocal(distances, 3, k1=8)
    np.testing.assert_allclose(fast, k_reciprocal_loop(distances, 3, 8, 6, 0.3), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    levels=st.integers(1, 4),
    k1=st.integers(1, 8),
    k2=st.integers(1, 5),
)
def test_equal_distances_count_in_the_order_of_their_index(
    k_reciprocal_loop, seed, n, levels, k1, k2
) -> None:
    raw = np.random.default_rng(seed).integers(1, levels + 1, size=(n, n)).astype(np.float64)
    distances = np.minimum(raw, raw.T)
    np.fill_diagonal(distances, 0)
    fast = k_reciprocal(distances, 1, k1=k1, k2=k2)
    np.testing.assert_allclose(fast, k_reciprocal_loop(distances, 1, k1, k2, 0.3), atol=1e-12)


def test_two_pairs_by_hand() -> None:
    # Query 0 and picture 1 are near each other, 2 and 3 likewise; k1 = 1 keeps the pairs apart.
    far, near = 2.0, 1.0
    distances = np.array(
        [
            [0, near, far, far],
            [near, 0, far, far],
            [far, far, 0, near],
            [far, far, near, 0],
        ]
    )
    result = k_reciprocal(distances, 1, k1=1, k2=1, lambda_=0.3)
    # Rows are divided by 2: V_0 = (1, e) / (1 + e) with e = exp(-1/2), V_1 = (e, 1) / (1 + e).
    e = exp(-0.5)
    m = 2 * e / (1 + e)
    expected = [0.7 * (1 - m / (2 - m)) + 0.3 * 0.5, 0.7 + 0.3, 0.7 + 0.3]
    np.testing.assert_allclose(result, [expected], atol=1e-15)


def test_mutual_neighbours_rank_above_a_hub() -> None:
    # Picture 1 is as near to the query as its friends are, but every picture is near to it.
    rng = np.random.default_rng(3)
    distances = clustered(rng, 60, n_groups=3, spread=0.2)
    group = distances[0] < np.median(distances[0])
    hub = int(np.flatnonzero(~group)[0])
    distances[:, hub] = distances[hub] = 0.1 + 0.01 * rng.random(60)
    distances[hub, hub] = 0
    before = distances[0, 1:].argmin() + 1
    after = k_reciprocal(distances, 1, k1=8, lambda_=0.0)[0].argmin() + 1
    assert before == hub
    assert after != hub
    assert group[after]


def test_blocks_make_the_square_matrix() -> None:
    distances = clustered(np.random.default_rng(2), 12)
    joined = join_blocks(distances[:3, 3:], distances[:3, :3], distances[3:, 3:])
    np.testing.assert_array_equal(joined, distances)
    with pytest.raises(InputError, match="3 queries to 9 candidates do not fit"):
        join_blocks(distances[:3, 3:], distances[:3, :3], distances[4:, 4:])


def test_identical_pictures_end_with_finite_values() -> None:
    result = k_reciprocal(np.zeros((40, 40)), 2)
    assert np.isfinite(result).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad) -> None:
    distances = clustered(np.random.default_rng(2), 12)
    distances[3, 4] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        k_reciprocal(distances, 1)


@pytest.mark.parametrize(
    ("shape", "n_queries", "options", "message"),
    [
        ((3, 4), 1, {}, "a square matrix"),
        ((4, 4), 0, {}, "0 queries do not fit"),
        ((4, 4), 5, {}, "5 queries do not fit"),
        ((4, 4), 1, {"k1": 0}, "at least 1"),
        ((4, 4), 1, {"lambda_": 1.5}, "lambda from 0 to 1"),
    ],
)
def test_parameters_out_of_range_are_refused(shape, n_queries, options, message) -> None:
    with pytest.raises(InputError, match=message):
        k_reciprocal(np.ones(shape), n_queries, **options)
