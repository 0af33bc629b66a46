from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.sources.labels import (
    Labels,
    MovieLabels,
    is_others,
    listed,
    movie_prefix,
    note_unlabelled,
    parse,
    with_labels,
)
from castsearch.types import Candidate, CastMember, Movie, Problem, Still


def movie(*labels: str | None) -> Movie:
    still = Still("s", Path("s.jpg"))
    return Movie(
        "tt1",
        (CastMember("tt1_nm1", "nm1", ()), CastMember("tt1_nm2", "nm2", ())),
        tuple(Candidate(f"tt1_{i}", still, label=label) for i, label in enumerate(labels)),
    )


def labels_of(movie: Movie) -> list[str | None]:
    return [candidate.label for candidate in movie.candidates]


def test_truth_by_query() -> None:
    document = {"tt1_nm1": ["tt1_0", "tt1_2"], "tt1_nm2": ["tt1_3"], "tt10_nm1": ["tt10_0"]}
    labels = parse(document)
    assert labels.queries == {
        "tt1_nm1": ("tt1_0", "tt1_2"),
        "tt1_nm2": ("tt1_3",),
        "tt10_nm1": ("tt10_0",),
    }
    assert (labels.movies, labels.problems) == ({}, ())
    assert labels.of("tt1") == MovieLabels(
        {"tt1_0": "tt1_nm1", "tt1_2": "tt1_nm1", "tt1_3": "tt1_nm2"}, rest="others"
    )
    assert labels.of("tt2") == MovieLabels()


def test_truth_by_movie() -> None:
    document = {
        "tt1": {
            "cast": [{"id": "nm1", "label": "A"}, {"id": "tt1_nm2"}],
            "candidates": [{"id": "tt1_0", "label": "A"}, {"id": "tt1_1"}],
        }
    }
    labels = parse(document)
    part = MovieLabels({"tt1_0": "A", "tt1_1": None}, (("tt1_nm1", "A"), ("tt1_nm2", None)))
    assert labels == Labels({}, {"tt1": part})
    assert labels.of("tt1") == part
    assert labels.of("tt2") == MovieLabels()


def test_ids_of_movies_and_queries_are_made_fit_as_everywhere() -> None:
    document = {"my film": {"cast": [{"id": "Ann"}], "candidates": []}}
    assert parse(document).of("my_film").cast == (("my_film_Ann", None),)
    assert list(parse({"my film_Ann": ["x"]}).queries) == ["my_film_Ann"]


MOVIE = {"cast": [{"id": "tt1_nm1", "label": "A"}], "candidates": [{"id": "tt1_0", "label": "A"}]}


@pytest.mark.parametrize(
    ("document", "where", "message", "expected"),
    [
        (
            {"tt1_nm1": ["tt1_0", 3]},
            "tt1_nm1",
            "the list of tt1_nm1 holds something that is not an id",
            {"tt1_0": "tt1_nm1"},
        ),
        (
            {"tt1_nm1": ["b", "a", "b", "a", "c"]},
            "tt1_nm1",
            "the list of tt1_nm1 names twice: a, b",
            {"a": "tt1_nm1", "b": "tt1_nm1", "c": "tt1_nm1"},
        ),
        (
            {"tt1_nm1": ["a"], "tt1_nm2": ["b", "a"]},
            "tt1_nm2",
            "a is listed for tt1_nm1 and for tt1_nm2",
            {"a": "tt1_nm1", "b": "tt1_nm2"},
        ),
        (
            {"tt1_a b": ["x"], "tt1_a_b": ["y"]},
            "tt1_a_b",
            "tt1_a_b occurs twice",
            {"x": "tt1_a_b"},
        ),
        (
            {"tt1_nm1": "tt1_1"},
            "tt1_nm1",
            "tt1_nm1 has neither a list of candidates nor a cast and candidates",
            {},
        ),
        ({"tt1": {"cast": []}}, "tt1", 'tt1 has no list "candidates"', {}),
        (
            {"tt1": {**MOVIE, "cast": [*MOVIE["cast"], {"label": "B"}]}},
            "tt1",
            'an entry of "cast" of tt1 has no id',
            {"tt1_0": "A"},
        ),
        (
            {"tt1": {**MOVIE, "candidates": [*MOVIE["candidates"], 5]}},
            "tt1",
            'an entry of "candidates" of tt1 has no id',
            {"tt1_0": "A"},
        ),
        (
            {"tt1": {**MOVIE, "cast": [*MOVIE["cast"], {"id": "nm1", "label": "B"}]}},
            "tt1",
            'the id tt1_nm1 occurs twice in "cast" of tt1',
            {"tt1_0": "A"},
        ),
        (
            {"tt1": {**MOVIE, "candidates": [*MOVIE["candidates"], {"id": "tt1_0"}]}},
            "tt1",
            'the id tt1_0 occurs twice in "candidates" of tt1',
            {"tt1_0": "A"},
        ),
        (
            {"tt1": {**MOVIE, "candidates": [{"id": "tt1_0", "label": 7}]}},
            "tt1",
            'the label of tt1_0 in "candidates" of tt1 is not text',
            {"tt1_0": None},
        ),
    ],
)
def test_what_is_ambiguous_is_said_and_the_first_counts(
    document: dict[str, object], where: str, message: str, expected: dict[str, object]
) -> None:
    labels = parse(document)
    assert labels.problems == (Problem(where, message),)
    part = labels.of("tt1")
    assert part.labels == expected
    assert part.problems == labels.problems
    told = [problem.message for problem in with_labels(movie(), part, "GT.json").problems]
    assert f"GT.json: {message}; what is clear of it counts." in told


def test_both_forms_in_one_document() -> None:
    (problem,) = parse({"tt1": MOVIE, "tt2_nm1": ["tt2_0"]}).problems
    assert problem.where == ""
    assert problem.message.startswith("it is not a ground truth of one form")


def test_a_problem_of_another_movie_is_not_told_with_this_one() -> None:
    labels = parse({"tt1_nm1": ["a"], "tt10_nm1": ["b", "b"], "tt2": {"cast": 1}})
    assert labels.of("tt1").problems == ()
    assert len(labels.of("tt10").problems) == 1


def test_every_form_of_a_label() -> None:
    part = MovieLabels(
        {
            "tt1_0": "nm1",
            "tt1_1": "tt1_nm2",
            "tt1_2": "others",
            "tt1_3": "Rose",
            "tt1_4": None,
            "tt1_5": "tt1_Rose",
            "tt1_6": "Others",
            "tt1_7": "tt1_others",
            "tt1_8": "Rosie",
        },
        (("tt1_nm2", "Rose"), ("tt1_nm2", "tt1_Rosie"), ("tt1_nm1", None)),
    )
    labelled = with_labels(movie(*[None] * 10), part, "val.json")
    assert labels_of(labelled) == [
        "tt1_nm1",
        "tt1_nm2",
        "others",
        "tt1_nm2",
        None,
        "tt1_nm2",
        "others",
        "others",
        "tt1_nm2",
        None,
    ]
    assert labelled.problems == ()


def test_a_label_of_the_cast_comes_before_an_id_of_the_cast() -> None:
    part = MovieLabels({"tt1_0": "nm1", "tt1_1": "nm2"}, (("tt1_nm1", "nm2"), ("tt1_nm2", "nm1")))
    labelled = with_labels(movie(None, None), part, "val.json")
    assert labels_of(labelled) == ["tt1_nm2", "tt1_nm1"]
    assert labelled.problems == ()


def test_a_label_that_two_of_the_cast_have_is_said() -> None:
    part = MovieLabels({"tt1_0": "A"}, (("tt1_nm2", "A"), ("tt1_nm1", "tt1_A")))
    labelled = with_labels(movie(None), part, "val.json")
    assert labels_of(labelled) == ["tt1_nm2"]
    assert [problem.message for problem in labelled.problems] == [
        "val.json has labels that several of the cast have (1, first: tt1_A); the first of them "
        "counts."
    ]


def test_candidates_that_truth_by_query_leaves_out_are_others() -> None:
    part = MovieLabels({"tt1_0": "tt1_nm1"}, rest="others")
    assert labels_of(with_labels(movie(None, None), part, "GT")) == ["tt1_nm1", "others"]


def test_a_label_that_is_there_is_kept() -> None:
    labelled = with_labels(movie("tt1_nm1", None), MovieLabels({}, rest="others"), "GT")
    assert labels_of(labelled) == ["tt1_nm1", "others"]


def test_labels_that_lead_nowhere_are_counted() -> None:
    part = MovieLabels({"tt1_0": "nm9", "tt1_1": "nm8", "tt1_2": 7, "tt1_9": "nm1"})
    labelled = with_labels(movie(None, None, None), part, "val.json")
    assert labels_of(labelled) == ["others", "others", None]
    assert labelled.problems == (
        Problem(
            "tt1",
            "val.json has labels that name nobody of the cast (2, first: nm9); those candidates "
            "count as others.",
        ),
        Problem(
            "tt1",
            "val.json has labels that are not text (1, first: tt1_2); those candidates stay "
            "without one.",
        ),
        Problem(
            "tt1",
            "val.json has labels for candidates that are not there (1, first: tt1_9); they are "
            "left out.",
        ),
    )


def test_candidates_without_a_label_beside_others_are_told() -> None:
    assert note_unlabelled(movie(None, None)).problems == ()
    assert note_unlabelled(movie("others", "tt1_nm1")).problems == ()
    assert [p.message for p in note_unlabelled(movie("others", None)).problems] == [
        "Movie tt1 has candidates without a label (1 of 2, first: tt1_1); they count as wrong for "
        "every query."
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("others", True),
        ("tt1_others", True),
        ("The_Others", True),
        ("brothers", False),
        ("others_1", False),
        ("", False),
    ],
)
def test_is_others(name: str, expected: bool) -> None:
    assert is_others(name) == expected


def test_movie_prefix() -> None:
    assert movie_prefix("tt0120338_nm0000138") == "tt0120338"
    assert movie_prefix("a_b_c") == "a_b"
    assert movie_prefix("alone") == ""


def test_listed() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(i) for i in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed(["\ud800"]) == "\\ud800"
