from __future__ import annotations

from pathlib import Path

from castsearch.sources.labels import Truth, note_unlabelled, truth_of, with_labels
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
    document = {
        "tt1_nm1": ["tt1_0", "tt1_2"],
        "tt1_nm2": ["tt1_2"],
        "tt10_nm1": ["tt10_0"],
        "tt1_broken": "tt1_1",
    }
    truth = truth_of(document, "tt1")
    assert truth == Truth({"tt1_0": "tt1_nm1", "tt1_2": "tt1_nm1"}, rest="others")


def test_truth_by_movie() -> None:
    document = {
        "tt1": {
            "cast": [{"id": "tt1_nm1", "label": "A"}, {"id": "tt1_nm2", "label": "A"}, 5],
            "candidates": [
                {"id": "tt1_0", "label": "A"},
                {"id": "tt1_0", "label": "others"},
                {"id": "tt1_1"},
                {"label": "A"},
            ],
        }
    }
    assert truth_of(document, "tt1") == Truth({"tt1_0": "A", "tt1_1": None}, {"A": "tt1_nm1"})
    assert truth_of(document, "tt2") == Truth()


def test_every_form_of_a_label() -> None:
    truth = Truth(
        {"tt1_0": "nm1", "tt1_1": "tt1_nm2", "tt1_2": "others", "tt1_3": "Rose", "tt1_4": None},
        {"Rose": "tt1_nm2"},
    )
    labelled = with_labels(movie(*[None] * 6), truth, "val.json")
    assert labels_of(labelled) == ["tt1_nm1", "tt1_nm2", "others", "tt1_nm2", None, None]
    assert labelled.problems == ()


def test_candidates_that_truth_by_query_leaves_out_are_others() -> None:
    labelled = with_labels(movie(None, None), Truth({"tt1_0": "tt1_nm1"}, rest="others"), "GT")
    assert labels_of(labelled) == ["tt1_nm1", "others"]


def test_a_label_that_is_there_is_kept() -> None:
    labelled = with_labels(movie("tt1_nm1", None), Truth({}, rest="others"), "GT")
    assert labels_of(labelled) == ["tt1_nm1", "others"]


def test_labels_that_lead_nowhere_are_counted() -> None:
    truth = Truth({"tt1_0": "nm9", "tt1_1": "nm8", "tt1_2": 7, "tt1_9": "nm1"})
    labelled = with_labels(movie(None, None, None), truth, "val.json")
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
