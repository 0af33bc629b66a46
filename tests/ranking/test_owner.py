"""No face of a still has two owners: small stills worked out by hand, and the rule itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.ranking.constraints import constraints
from castsearch.ranking.owner import SAME_FACE, owned_faces
from castsearch.types import Box, Face, FaceHit

A, B = np.float32([1, 0]), np.float32([0, 1])


def hit(vector, suitability: float) -> FaceHit:
    return FaceHit(Face(Box(0, 0, 10, 10), 0.9), vector, suitability)


def suitabilities(hits, stills, **facts):
    owned = owned_faces(hits, np.array(stills), constraints(stills, 2, **facts))
    return [h and h.suitability for h in owned]


def test_the_best_face_of_a_crop_is_its_own() -> None:
    assert suitabilities([[hit(A, 0.2), hit(B, 0.6)], []], [0, 1]) == [0.6, None]


def test_a_face_in_two_crops_goes_to_the_better_and_the_other_gets_its_next() -> None:
    hits = [[hit(A, 0.9)], [hit(A, 0.5), hit(B, 0.3)]]
    assert suitabilities(hits, [0, 0]) == [0.9, 0.3]


def test_a_crop_whose_only_face_is_its_mates_has_none() -> None:
    assert suitabilities([[hit(A, 0.4)], [hit(A, 0.8)]], [0, 0]) == [None, 0.8]


def test_the_same_face_in_another_still_is_another_box() -> None:
    assert suitabilities([[hit(A, 0.4)], [hit(A, 0.8)]], [0, 1]) == [0.4, 0.8]


def test_two_views_of_one_face_are_one_face_and_siblings_are_two() -> None:
    near = np.float32([0.9, np.sqrt(1 - 0.81)])
    sibling = np.float32([0.5, np.sqrt(0.75)])
    assert suitabilities([[hit(A, 0.9)], [hit(near, 0.8)]], [0, 0]) == [0.9, None]
    assert suitabilities([[hit(A, 0.9)], [hit(sibling, 0.8)]], [0, 0]) == [0.9, 0.8]


def test_equal_suitability_goes_to_the_earlier_candidate() -> None:
    assert suitabilities([[hit(A, 0.5)], [hit(A, 0.5)]], [0, 0]) == [0.5, None]


def test_boxes_of_one_person_show_one_face() -> None:
    # A box and one of its head: the face is found in both, and taken from nobody.
    near = np.float32([0.9, np.sqrt(1 - 0.81)])
    hits = [[hit(A, 0.9)], [hit(near, 0.4)]]
    assert suitabilities(hits, [0, 0], same=[(0, 1)]) == [0.9, 0.4]


def test_a_person_has_one_face_in_a_still() -> None:
    # The larger box shows a neighbour's face too, and suits it better than its own.
    hits = [[hit(A, 0.9)], [hit(B, 0.8), hit(A, 0.3)]]
    assert suitabilities(hits, [0, 0], same=[(0, 1)]) == [0.9, 0.3]
    # And none where it shows only that of another.
    assert suitabilities([[hit(A, 0.9)], [hit(B, 0.8)]], [0, 0], same=[(0, 1)]) == [0.9, None]


def test_the_face_of_one_person_is_taken_from_its_still_mate() -> None:
    hits = [[hit(A, 0.9)], [hit(A, 0.4)], [hit(A, 0.8), hit(B, 0.2)]]
    assert suitabilities(hits, [0, 0, 0], same=[(0, 1)]) == [0.9, 0.4, 0.2]


def test_one_person_may_look_another_way_in_another_still() -> None:
    hits = [[hit(A, 0.9)], [hit(B, 0.8)]]
    assert suitabilities(hits, [0, 1], same=[(0, 1)]) == [0.9, 0.8]


def test_two_boxes_of_one_name_may_show_one_face() -> None:
    hits = [[hit(A, 0.9)], [hit(A, 0.8)]]
    assert suitabilities(hits, [0, 0], labels={0: 1, 1: 1}) == [0.9, 0.8]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_hits=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    n_stills=st.integers(1, 3),
)
def test_owners_are_stable(seed, n_hits, n_stills) -> None:
    rng = np.random.default_rng(seed)
    people = np.eye(3, dtype=np.float32)
    hits = [[hit(people[rng.integers(3)], float(rng.random())) for _ in range(k)] for k in n_hits]
    stills = rng.integers(n_stills, size=len(hits))
    owned = owned_faces(hits, stills, constraints(stills, 1))
    for i, mine in enumerate(owned):
        assert mine is None or any(mine is h for h in hits[i])
        rivals = [o for j, o in enumerate(owned) if j != i and stills[j] == stills[i] and o]
        if mine is not None:
            assert all(float(mine.vector @ r.vector) <= SAME_FACE for r in rivals)
        # What one did not get, a mate has that it suits better, or something better was had.
        for wanted in hits[i]:
            if mine is None or wanted.suitability > mine.suitability:
                assert any(
                    float(wanted.vector @ r.vector) > SAME_FACE
                    and r.suitability > wanted.suitability
                    for r in rivals
                )
