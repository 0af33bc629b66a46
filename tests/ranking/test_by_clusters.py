"""Clusters of bodies that faces name, on a movie drawn by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from castsearch.features.asked import asked
from castsearch.features.region import Features
from castsearch.presets import preset
from castsearch.ranking.by_clusters import BY_CLUSTERS
from castsearch.ranking.evidence import Evidence, movie_evidence
from castsearch.ranking.movie import ordered
from castsearch.ranking.order import UNREADABLE
from castsearch.types import Box, Candidate, CastMember, Face, Movie, Ranking, Still

FACE = Face(Box(0, 0, 9, 9), 1.0)
MOVIE = Movie(
    "m",
    tuple(CastMember(f"m_{i}", f"Cast {i}", (Still(f"p{i}", Path("p.jpg")),)) for i in range(2)),
    tuple(Candidate(name, Still(name, Path("c.jpg"))) for name in "abcde"),
)


def vector(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


def body(*values: float) -> dict[str, np.ndarray]:
    return {"efficientnet-lite0": vector(*values)}


# A, B: faces; C: no face, but the body of A; D: unreadable; E: neither face nor likeness.
CROPS = [
    Features(FACE, vector(0.3, 0), body=body(1, 0, 0)),
    Features(FACE, vector(3.5, 0), body=body(0, 1, 0)),
    Features(body=body(0.9, 0.1, 0)),
    Features(problem="is cut short"),
    Features(body=body(0, 0.1, 1)),
]


def evidence(crops: list[Features]) -> Evidence:
    what = asked(preset("sgbt_hybrid").look)
    portraits = [[Features(FACE, vector(0, 0))], [Features(FACE, vector(3, 0))]]
    return movie_evidence(MOVIE, portraits, crops, None, what)


def ranked(found: Evidence, *settings: str) -> tuple[Ranking, ...]:
    return ordered(MOVIE, found, preset("sgbt_hybrid", settings).order)[0]


def test_faces_name_clusters_and_unreadable_pictures_come_last() -> None:
    first, second = ranked(evidence(CROPS))
    # C has no face, but is of the cluster that A named, and nearer to A than A to the portrait.
    assert first.candidate_ids[:2] == ("c", "a")
    assert first.reasons[:2] == (
        "body distance 0.111, in a cluster that 1 face named",
        "face distance 0.300, in a cluster that 1 face named",
    )
    assert second.candidate_ids[0] == "b"
    for ranking in (first, second):
        assert ranking.candidate_ids[-1] == "d"
        assert ranking.scores[-1] == -math.inf
        assert ranking.reasons[-1] == UNREADABLE


def test_faces_are_shown_of_those_that_have_one() -> None:
    _, faces, problems = ordered(MOVIE, evidence(CROPS), preset("sgbt_hybrid").order)
    assert faces == {"a": FACE, "b": FACE}
    assert problems == ()


def test_the_settings_reach_the_clusters() -> None:
    found = evidence(CROPS)
    strict = ranked(found, "prelabel_distance=0.2")
    assert not any("cluster" in reason for r in strict for reason in r.reasons)
    fine = ranked(found, "cluster_distance=0.001")
    reasons = dict(zip(fine[0].candidate_ids, fine[0].reasons, strict=True))
    assert reasons["a"].endswith("in a cluster that 1 face named")
    assert reasons["c"] == "body distance 0.111"


def test_a_movie_of_unreadable_pictures_has_a_ranking() -> None:
    rankings = ranked(evidence([Features(problem="is cut short")] * 5))
    assert [r.candidate_ids for r in rankings] == [tuple("abcde")] * 2
    assert {reason for r in rankings for reason in r.reasons} == {UNREADABLE}


def test_several_descriptors_stand_for_one_body() -> None:
    """By the second descriptor C is B, by the first all but A: together it is like neither."""
    found = evidence(CROPS)
    second = np.float32([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    first, other = ranked(replace(found, whole=dict(found.whole) | {"second": second}))
    # C is (0.9, 0.1, 0, 0, 1, 0), of length 1.349: its cosines are 0.472 with A and 0.577 with B,
    # and the distances of unit vectors sqrt(2 - 2 cos).
    assert dict(zip(first.candidate_ids, first.reasons, strict=True))["c"] == "body distance 1.028"
    assert dict(zip(other.candidate_ids, other.reasons, strict=True))["c"] == "body distance 0.920"


def test_what_the_order_is() -> None:
    assert BY_CLUSTERS.needs_body
    assert not BY_CLUSTERS.all_faces
    assert not BY_CLUSTERS.gives_probabilities
    assert not BY_CLUSTERS.takes_facts


@pytest.mark.parametrize("is_euclidean", [True, False])
def test_faces_are_compared_by_distance_whatever_the_encoder(is_euclidean: bool) -> None:
    found = replace(evidence(CROPS), is_euclidean=is_euclidean)
    assert ranked(found)[0].reasons[1].startswith("face distance 0.300")
