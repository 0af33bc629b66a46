from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.ranking.coarse import UNCLAIMED, inverse_relation, rankings, similarity
from castsearch.types import Candidate, CastMember, Still

STILL = Still("s", Path("s.jpg"))
A, B = np.float32([1, 0]), np.float32([0, 1])


def test_cosine_of_the_nearest_portrait() -> None:
    scores = similarity([[A, B], [A], []], [A, None, np.float32([0.6, 0.8])], euclidean=False)
    expected = [[1, -np.inf, 0.8], [1, -np.inf, 0.6], [-np.inf] * 3]
    assert scores == pytest.approx(np.array(expected))


def test_euclidean_distance_is_negated() -> None:
    scores = similarity([[A * 3]], [B * 4, A * 3], euclidean=True)
    assert scores == pytest.approx(np.array([[-5, 0]]))


def test_inverse_relation_puts_those_that_named_the_cast_first() -> None:
    scores = np.array([[0.9, 0.2, 0.5], [0.8, 0.3, 0.5]])
    assert inverse_relation(scores) == pytest.approx(
        np.array([[0.9, 0.2 - UNCLAIMED, 0.5], [0.8 - UNCLAIMED, 0.3, 0.5 - UNCLAIMED]])
    )


def test_ties_are_broken_by_id_and_counted() -> None:
    candidates = [Candidate(i, STILL) for i in ("c", "a", "b", "d")]
    scores = np.array([[-np.inf, -np.inf, 0.5, np.nan]])
    (ranking,) = rankings([CastMember("q", "q", ())], candidates, scores, [list("wxyz")])
    assert ranking.candidate_ids == ("b", "a", "c", "d")
    assert ranking.reasons == ("y", "x", "w", "z")
    assert ranking.n_ties == 3


@given(st.data())
def test_every_ranking_is_complete_and_never_rises(data: st.DataObject) -> None:
    n_cast, n = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 12))
    values = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 1.0])
    scores = np.array([[data.draw(values) for _ in range(n)] for _ in range(n_cast)])
    cast = [CastMember(f"q{i}", "", ()) for i in range(n_cast)]
    candidates = [Candidate(f"c{i:02}", STILL) for i in range(n)]
    ordered = inverse_relation(scores)
    for i, ranking in enumerate(rankings(cast, candidates, ordered, [[""] * n] * n_cast)):
        assert sorted(ranking.candidate_ids) == [c.id for c in candidates]
        assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
        by_hand = sorted(range(n), key=lambda j: (-ordered[i, j], f"c{j:02}"))
        assert ranking.candidate_ids == tuple(f"c{j:02}" for j in by_hand)
