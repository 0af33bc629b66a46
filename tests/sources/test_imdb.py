from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from castsearch.sources.movies import read
from castsearch.sources.paths import NOWHERE
from castsearch.types import CastMember, Movie

Tree = Callable[[dict[str, object]], Path]
P = b"p"
MOVIE = {
    "val/tt1/cast/tt1_nm1.jpg": P,
    "val/tt1/cast/tt1_nm2.jpg": P,
    "val/tt1/candidates/tt1_0000.jpg": P,
    "val/tt1/candidates/tt1_0001.jpg": P,
    "val/tt1/candidates/tt1_0002.jpg": P,
}
CAST = {"val/tt1/cast/tt1_nm1.jpg": "nm1", "val/tt1/cast/tt1_nm2.jpg": "nm2"}
CANDIDATES = {
    "val/tt1/candidates/tt1_0000.jpg": "nm2",
    "val/tt1/candidates/tt1_0001.jpg": "others",
    "val/tt1/candidates/tt1_0002.jpg": "nm1",
}
LABELS = ["tt1_nm2", "others", "tt1_nm1"]
LABELLED = {**MOVIE, "val/tt1/cast.json": CAST, "val/tt1/candidate.json": CANDIDATES}


def labels_of(movie: Movie) -> list[str | None]:
    return [candidate.label for candidate in movie.candidates]


def messages_of(movie: Movie) -> list[str]:
    return [problem.message for problem in movie.problems]


@pytest.mark.parametrize(
    ("folder", "tt", "n_cast", "n_candidates", "n_others"),
    [
        ("ntu-mini", "tt9400000", 7, 56, 6),
        ("ntu-mini", "tt0120338", 2, 33, 11),
        ("ntu-parts", "tt9501000", 6, 169, 76),
        ("ntu-parts", "tt9500000", 6, 121, 24),
        ("ntu-parts", "tt9502000", 3, 109, 13),
    ],
)
def test_real_movies_from_root_split_and_movie(
    data_dir: Path, folder: str, tt: str, n_cast: int, n_candidates: int, n_others: int
) -> None:
    root = data_dir / folder
    (movie,) = read(root / "val" / tt)
    assert (len(movie.cast), len(movie.candidates)) == (n_cast, n_candidates)
    assert labels_of(movie).count("others") == n_others
    assert movie.problems == ()
    truth = json.loads((root / "val_GT.json").read_text())
    assert movie.truth == {
        query: set(ids) for query, ids in truth.items() if query.startswith(f"{tt}_")
    }
    assert all(candidate.box is None for candidate in movie.candidates)
    assert movie in read(root / "val")
    assert movie in read(root)
    assert len(read(root)) == {"ntu-mini": 2, "ntu-parts": 5}[folder]


def test_real_truth_file_in_the_place_of_labels(data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data_dir / "ntu-mini", copy)
    for file in copy.rglob("c*.json"):
        file.unlink()
    truths = [movie.truth for movie in read(copy)]
    assert truths == [movie.truth for movie in read(data_dir / "ntu-mini")]


def test_real_movie_folder_of_another_name(data_dir: Path) -> None:
    (movie,) = read(data_dir / "bbt-faces")
    truth = json.loads((data_dir / "bbt-faces" / "GT.json").read_text())
    assert movie.id == "tt9400000"
    assert movie.truth == {query: set(ids) for query, ids in truth.items()}


def test_without_labels(tree: Tree) -> None:
    (movie,) = read(tree(MOVIE))
    assert [(member.id, member.name) for member in movie.cast] == [
        ("tt1_nm1", "nm1"),
        ("tt1_nm2", "nm2"),
    ]
    assert [candidate.id for candidate in movie.candidates] == ["tt1_0000", "tt1_0001", "tt1_0002"]
    assert movie.truth is None
    assert movie.problems == ()


@pytest.mark.parametrize("form", ["{nm}", "tt1_{nm}", "any {nm}"])
@pytest.mark.parametrize("place", ["val/tt1", "val"])
@pytest.mark.parametrize("given_path", ["", "val", "val/tt1"])
def test_labels_of_both_forms_in_both_places(
    tree: Tree, form: str, place: str, given_path: str
) -> None:
    cast = {key: form.format(nm=label) for key, label in CAST.items()}
    candidates = {
        key: label if label == "others" else form.format(nm=label)
        for key, label in CANDIDATES.items()
    }
    other = {f"val/tt2/candidates/tt2_000{i}.jpg": "nm1" for i in range(3)}
    files = {**MOVIE, f"{place}/cast.json": cast, f"{place}/candidate.json": candidates}
    if place == "val":
        files["val/candidate.json"] = {**candidates, **other}
    (movie,) = read(tree(files) / given_path)
    assert labels_of(movie) == LABELS
    assert movie.problems == ()


@pytest.mark.parametrize(
    "prefix", ["", "candidates/", "train/renamed/candidates/", "x\\candidates\\"]
)
def test_keys_match_by_their_last_parts(tree: Tree, prefix: str) -> None:
    candidates = {f"{prefix}{key.rpartition('/')[2]}": label for key, label in CANDIDATES.items()}
    root = tree({**MOVIE, "val/tt1/candidate.json": candidates})
    (movie,) = read(root / "val" / "tt1")
    assert labels_of(movie) == LABELS
    assert movie.problems == ()


def test_truth_file_at_the_root(tree: Tree) -> None:
    truth = {"tt1_nm1": ["tt1_0002"], "tt1_nm2": ["tt1_0000"], "tt2_nm1": ["tt2_0000"]}
    root = tree({**MOVIE, "val_GT.json": truth})
    for path in (root, root / "val", root / "val" / "tt1"):
        (movie,) = read(path)
        assert labels_of(movie) == LABELS


def test_labels_in_the_movie_come_before_the_truth_file(tree: Tree) -> None:
    (movie,) = read(tree({**LABELLED, "val_GT.json": {"tt1_nm1": ["tt1_0000"]}}))
    assert labels_of(movie) == LABELS


def test_several_splits(tree: Tree) -> None:
    root = tree(
        {
            **LABELLED,
            "test/tt3/cast/tt3_nm1.jpg": P,
            "test/tt3/candidates/tt3_0000.jpg": P,
            "train/tt1/cast/tt1_nm7.jpg": P,
            "train/tt1/candidates/tt1_0000.jpg": P,
        }
    )
    movies = read(root)
    assert [movie.id for movie in movies] == ["tt1", "tt3"]
    # train comes before val.
    assert [member.id for member in movies[0].cast] == ["tt1_nm7"]
    assert messages_of(movies[0]) == ["Movie tt1 is there more than once; the first one counts."]


def test_broken_labels_leave_the_movie_without(tree: Tree) -> None:
    root = tree({**MOVIE, "val/tt1/cast.json": '{"a": ', "val/tt1/candidate.json": [1, 2]})
    (movie,) = read(root)
    assert movie.truth is None
    assert messages_of(movie) == [
        f"{root}/val/tt1/cast.json is broken JSON at line 1, column 7 (Expecting value); mend it "
        "or write it again. No label is taken from it.",
        f"{root}/val/tt1/candidate.json is not a JSON object of labels. No label is taken from it.",
    ]


def test_labels_for_missing_pictures(tree: Tree) -> None:
    root = tree(
        {
            **MOVIE,
            "val/tt1/cast.json": {**CAST, "val/tt1/cast/tt1_nm9.jpg": "nm9"},
            "val/tt1/candidate.json": {
                **CANDIDATES,
                "val/tt1/candidates/tt1_0003.jpg": "nm9",
            },
        }
    )
    (movie,) = read(root)
    assert movie.cast[2] == CastMember("tt1_nm9", "nm9", ())
    candidate = movie.candidates[3]
    assert (candidate.id, candidate.label) == ("tt1_0003", "tt1_nm9")
    assert candidate.still.path == NOWHERE
    assert candidate.problem == (
        "candidate.json names val/tt1/candidates/tt1_0003.jpg, which is missing; candidate "
        "tt1_0003 is ranked last."
    )
    assert messages_of(movie) == [
        "cast.json names the portrait val/tt1/cast/tt1_nm9.jpg of tt1_nm9, which is missing.",
        candidate.problem,
    ]


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "val/tt1/candidates/../../../../etc/passwd",
        "..\\..\\etc\\passwd",
        "C:\\passwd",
    ],
)
@pytest.mark.parametrize("place", ["cast", "candidate"])
def test_labels_that_leave_the_root_are_refused(tree: Tree, key: str, place: str) -> None:
    root = tree({**LABELLED, f"val/tt1/{place}.json": {key: "nm1"}})
    (movie,) = read(root / "val" / "tt1")
    outside = f"lies outside the folder {root}/val/tt1 and is refused"
    if place == "cast":
        assert movie.cast[2] == CastMember("tt1_passwd", "passwd", ())
        expected = f"cast.json names the portrait {key} of tt1_passwd, which {outside}."
    else:
        candidate = movie.candidates[3]
        assert (candidate.id, candidate.still.path) == ("tt1_passwd", NOWHERE)
        expected = (
            f"candidate.json names {key}, which {outside}; candidate tt1_passwd is ranked last."
        )
        assert candidate.problem == expected
    assert expected in messages_of(movie)


def test_labels_from_outside_do_not_count_for_a_picture_of_the_same_name(tree: Tree) -> None:
    cast = {"../../x/cast/tt1_nm1.jpg": "nm1"}
    candidates = {"/x/candidates/tt1_0000.jpg": "nm1"}
    root = tree({**MOVIE, "val/tt1/cast.json": cast, "val/tt1/candidate.json": candidates})
    (movie,) = read(root)
    assert [(c.id, c.label) for c in movie.candidates][:2] == [
        ("tt1_0000", None),
        ("tt1_0000-2", "tt1_nm1"),
    ]
    outside = f"lies outside the folder {root} and is refused"
    assert messages_of(movie)[:2] == [
        f"cast.json names the portrait ../../x/cast/tt1_nm1.jpg of tt1_nm1, which {outside}.",
        f"candidate.json names /x/candidates/tt1_0000.jpg, which {outside}; candidate tt1_0000-2 "
        "is ranked last.",
    ]


def test_a_shared_label_file_that_leaves_the_root(tree: Tree) -> None:
    root = tree({**MOVIE, "val/candidate.json": {**CANDIDATES, "../../etc/passwd": "nm1"}})
    (movie,) = read(root)
    assert labels_of(movie) == LABELS
    assert messages_of(movie) == [
        f"{root}/val/candidate.json names ../../etc/passwd, which is refused."
    ]


def test_labels_for_what_is_there_but_no_picture(tree: Tree) -> None:
    labels = {**CANDIDATES, "val/tt1/candidates/notes.txt": "nm1", "val/tt1/candidates/": "nm1"}
    root = tree({**MOVIE, "val/tt1/candidates/notes.txt": "", "val/tt1/candidate.json": labels})
    (movie,) = read(root)
    assert [candidate.id for candidate in movie.candidates][3:] == ["tt1__", "tt1_notes"]
    assert messages_of(movie) == [
        "candidate.json names val/tt1/candidates/notes.txt, which is not one of the pictures in "
        "its folder; candidate tt1_notes is ranked last.",
        "candidate.json names val/tt1/candidates/, which is not a file; candidate tt1__ is ranked "
        "last.",
    ]


def test_two_labels_for_one_candidate(tree: Tree) -> None:
    labels = {**CANDIDATES, "train/tt1/candidates/tt1_0000.jpg": "nm1"}
    (movie,) = read(tree({**MOVIE, "val/tt1/candidate.json": labels}))
    assert labels_of(movie) == LABELS
    assert messages_of(movie) == ["candidate.json labels tt1_0000 twice; the first label counts."]


def test_a_picture_without_a_label_and_a_label_of_nobody(tree: Tree) -> None:
    labels = {
        "val/tt1/candidates/tt1_0000.jpg": "nm2",
        "val/tt1/candidates/tt1_0001.jpg": "nm99",
    }
    (movie,) = read(tree({**MOVIE, "val/tt1/candidate.json": labels}))
    assert labels_of(movie) == ["tt1_nm2", "others", None]
    assert messages_of(movie) == [
        "candidate.json of tt1 has labels that name nobody of the cast (1, first: nm99); those "
        "candidates count as others.",
        "Movie tt1 has candidates without a label (1 of 3, first: tt1_0002); they count as wrong "
        "for every query.",
    ]


def test_a_label_of_the_cast_that_is_no_text(tree: Tree) -> None:
    cast = {**CAST, "val/tt1/cast/tt1_nm1.jpg": 7}
    (movie,) = read(tree({**LABELLED, "val/tt1/cast.json": cast}))
    assert labels_of(movie) == LABELS
    assert messages_of(movie) == [
        "cast.json labels val/tt1/cast/tt1_nm1.jpg with something that is not text."
    ]


def test_two_portraits_of_one_person_with_two_labels(tree: Tree) -> None:
    files = {name: P for name in MOVIE if "nm1" not in name}
    files |= {"val/tt1/cast/tt1_nm1/a.jpg": P, "val/tt1/cast/tt1_nm1/b.jpg": P}
    cast = {"cast/tt1_nm1/a.jpg": "young", "cast/tt1_nm1/b.jpg": "old", "cast/tt1_nm2.jpg": "x"}
    labels = {f"candidates/tt1_000{i}.jpg": label for i, label in enumerate(("old", "x", "young"))}
    root = tree({**files, "val/tt1/cast.json": cast, "val/tt1/candidate.json": labels})
    (movie,) = read(root)
    assert labels_of(movie) == ["tt1_nm1", "tt1_nm2", "tt1_nm1"]
    assert movie.problems == ()


def test_one_unusable_movie_does_not_stop_the_others(tree: Tree) -> None:
    root = tree({**LABELLED, "val/tt2/candidates/tt2_0000.jpg": P, "val/tt3/cast/tt3_nm1.jpg": P})
    first, second, third = read(root)
    assert labels_of(first) == LABELS
    assert (second.id, second.cast, second.candidates) == ("tt2", (), ())
    assert messages_of(second) == [
        f"Movie tt2 has no cast; put one portrait per person into {root}/val/tt2/cast."
    ]
    assert (third.id, third.cast, third.candidates) == ("tt3", (), ())
    assert messages_of(third) == [
        f"Movie tt3 has no candidates; put crops into {root}/val/tt3/candidates or whole pictures "
        f"into {root}/val/tt3/stills."
    ]


KEYS = st.text() | st.sampled_from(
    [*CAST, *CANDIDATES, "../x", "/x", "tt1_nm1", "tt1", "val/tt1/candidates/", "a\0b", "\ud800"]
)
JSON = st.recursive(
    st.none() | st.integers() | st.floats() | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cast=JSON, candidates=JSON, truth=JSON)
@example(cast=None, candidates=None, truth={"tt1_": ["\ud800"]})
def test_no_label_file_stops_the_movie(
    tree: Tree, cast: object, candidates: object, truth: object
) -> None:
    files = {"val/tt1/cast.json": cast, "val/candidate.json": candidates, "val_GT.json": truth}
    root = tree({**MOVIE, **{name: json.dumps(document) for name, document in files.items()}})
    (movie,) = read(root)
    assert {"tt1_0000", "tt1_0001", "tt1_0002"} <= {c.id for c in movie.candidates}
    known = {"others", None, *(member.id for member in movie.cast)}
    assert set(labels_of(movie)) <= known
    for problem in movie.problems:
        problem.message.encode("utf-8")
