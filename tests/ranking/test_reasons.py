"""The words for each way a candidate is decided, from beliefs written down by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from castsearch.ranking.affinity import Bodies, Faces
from castsearch.ranking.constraints import constraints
from castsearch.ranking.film import FilmBeliefs, FilmEvidence
from castsearch.ranking.reasons import film_reasons

IDS = ["a", "b", "c", "d", "e"]


def words(
    final, *, beliefs=None, seeds=None, links=None, stills=(0, 1, 2, 3, 4), faces=(), **facts
) -> list[list[str]]:
    """Reasons for Ann and Bob; rows of beliefs are candidates, columns Ann, Bob, others."""
    n = len(final)
    final = np.array(final, dtype=float)
    has_face = np.isin(np.arange(n), faces)
    none = np.zeros((n, 1), np.float32)
    evidence = FilmEvidence(
        np.where(has_face, [[0.71], [0.05]], -np.inf),
        Faces(none, has_face),
        np.ones(n),
        Bodies(none, none, np.zeros(n, dtype=bool)),
    )
    made = FilmBeliefs(
        final[:, :2].T,
        np.zeros((n, 3)) if seeds is None else np.array(seeds, dtype=float),
        final if beliefs is None else np.array(beliefs, dtype=float),
        final,
        sparse.csr_array((n, n) if links is None else np.array(links, dtype=float)),
    )
    people = constraints(stills[:n], 2, **facts)
    return film_reasons(made, evidence, IDS[:n], ["Ann", "Bob"], people)


def test_an_own_face_is_said_with_its_cosine() -> None:
    assert words([[0.9, 0.03, 0.07]], seeds=[[0.8, 0.1, 0.0]], faces=[0]) == [
        ["face (0.71)"],
        ["rather Ann"],
    ]


def test_a_body_names_at_most_three_that_say_most() -> None:
    final = [[0.8, 0.1, 0.1], [0.9, 0, 0.1], [0.8, 0, 0.2], [0.7, 0, 0.3], [0.6, 0, 0.4]]
    links = np.zeros((5, 5))
    links[0, 1:] = 0.5, 0.9, 0.4, 0.3
    assert words(final, links=links)[0][0] == "looks like c, b, d"
    # Said: .45, .08, .07 and .06; a fifth of the strongest is .09.
    links[0, 1:] = 0.5, 0.1, 0.1, 0.1
    assert words(final, links=links)[0][0] == "looks like b"


def test_a_still_mate_is_named_to_both_sides() -> None:
    before = [[0.6, 0.1, 0.3], [0.9, 0.05, 0.05]]
    after = [[0.1, 0.6, 0.3], [0.95, 0.03, 0.02]]
    seeds = [[0, 0, 0], [0.9, 0, 0]]
    said = words(after, beliefs=before, seeds=seeds, stills=(7, 7), faces=[1])
    assert said[0] == ["a still-mate (b) is likelier", "face (0.71)"]
    assert said[1] == ["its still-mates are others", "rather Ann"]


@pytest.mark.parametrize(
    ("seeds", "faces", "own"),
    [
        ([[0, 0, 0]], [], "nothing speaks for anyone asked for"),
        ([[0.02, 0.02, 0.3]], [0], "a face unlike every portrait"),
    ],
)
def test_who_is_nobody_asked_for(seeds, faces, own) -> None:
    assert words([[0.04, 0.02, 0.94]], seeds=seeds, faces=faces) == [[own], [own]]


def test_a_weak_likeness_is_said_with_what_outweighs_it() -> None:
    final = [[0.2, 0.75, 0.05], [0.9, 0.05, 0.05], [0.2, 0.04, 0.76]]
    links = [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]
    said = words(final, links=links)
    assert said[0][0] == "looks like b, but rather Bob"
    assert said[0][2] == "weak likeness, but rather nobody asked for"
    assert said[1][2] == "nothing speaks for anyone asked for"


def test_what_a_person_said_is_the_reason() -> None:
    final = [[1, 0, 0], [0, 0, 1], [0, 0.9, 0.1], [0, 0.04, 0.96]]
    seeds = [[1, 0, 0], [0, 0, 1], [0, 0.9, 0], [0, 0, 0]]
    said = words(
        final, seeds=seeds, stills=(0, 1, 2, 0), labels={0: 0, 1: 2}, denied=[(2, 0)], faces=[2]
    )
    named, nobody = "corrected: this is Ann", "corrected: this is nobody asked for"
    assert said[0] == [named, nobody, "corrected: not Ann", "corrected: Ann is a"]
    assert said[1] == [named, nobody, "face (0.05)", "nothing speaks for anyone asked for"]


def test_the_face_of_another_box_of_the_person_is_said_with_its_id() -> None:
    final = [[0.9, 0.05, 0.05]] * 2
    said = words(final, seeds=[[0.9, 0, 0]] * 2, faces=[1], stills=(0, 0), same=[(0, 1)])
    assert said[0] == ["face (0.71) of b", "face (0.71)"]
    assert said[1] == ["rather Ann", "rather Ann"]


def test_a_likeness_names_the_first_box_of_a_person() -> None:
    final = [[0.8, 0.1, 0.1], [0.9, 0, 0.1], [0.9, 0, 0.1]]
    links = [[0, 0.5], [0.5, 0]]
    assert words(final, links=links, same=[(1, 2)])[0][0] == "looks like b"


def test_of_the_people_one_is_apart_from_the_likeliest_is_named() -> None:
    # b never meets c, and a meets both.
    before = [[0.6, 0.1, 0.3], [0.7, 0.1, 0.2], [0.9, 0, 0.1]]
    after = [[0.1, 0.2, 0.7], [0.6, 0.1, 0.3], [0.9, 0, 0.1]]
    said = words(after, beliefs=before, different=[(0, 1), (0, 2)])
    assert said[0][0] == "a still-mate (c) is likelier"
