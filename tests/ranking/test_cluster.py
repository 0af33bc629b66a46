"""Clusters, votes and the reference's coarse-to-fine order, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.cluster import STEP, clusters, hybrid, vote

INF = np.inf


def at(*degrees: float):
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_average_linkage_by_hand() -> None:
    # Cosine distances of 20 and 40 degrees: 0.06 and 0.23; of 90 degrees: 1.
    vectors = at(90, 0, 20, 110)
    assert list(clusters(vectors, threshold=0.1)) == [0, 1, 1, 0]
    assert list(clusters(vectors, threshold=0.05)) == [0, 1, 2, 3]
    assert list(clusters(3 * vectors, threshold=2)) == [0, 0, 0, 0]


def test_the_mean_distance_joins_not_the_smallest() -> None:
    # 30 and 60 degrees: 0.134 and 0.5. The third point is 0.317 from the pair, in the mean.
    vectors = at(0, 30, 60)
    assert list(clusters(vectors, threshold=0.3)) == [0, 0, 1]
    assert list(clusters(vectors, threshold=0.32)) == [0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 40), n_stills=st.integers(1, 20))
def test_no_cluster_holds_two_boxes_of_a_still(seed, n, n_stills) -> None:
    rng = np.random.default_rng(seed)
    stills = rng.integers(n_stills, size=n)
    found = clusters(rng.normal(size=(n, 3)), threshold=1.9, stills=stills)
    pairs = set(zip(found.tolist(), stills.tolist(), strict=True))
    assert len(pairs) == n


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_candidates(n) -> None:
    assert list(clusters(at(0, 90)[:n])) == list(range(n))


@pytest.mark.parametrize(
    ("vectors", "options", "message"),
    [
        (np.full((3, 2), np.nan), {}, "finite"),
        (np.zeros((3, 2)), {}, "length 0"),
        (np.eye(3), {"stills": [1, 2]}, "one id per candidate"),
    ],
)
def test_bad_input_is_refused(vectors, options, message) -> None:
    with pytest.raises(InputError, match=message):
        clusters(vectors, **options)


@pytest.mark.parametrize(
    ("labels", "weights", "expected"),
    [
        ([0, 0, 1, -1, -1], None, [0, -1]),  # outvoted; no votes
        ([0, 1, -1, 1, -1], None, [-1, 1]),  # two equal sums
        ([0, 1, 1, -1, 0], [2.5, 1, 1, 1, 1], [0, 0]),  # one sure vote against two
        ([-1, -1, -1, -1, -1], None, [-1, -1]),
        ([0, 1, 0, 1, -1], [0.1, 0.3, 0.2, 1, 1], [-1, 1]),  # 0.1 + 0.2 is not 0.3 in bits
    ],
)
def test_votes(labels, weights, expected) -> None:
    found = vote(
        np.array([0, 0, 0, 1, 1]),
        np.array(labels),
        2,
        None if weights is None else np.array(weights),
    )
    assert list(found) == expected


def test_votes_need_weight_and_shape() -> None:
    with pytest.raises(InputError, match="above 0"):
        vote(np.array([0]), np.array([0]), 1, np.array([0.0]))
    with pytest.raises(InputError, match="same candidates"):
        vote(np.array([0, 0]), np.array([0]), 1)


def test_bodies_follow_the_faces_of_their_cluster() -> None:
    # Clusters: {0, 1, 2} near 0 degrees, {3, 4} near 90, {5} at 180.
    body = at(0, 10, 20, 90, 100, 180)
    face = np.array(
        [
            [-0.4, -INF, -0.8, -0.9, -INF, -INF],
            [-0.9, -INF, -0.7, -0.3, -INF, -INF],
        ]
    )
    result = hybrid(face, body, cluster_threshold=0.2)
    assert list(result.clusters) == [0, 0, 0, 1, 1, 2]
    assert list(result.labels) == [0, -1, -1, 1, -1, -1]
    assert list(result.named) == [0, 0, 0, 1, 1, -1]

    def chord(degrees: float) -> float:
        return 2 * np.sin(np.deg2rad(degrees) / 2)

    expected = [-0.4, -chord(10), -0.8, -0.9 - STEP, -chord(100) - STEP, -2 - STEP]
    np.testing.assert_allclose(result.scores[0], expected, atol=1e-7)
    assert result.reasons[0][0] == "face distance 0.400, in a cluster that 1 face named"
    assert result.reasons[0][4] == "body distance 1.532"


def test_a_face_outvoted_by_its_cluster_goes_with_the_cluster() -> None:
    body = at(0, 1, 2)
    face = np.array([[-0.1, -0.2, -0.9], [-0.9, -0.9, -0.5]])
    result = hybrid(face, body)
    assert list(result.labels) == [0, 0, 1]
    assert list(result.named) == [0, 0, 0]
    # Its own face still orders it: last of cast 0, first of the rest for cast 1.
    assert list(np.argsort(-result.scores[0])) == [0, 1, 2]
    assert result.scores[1, 2] == pytest.approx(-0.5 - STEP)


def test_the_nearer_face_wins_an_even_vote() -> None:
    face = np.array([[-0.2, -0.9], [-0.9, -0.5]])
    assert list(hybrid(face, at(0, 1)).named) == [0, 0]


def test_the_strict_threshold_labels_less() -> None:
    face = np.array([[-0.57, -0.5]])
    assert list(hybrid(face, at(0, 90)).labels) == [0, 0]
    assert list(hybrid(face, at(0, 90), face_threshold=0.55).labels) == [-1, 0]


def test_no_face_anywhere_is_nothing_to_go_by() -> None:
    result = hybrid(np.full((2, 3), -INF), at(0, 50, 90))
    assert np.isneginf(result.scores).all()
    assert result.reasons[1][2] == "no face, and no body to compare with"


@pytest.mark.parametrize("n", [0, 1])
def test_few_candidates_end_with_scores(n) -> None:
    assert hybrid(np.full((1, n), -0.1), at(0)[:n]).scores.shape == (1, n)


def test_hybrid_refuses_nan_and_shapes() -> None:
    with pytest.raises(InputError, match="NaN"):
        hybrid(np.array([[np.nan]]), at(0))
    with pytest.raises(InputError, match="do not fit 2 bodies"):
        hybrid(np.array([[-0.1]]), at(0, 1))


def test_average_linkage_equals_that_of_scikit_learn() -> None:
    from sklearn.cluster import AgglomerativeClustering

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(8, 16))[rng.integers(8, size=600)] + 0.8 * rng.normal(size=(600, 16))
    model = AgglomerativeClustering(
        None, metric="cosine", linkage="average", distance_threshold=0.5
    )
    expected = model.fit_predict(vectors)
    found = clusters(vectors, threshold=0.5)
    assert len(set(found)) == len(set(expected)) > 5
    assert len(set(zip(found.tolist(), expected.tolist(), strict=True))) == len(set(found))
