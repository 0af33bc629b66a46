"""Query expansion against its literal form and by hand."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.alternatives.expand import (
    CLAIMED,
    FACE_HIT,
    OTHER_BODY,
    STEP,
    STILL_MATE,
    expand,
)


def cosines(rng: np.random.Generator, centres, who, noise: float):
    points = centres[who] + noise * rng.normal(size=(len(who), centres.shape[1]))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, points @ points.T


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_cast=st.integers(1, 4),
    noise=st.floats(0.2, 2),
    threshold=st.floats(0.1, 0.9),
)
def test_equals_the_literal_form(expand_loop, seed, n_cast, noise, threshold) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_cast + 1, 6))
    who = rng.integers(n_cast + 1, size=30)
    faces, face_pairs = cosines(rng, centres, who, noise)
    _, body_pairs = cosines(rng, centres, who, 2 * noise)
    portraits = centres[:n_cast] / np.linalg.norm(centres[:n_cast], axis=1, keepdims=True)
    face = portraits @ faces.T
    hidden = rng.random(30) < 0.4
    face[:, hidden] = -np.inf
    face_pairs[hidden] = face_pairs[:, hidden] = np.nan
    stills = [int(still) for still in rng.integers(15, size=30)]
    if hidden.all():
        return
    fast = expand(face, face_pairs, body_pairs, stills, threshold=threshold)
    slow = np.array(expand_loop(face, face_pairs, body_pairs, stills, threshold))
    np.testing.assert_array_equal(fast.groups, slow[..., 0])
    np.testing.assert_allclose(fast.scores, slow[..., 1] - STEP * slow[..., 0], rtol=0, atol=1e-12)


def test_five_candidates_by_hand() -> None:
    # 0: face of cast 0; 1: back of head; 2: still-mate of 0; 3: face of cast 1; 4: joins by 0.
    face = np.array([[0.8, -np.inf, -np.inf, 0.0, 0.3], [0.0, -np.inf, -np.inf, 0.9, 0.1]])
    pairs = np.full((5, 5), np.nan)
    pairs[np.ix_([0, 3, 4], [0, 3, 4])] = [[1, 0, 0.45], [0, 1, 0], [0.45, 0, 1]]
    body = np.eye(5)
    body[1] = body[:, 1] = [0.7, 1, 0, 0, 0.5]
    result = expand(face, pairs, body, ["a", "b", "a", "c", "d"], n_least=1)
    np.testing.assert_array_equal(
        result.members, [[True, False, False, False, True], [False, False, False, True, False]]
    )
    assert list(result.groups[0]) == [FACE_HIT, OTHER_BODY, STILL_MATE, CLAIMED, FACE_HIT]
    # Candidate 1 has body similarities 0.7 and 0.5 to the two queries of cast 0.
    mean = (0.7 * exp(0.7) + 0.5 * exp(0.5)) / (exp(0.7) + exp(0.5))
    assert result.scores[0, 1] == pytest.approx(mean - STEP)
    # Candidate 0 has the portrait (0.8) and candidate 4 (0.45).
    mean = (0.8 * exp(0.8) + 0.45 * exp(0.45)) / (exp(0.8) + exp(0.45))
    assert result.scores[0, 0] == pytest.approx(mean)
    assert list(np.argsort(-result.scores[0])) == [0, 4, 1, 2, 3]


def test_no_face_is_nothing_to_go_by() -> None:
    result = expand(np.full((2, 3), -np.inf), np.full((3, 3), np.nan), np.eye(3), [0, 1, 2])
    assert np.isneginf(result.scores).all()
    assert not result.members.any()


def test_nan_and_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        expand(np.ones((1, 2)), np.full((2, 2), np.nan), np.eye(2), [0, 1])
    with pytest.raises(InputError, match="do not fit"):
        expand(np.ones((1, 2)), np.eye(2), np.eye(3), [0, 1])
    with pytest.raises(InputError, match="one query"):
        expand(np.ones((1, 2)), np.eye(2), np.eye(2), [0, 1], n_least=0)
