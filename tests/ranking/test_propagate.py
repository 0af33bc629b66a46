"""Label propagation against its closed form and small graphs worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from castsearch.errors import InputError
from castsearch.ranking.propagate import diffuse


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.9, 0.99])
def test_diffusion_equals_the_closed_form(alpha) -> None:
    rng = np.random.default_rng(0)
    W = np.where(rng.random((40, 40)) < 0.1, rng.random((40, 40)), 0)
    W = W + W.T
    W[7] = W[:, 7] = 0
    seeds = rng.random((40, 4))
    degree = W.sum(axis=1)
    root = np.where(degree > 0, 1 / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    S = root[:, None] * W * root
    expected = (1 - alpha) * np.linalg.solve(np.eye(40) - alpha * S, seeds)
    result = diffuse(sparse.csr_array(W), seeds, alpha=alpha, tolerance=1e-9)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1), by_row=st.booleans())
def test_clamped_diffusion_equals_a_dense_solve(seed, share, by_row) -> None:
    rng = np.random.default_rng(seed)
    W = np.where(rng.random((20, 20)) < 0.2, rng.random((20, 20)), 0)
    W = W + W.T
    seeds = rng.random((20, 3))
    clamped = rng.random(20 if by_row else (20, 3)) < share
    degree = W.sum(axis=1)
    root = np.where(degree > 0, 1 / np.sqrt(np.where(degree > 0, degree, 1)), 0)
    S = root[:, None] * W * root
    # All values as unknowns: those that are clamped are their seeds.
    expected = np.empty((20, 3))
    for label in range(3):
        held = clamped if by_row else clamped[:, label]
        system = np.where(held[:, None], np.eye(20), np.eye(20) - 0.8 * S)
        right = np.where(held, seeds[:, label], 0.2 * seeds[:, label])
        expected[:, label] = np.linalg.solve(system, right)
    result = diffuse(sparse.csr_array(W), seeds, alpha=0.8, clamped=clamped)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-7)
    held = np.broadcast_to(clamped[:, None] if by_row else clamped, seeds.shape)
    np.testing.assert_array_equal(result[held], seeds[held])


def test_diffusion_over_one_edge_by_hand() -> None:
    # S = [[0, 1], [1, 0]]; F = (1 - a) / (1 - a^2) (1, a) = (1, a) / (1 + a).
    result = diffuse(sparse.csr_array([[0, 3.0], [3.0, 0]]), np.array([[1.0], [0.0]]), alpha=0.5)
    np.testing.assert_allclose(result, [[2 / 3], [1 / 3]], atol=1e-7)


@pytest.mark.parametrize(
    ("W", "seeds", "options", "message"),
    [
        (np.eye(3), np.ones((2, 1)), {}, "do not fit"),
        (-np.eye(2), np.ones((2, 1)), {}, "negative"),
        (np.eye(2), np.full((2, 1), np.nan), {}, "NaN"),
        (np.eye(2), np.ones((2, 1)), {"alpha": 1.0}, "alpha must lie"),
    ],
)
def test_diffusion_refuses(W, seeds, options, message) -> None:
    with pytest.raises(InputError, match=message):
        diffuse(sparse.csr_array(W), seeds, **options)
