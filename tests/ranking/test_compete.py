"""Competition among casts, by hand and against its formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.compete import competition

INF = np.inf


def test_a_candidate_claimed_by_another_cast_drops() -> None:
    scores = np.array([[0.9, 0.5, 0.2], [0.3, 0.6, 0.2]])
    # Candidate 0 loses 2 x 0.6 for cast 1, candidate 1 loses 2 x 0.1 for cast 0, 2 is even.
    expected = [[0.9, 0.3, 0.2], [-0.9, 0.6, 0.2]]
    np.testing.assert_allclose(competition(scores, alpha=2), expected, atol=1e-15)


@given(
    seed=st.integers(0, 1000),
    n_cast=st.integers(2, 5),
    alpha=st.floats(0, 3),
)
def test_competition_equals_the_formula(seed, n_cast, alpha) -> None:
    S = np.random.default_rng(seed).integers(0, 4, size=(n_cast, 6)) / 4
    expected = np.array(
        [
            [
                S[c, i] - alpha * max(0, max(S[k, i] for k in range(n_cast) if k != c) - S[c, i])
                for i in range(6)
            ]
            for c in range(n_cast)
        ]
    )
    np.testing.assert_allclose(competition(S, alpha=alpha), expected, atol=1e-12)


def test_nothing_to_go_by_claims_nothing() -> None:
    scores = np.array([[-INF, 0.5, -INF], [0.3, -INF, -INF]])
    np.testing.assert_array_equal(competition(scores, alpha=2), scores)


def test_one_cast_competes_with_nobody() -> None:
    np.testing.assert_array_equal(competition(np.array([[0.1, 0.9]])), [[0.1, 0.9]])


def test_nan_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        competition(np.array([[0.1, np.nan]]))


def test_a_negative_alpha_is_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        competition(np.ones((2, 2)), alpha=-1)
