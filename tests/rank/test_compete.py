"""Competition among casts and exclusivity within a still, by hand and against literal forms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.rank.compete import assign_stills, competition, exclusive, lost_to_still_mates

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


@pytest.mark.parametrize("call", [competition, lambda s: assign_stills(s, [0, 1], others=0)])
def test_nan_is_refused(call) -> None:
    with pytest.raises(InputError, match="NaN"):
        call(np.array([[0.1, np.nan]]))


def test_a_negative_alpha_is_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        competition(np.ones((2, 2)), alpha=-1)


def test_two_boxes_of_one_still_are_two_people() -> None:
    # Both boxes of still "a" look like cast 0; the second is given what it likes next.
    scores = np.array([[0.9, 0.8, 0.9], [0.1, 0.6, 0.1]])
    stills = ["a", "a", "b"]
    np.testing.assert_array_equal(assign_stills(scores, stills, others=0.3), [0, 1, 0])
    lost = lost_to_still_mates(scores, stills, others=0.3)
    np.testing.assert_array_equal(lost, [[False, True, False], [True, False, False]])
    result = exclusive(scores, stills, others=0.3, penalty=0.5)
    np.testing.assert_allclose(result, [[0.9, 0.3, 0.9], [-0.4, 0.6, 0.1]])


def test_the_sum_over_the_still_decides() -> None:
    # Box 0 likes cast 0 a little more, box 1 likes nobody but cast 0: 0.5 + 0.9 beats 0.6 + 0.
    scores = np.array([[0.6, 0.9], [0.5, -INF]])
    np.testing.assert_array_equal(assign_stills(scores, [7, 7], others=0.0), [1, 0])


def test_a_box_below_others_is_nobody_and_takes_nothing_away() -> None:
    scores = np.array([[0.2, 0.1]])
    np.testing.assert_array_equal(assign_stills(scores, [1, 1], others=0.3), [-1, -1])
    assert not lost_to_still_mates(scores, [1, 1], others=0.3).any()


@given(seed=st.integers(0, 1000), n_cast=st.integers(1, 4), n=st.integers(1, 4))
def test_assignment_equals_trying_all(seed, n_cast, n) -> None:
    scores = np.random.default_rng(seed).normal(size=(n_cast, n))
    options = [*range(n_cast), *[-1] * n]
    values = {
        choice: sum(scores[c, i] if c >= 0 else 0.1 for i, c in enumerate(choice))
        for choice in permutations(options, n)
    }
    best = max(values, key=lambda choice: values[choice])
    assert tuple(assign_stills(scores, np.zeros(n), others=0.1)) == best


def test_stills_must_fit_the_candidates() -> None:
    with pytest.raises(InputError, match="2 candidates but stills of shape"):
        assign_stills(np.ones((1, 2)), [1, 2, 3], others=0)
