"""The order by faces alone: whose score, in which words, direct and inverse."""

from __future__ import annotations

import numpy as np
import pytest

from castsearch.ranking.by_faces import BY_FACES
from castsearch.ranking.coarse import UNCLAIMED
from castsearch.ranking.constraints import free
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.order import UNREADABLE, Ordered, OrderSettings, People
from castsearch.types import Box, Face

NAMES = ["Ann", "Bob", "Cid"]


def evidence(*, is_euclidean: bool = False) -> Evidence:
    """Ann and Bob have portraits, Cid has none that shows a face.

    Candidate 0 shows Ann's face and, found later, Bob's; 1 is nearer to Bob; 2 has no face; 3 could
    not be read.
    """
    boxes = [(0, 0, 10, 10, 0.9), (50, 0, 60, 10, 0.8), (5, 5, 9, 9, 0.7)]
    return Evidence(
        n_cast=3,
        portraits=np.float32([[1, 0], [0, 1]]),
        portrait_cast=np.array([0, 1]),
        hits=np.float32([[1, 0], [0, 1], [0.6, 0.8]]),
        hit_candidate=np.array([0, 0, 1]),
        hit_boxes=np.array(boxes),
        hit_suitability=np.ones(3),
        has_body=np.zeros(4, bool),
        has_lower=np.zeros(4, bool),
        whole={},
        lower={},
        stills=np.arange(4),
        boxes=np.full((4, 4), np.nan),
        shifts=np.zeros((4, 2)),
        is_readable=np.array([True, True, True, False]),
        is_euclidean=is_euclidean,
    )


def ranked(found: Evidence, relation: str = "direct") -> Ordered:
    people = People([f"c{i}" for i in range(4)], NAMES)
    return BY_FACES.rank(found, OrderSettings("face", relation), free(4, 3), people)


NOTHING = -np.inf


def test_the_score_is_the_cosine_of_the_first_face() -> None:
    expected = [[1, 0.6, NOTHING, NOTHING], [0, 0.8, NOTHING, NOTHING], [NOTHING] * 4]
    np.testing.assert_allclose(ranked(evidence()).scores, expected, atol=1e-7)


def test_the_score_is_minus_the_distance_where_vectors_are_compared_by_it() -> None:
    # From (0.6, 0.8) it is sqrt(0.8) to (1, 0), and sqrt(0.4) to (0, 1).
    expected = [
        [0, -np.sqrt(0.8), NOTHING, NOTHING],
        [-np.sqrt(2), -np.sqrt(0.4), NOTHING, NOTHING],
        [NOTHING] * 4,
    ]
    scores = ranked(evidence(is_euclidean=True)).scores
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_reasons_of_the_direct_order() -> None:
    assert ranked(evidence()).reasons == [
        ["face", "face", "no face found", UNREADABLE],
        ["face", "face", "no face found", UNREADABLE],
        ["no face in the portrait", "no face in the portrait", "no face found", UNREADABLE],
    ]


def test_in_the_inverse_order_a_candidate_counts_for_its_nearest_cast_first() -> None:
    result = ranked(evidence(), "inverse")
    expected = [[1, 0.6 - UNCLAIMED], [0 - UNCLAIMED, 0.8]]
    np.testing.assert_allclose(result.scores[:2, :2], expected, atol=1e-6)
    assert result.reasons[0][:2] == ["face", "face, nearer to Bob"]
    assert result.reasons[1][:2] == ["face, nearer to Ann", "face"]


def test_the_first_face_of_each_candidate_is_shown() -> None:
    assert ranked(evidence()).faces == {
        0: Face(Box(0, 0, 10, 10), 0.9),
        1: Face(Box(5, 5, 9, 9), 0.7),
    }


@pytest.mark.parametrize("relation", ["direct", "inverse"])
def test_without_a_cast_there_is_no_list(relation: str) -> None:
    found = evidence()
    nobody = Evidence(
        **{name: getattr(found, name) for name in Evidence.__slots__}
        | {"n_cast": 0, "portraits": np.zeros((0, 2), np.float32), "portrait_cast": np.zeros(0)}
    )
    result = BY_FACES.rank(
        nobody, OrderSettings("face", relation), free(4, 0), People(list("abcd"), [])
    )
    assert result.scores.shape == (0, 4)
    assert result.reasons == []


def test_what_the_order_is() -> None:
    assert not BY_FACES.all_faces
    assert not BY_FACES.gives_probabilities
    assert not BY_FACES.takes_facts
    assert not BY_FACES.needs_body
