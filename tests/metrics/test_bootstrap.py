from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics.bootstrap import draws, interval, resampled_means


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 99))
def test_means_equal_those_of_the_drawn_queries(n: int, n_rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((n_rows, n))
    units = [f"q{i:02}" for i in range(n)]  # in the order that draws number them in
    means = resampled_means(values, units, n_resamples=7, seed=seed)
    for k, counts in enumerate(draws(n, n_resamples=7, seed=seed)):
        drawn = [i for i, count in enumerate(counts) for _ in range(count)]
        assert len(drawn) == n
        assert means[:, k] == pytest.approx(values[:, drawn].mean(axis=1))


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), st.integers(0, 99))
def test_queries_of_one_name_are_drawn_together(units: list[str], seed: int) -> None:
    values = np.random.default_rng(seed).random((1, len(units)))
    means = resampled_means(values, units, n_resamples=5, seed=seed)
    names = sorted(set(units))
    for k, counts in enumerate(draws(len(names), n_resamples=5, seed=seed)):
        drawn = [
            value
            for name, count in zip(names, counts, strict=True)
            for value in [v for v, u in zip(values[0], units, strict=True) if u == name] * count
        ]
        assert means[0, k] == pytest.approx(np.mean(drawn))


def test_the_interval_is_as_wide_as_theory_says() -> None:
    # 400 values of 0 or 1 in equal parts: the standard error of their mean is 0.5 / 20 = 0.025.
    values = np.arange(400) % 2.0
    means = resampled_means(values[None], [str(i) for i in range(400)], n_resamples=4000)
    found = interval(values, means[0])
    assert found.mean == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.004)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.004)


def test_the_ends_are_percentiles() -> None:
    found = interval(np.array([0.5]), np.arange(101.0))
    assert (found.low, found.high) == pytest.approx((2.5, 97.5))


def test_the_same_seed_gives_the_same_draws() -> None:
    first, again, other = (draws(9, n_resamples=3, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("shape", "n_units"), [((2, 3), 2), ((1, 0), 0), ((3,), 3)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...], n_units: int) -> None:
    with pytest.raises(InputError, match="do not fit"):
        resampled_means(np.zeros(shape), ["q"] * n_units)
