from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.sources.movies import read
from castsearch.sources.paths import NOWHERE, is_fit_id
from castsearch.types import Box, Candidate, CastMember, Movie, Still

Tree = Callable[[dict[str, object]], Path]
P = b"p"
PICTURES = {"val/tt1/cast/tt1_nm1.jpg": P, "val/tt1/a.jpg": P, "val/tt1/b.jpg": P}
SPLIT: dict[str, Any] = {
    "tt1": {
        "cast": [{"id": "tt1_nm1", "img": "tt1/cast/tt1_nm1.jpg", "label": "nm1"}],
        "candidates": [
            {"id": "tt1_0002", "img": "tt1/b.jpg", "bbox": [0, 0, 9, 9], "label": "nm1"},
            {"id": "tt1_0000", "img": "tt1/a.jpg", "bbox": [3, 4, 10, 20], "label": "nm1"},
            {"id": "tt1_0001", "img": "tt1/a.jpg", "bbox": [-5, -6, 7.5, 8], "label": "others"},
        ],
    }
}


@pytest.fixture
def split() -> dict[str, Any]:
    """A copy to spoil."""
    return copy.deepcopy(SPLIT)


def labels_of(movie: Movie) -> list[str | None]:
    return [candidate.label for candidate in movie.candidates]


def messages_of(movie: Movie) -> list[str]:
    return [problem.message for problem in movie.problems]


@pytest.mark.parametrize(
    ("folder", "tt", "n_cast", "n_stills", "n_boxes", "n_others"),
    [
        ("wider-mini", "tt9400000", 7, 20, 56, 6),
        ("wider-mini", "tt0120338", 2, 11, 33, 11),
        ("wider-scenes", "tt9501000", 6, 46, 169, 76),
        ("wider-scenes", "tt9500000", 6, 80, 121, 24),
        ("wider-scenes", "tt9502000", 3, 80, 109, 13),
    ],
)
def test_real_movies_from_every_path(
    data_dir: Path, folder: str, tt: str, n_cast: int, n_stills: int, n_boxes: int, n_others: int
) -> None:
    root = data_dir / folder
    (movie,) = read(root / "val" / tt)
    assert (len(movie.cast), len(movie.candidates)) == (n_cast, n_boxes)
    assert len({candidate.still.id for candidate in movie.candidates}) == n_stills
    assert labels_of(movie).count("others") == n_others
    assert movie.problems == ()
    truth = json.loads((root / "val_label.json").read_text())
    assert movie.truth == {
        query: set(ids) for query, ids in truth.items() if query.startswith(f"{tt}_")
    }
    assert read(root) == read(root / "val") == read(root / "val.json")
    assert movie in read(root)
    assert len(read(root)) == {"wider-mini": 2, "wider-scenes": 3}[folder]


def test_a_split_by_hand(tree: Tree) -> None:
    root = tree({**PICTURES, "val.json": SPLIT})
    (movie,) = read(root)
    portrait = Still("tt1/cast/tt1_nm1.jpg", root / "val/tt1/cast/tt1_nm1.jpg")
    a, b = Still("tt1/a.jpg", root / "val/tt1/a.jpg"), Still("tt1/b.jpg", root / "val/tt1/b.jpg")
    assert movie == Movie(
        "tt1",
        (CastMember("tt1_nm1", "nm1", (portrait,)),),
        (
            Candidate("tt1_0000", a, Box(3, 4, 13, 24), "tt1_nm1"),
            Candidate("tt1_0001", a, Box(-5, -6, 2.5, 2), "others"),
            Candidate("tt1_0002", b, Box(0, 0, 9, 9), "tt1_nm1"),
        ),
    )


def test_boxes_of_one_picture_share_its_still_whatever_the_spelling(
    tree: Tree, split: dict[str, Any]
) -> None:
    split["tt1"]["candidates"][1]["img"] = "tt1/./cast/../a.jpg"
    split["tt1"]["candidates"][2]["img"] = "tt1\\a.jpg"
    (movie,) = read(tree({**PICTURES, "val.json": split}))
    assert movie.problems == ()
    assert movie.candidates[0].still == movie.candidates[1].still


def test_stills_of_two_movies_differ_though_the_picture_is_one(
    tree: Tree, split: dict[str, Any]
) -> None:
    split["tt2"] = copy.deepcopy(split["tt1"])
    first, second = read(tree({**PICTURES, "val.json": split}))
    assert first.cast[0].id == "tt1_nm1"
    assert second.cast[0].id == "tt2_tt1_nm1"
    assert first.candidates[0].still.id == "tt1/a.jpg"
    assert second.candidates[0].still.id == "tt2/tt1/a.jpg"


def without_labels(split: dict[str, Any]) -> dict[str, Any]:
    for candidate in split["tt1"]["candidates"]:
        candidate.pop("label", None)
    return split


@pytest.mark.parametrize(
    "truth",
    [
        {"tt1_nm1": ["tt1_0000", "tt1_0002"]},
        {
            "tt1": {
                "cast": [{"id": "tt1_nm1", "label": "nm1"}],
                "candidates": [
                    {"id": "tt1_0000", "label": "nm1"},
                    {"id": "tt1_0001", "label": "others"},
                    {"id": "tt1_0002", "label": "nm1"},
                ],
            }
        },
    ],
    ids=["by query", "by movie"],
)
@pytest.mark.parametrize("name", ["val_label.json", "val_GT.json"])
def test_truth_of_both_forms(
    tree: Tree, split: dict[str, Any], truth: dict[str, object], name: str
) -> None:
    del split["tt1"]["cast"][0]["label"]
    (movie,) = read(tree({**PICTURES, "val.json": without_labels(split), name: truth}))
    assert labels_of(movie) == ["tt1_nm1", "others", "tt1_nm1"]
    assert movie.problems == ()


def test_a_label_of_the_cast_that_is_no_text(tree: Tree, split: dict[str, Any]) -> None:
    split["tt1"]["cast"][0]["label"] = ["nm1"]
    root = tree({**PICTURES, "val.json": split})
    (movie,) = read(root)
    assert labels_of(movie) == ["tt1_nm1", "others", "tt1_nm1"]
    assert messages_of(movie) == [f"The label of tt1_nm1 in {root}/val.json is not text."]


def test_without_truth(tree: Tree, split: dict[str, Any]) -> None:
    (movie,) = read(tree({**PICTURES, "val.json": without_labels(split)}))
    assert movie.truth is None
    assert movie.problems == ()


def test_a_broken_truth_file_leaves_the_movie_without(tree: Tree, split: dict[str, Any]) -> None:
    root = tree({**PICTURES, "val.json": without_labels(split), "val_label.json": "{"})
    (movie,) = read(root)
    assert movie.truth is None
    assert messages_of(movie) == [
        f"{root}/val_label.json is broken JSON at line 1, column 2 (Expecting property name "
        "enclosed in double quotes); mend it or write it again. No label is taken from it."
    ]


@pytest.mark.parametrize(
    "bbox",
    [
        [1, 2, 0, 5],
        [1, 2, 5, 0],
        [1, 2, -3, 5],
        [1, 2, float("nan"), 5],
        [float("nan"), 2, 5, 5],
        [0, 0, float("inf"), 5],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, "4"],
        [1, 2, 3, None],
        [1, 2, 3, True],
        [False, 2, 3, 4],
        [1, 2, 3, 10**400],
        [1e300, 0, 1, 1],
        [0, 0, 1e200, 1e200],
        {"x": 1},
        "1 2 3 4",
        None,
    ],
)
def test_a_box_without_area(tree: Tree, split: dict[str, Any], bbox: object) -> None:
    split["tt1"]["candidates"][1]["bbox"] = bbox
    root = tree({**PICTURES, "val.json": split})
    (movie,) = read(root)
    candidate = movie.candidates[0]
    assert (candidate.id, candidate.box) == ("tt1_0000", None)
    assert candidate.problem == (
        f"Candidate tt1_0000 in {root}/val.json has a box without area, or no bbox of four "
        "numbers x, y, width, height; it is ranked last."
    )
    assert messages_of(movie) == [candidate.problem]
    assert [c.problem for c in movie.candidates[1:]] == [None, None]


@pytest.mark.parametrize(
    ("img", "objection"),
    [
        ("tt1/gone.jpg", "is missing"),
        ("tt1", "is not a file"),
        ("../../etc/passwd", "lies outside the folder {root} and is refused"),
        ("/etc/passwd", "lies outside the folder {root} and is refused"),
        ("tt1/../../../../etc/passwd", "lies outside the folder {root} and is refused"),
        ("..\\..\\etc\\passwd", "lies outside the folder {root} and is refused"),
        ("tt1/link.jpg", "lies outside the folder {root} and is refused"),
        ("tt1/linked/secret.jpg", "lies outside the folder {root} and is refused"),
        ("tt1/a\0.jpg", "is not a path that a file can have"),
        ("tt1/" + "x" * 300, "cannot be opened (File name too long)"),
    ],
)
def test_a_picture_that_cannot_be_used(
    tree: Tree, split: dict[str, Any], img: str, objection: str
) -> None:
    split["tt1"]["candidates"][1]["img"] = img
    split["tt1"]["cast"][0]["img"] = img
    root = tree({**PICTURES, "val.json": split})
    (root.parent / "secret.jpg").write_bytes(P)
    (root / "val/tt1/link.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "val/tt1/linked").symlink_to(root.parent)
    (movie,) = read(root)
    ending = f"names the picture {img}, which {objection.format(root=root)}"
    candidate = movie.candidates[0]
    assert candidate.still.path == NOWHERE
    assert candidate.problem == (
        f"Candidate tt1_0000 in {root}/val.json {ending}; it is ranked last."
    )
    assert movie.cast == (CastMember("tt1_nm1", "nm1", ()),)
    assert messages_of(movie) == [
        f"The portrait of tt1_nm1 {ending}; it is left out.",
        candidate.problem,
    ]


def test_an_absolute_path_is_refused_even_into_the_root(tree: Tree, split: dict[str, Any]) -> None:
    root = tree(PICTURES)
    split["tt1"]["candidates"][1]["img"] = f"{root}/val/tt1/a.jpg"
    (movie,) = read(tree({"val.json": split}))
    assert movie.candidates[0].still.path == NOWHERE


def test_a_lone_surrogate_in_a_name_is_refused(tree: Tree, split: dict[str, Any]) -> None:
    split["tt1"]["candidates"][1]["img"] = "tt1/\ud800.jpg"
    split["tt1"]["candidates"][2]["id"] = "tt1_\ud800"
    (movie,) = read(tree({**PICTURES, "val.json": split}))
    assert movie.candidates[0].problem is not None
    assert len(movie.candidates) == 2
    for message in messages_of(movie):
        message.encode("utf-8")


def test_ids_that_are_there_twice(tree: Tree, split: dict[str, Any]) -> None:
    split["tt1"]["candidates"].append(
        {"id": "tt1_0000", "img": "tt1/b.jpg", "bbox": [1, 1, 1, 1], "label": "others"}
    )
    split["tt1"]["cast"].append({"id": "nm1", "img": "tt1/b.jpg"})
    root = tree({**PICTURES, "val.json": split})
    (movie,) = read(root)
    assert movie == Movie(
        "tt1",
        *(lambda m: (m.cast, m.candidates))(read(tree({"val.json": SPLIT}))[0]),
        problems=movie.problems,
    )
    assert messages_of(movie) == [
        f"Entry 1 of cast of tt1 in {root}/val.json has the id tt1_nm1 of an earlier one; it "
        "is left out.",
        f"Entry 3 of candidates of tt1 in {root}/val.json has the id tt1_0000 of an earlier "
        "one; it is left out.",
    ]


@pytest.mark.parametrize("entry", [{"img": "tt1/a.jpg"}, {"id": 7}, {"id": "a b"}, 5, None, []])
def test_an_entry_without_a_usable_id(tree: Tree, split: dict[str, Any], entry: object) -> None:
    split["tt1"]["candidates"].append(entry)
    root = tree({**PICTURES, "val.json": split})
    (movie,) = read(root)
    assert len(movie.candidates) == 3
    assert messages_of(movie) == [
        f"Entry 3 of candidates of tt1 in {root}/val.json has no id that a ranking file can "
        "hold (text without spaces, commas, quotes and slashes); it is left out."
    ]


def test_a_movie_that_is_there_twice(tree: Tree) -> None:
    entry = json.dumps(SPLIT["tt1"])
    root = tree({**PICTURES, "val.json": f'{{"tt1": {entry}, "tt1": {{}}}}'})
    (movie,) = read(root)
    assert len(movie.candidates) == 3
    assert messages_of(movie) == [f"{root}/val.json has tt1 twice; the first one counts."]


@pytest.mark.parametrize(
    ("part", "value", "what"),
    [
        ("cast", [], "empty"),
        ("cast", None, "missing or no list"),
        ("candidates", [], "empty"),
        ("candidates", {"a": 1}, "missing or no list"),
    ],
)
def test_no_cast_or_no_candidates(
    tree: Tree, split: dict[str, Any], part: str, value: object, what: str
) -> None:
    split["tt2"] = {**split["tt1"], part: value}
    root = tree({**PICTURES, "val.json": split})
    good, empty = read(root)
    assert good.problems == ()
    assert (empty.id, empty.cast, empty.candidates) == ("tt2", (), ())
    sentence = f'Movie tt2 in {root}/val.json has no {part}: its list "{part}" is {what}; fill it.'
    assert messages_of(empty)[0] == sentence
    del split["tt1"]
    with pytest.raises(InputError) as caught:
        read(tree({"val.json": split}))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("document", [[], {}, 5, None, "text", [1, 2]])
def test_a_split_of_the_wrong_shape(tree: Tree, document: object) -> None:
    root = tree({**PICTURES, "val.json": document if document != "text" else '"text"'})
    with pytest.raises(InputError) as caught:
        read(root)
    assert str(caught.value) == (
        f"{root}/val.json is not a WIDER split; it should be a JSON object with an entry per "
        "movie, each with the lists cast and candidates."
    )


def test_a_broken_split(tree: Tree) -> None:
    root = tree({**PICTURES, "val.json": '{"tt1":\n  {"cast": [}}'})
    for path in (root, root / "val.json", root / "val"):
        with pytest.raises(InputError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{root}/val.json is broken JSON at line 2, column 13 (Expecting value); mend it or "
            "write it again."
        )


def test_one_broken_split_does_not_stop_the_other(tree: Tree) -> None:
    root = tree({**PICTURES, "val.json": SPLIT, "train.json": "{", "train/x.txt": ""})
    broken, good = read(root)
    assert good.problems == ()
    assert (broken.id, broken.cast) == ("train", ())
    assert messages_of(broken)[0].startswith(f"{root}/train.json is broken JSON at line 1")


def test_a_split_without_its_pictures(tree: Tree) -> None:
    root = tree({"val.json": SPLIT})
    with pytest.raises(InputError) as caught:
        read(root)
    assert str(caught.value) == (
        f"The folder {root}/val is missing; put the pictures that {root}/val.json names there."
    )


def test_a_split_that_links_out_is_refused_unless_it_is_given_by_name(tree: Tree) -> None:
    root = tree({**PICTURES, "../val.json": SPLIT})
    (root / "val.json").symlink_to("../val.json")
    with pytest.raises(InputError) as caught:
        read(root)
    assert str(caught.value) == (f"{root}/val.json lies outside the folder {root} and is refused.")
    assert len(read(root / "val.json")) == 1


def test_splits_of_other_names_and_files_that_are_none(tree: Tree) -> None:
    root = tree(
        {
            **{name.replace("val/", "mine/"): P for name in PICTURES},
            "mine.json": SPLIT,
            "views.json": {"tt1_0000": "back"},
            "notes.json": {"a": 1},
            "notes/x.txt": "",
        }
    )
    (movie,) = read(root)
    assert (movie.id, len(movie.candidates), movie.problems) == ("tt1", 3, ())


def test_one_movie_that_the_split_does_not_name(tree: Tree) -> None:
    root = tree({**PICTURES, "val.json": SPLIT, "val/tt7/a.jpg": P})
    with pytest.raises(InputError) as caught:
        read(root / "val" / "tt7")
    assert str(caught.value) == (
        f"{root}/val.json has no entry for the movie tt7; give another folder."
    )


KEYS = st.sampled_from(["tt1", "tt1_nm1", "cast", "candidates", "id", "img", "bbox", "label"])
VALUES = st.sampled_from(
    ["tt1_nm1", "nm1", "others", "tt1_0000", "tt1/a.jpg", "../x", "/etc/passwd", "a\0b", "\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(KEYS | st.text(), inner, max_size=5)
        | st.fixed_dictionaries({"id": VALUES, "img": VALUES, "bbox": st.lists(inner)})
    ),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON, truth=JSON)
def test_any_document_gives_movies_or_an_input_error(
    tree: Tree, document: object, truth: object
) -> None:
    root = tree({**PICTURES, "val.json": json.dumps(document), "val_label.json": json.dumps(truth)})
    try:
        movies = read(root)
    except InputError as error:
        str(error).encode("utf-8")
        return
    check(movies, root)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_split_spoilt_in_one_place_is_still_read(tree: Tree, data: st.DataObject) -> None:
    spoilt = copy.deepcopy(SPLIT)
    target = data.draw(
        st.sampled_from(
            [spoilt["tt1"]["cast"][0], *spoilt["tt1"]["candidates"], spoilt["tt1"]["candidates"]]
        )
    )
    place = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else range(3)))
    target[place] = data.draw(JSON)
    root = tree({**PICTURES, "val.json": json.dumps(spoilt)})
    if not is_fit_id(spoilt["tt1"]["cast"][0].get("id")):
        return  # nothing is left of a cast of one without its id
    movies = read(root)
    check(movies, root)
    assert len(movies[0].candidates) >= 2


def check(movies: list[Movie], root: Path) -> None:
    """What holds of every movie that is read, whatever the file says."""
    for movie in movies:
        ids = [candidate.id for candidate in movie.candidates]
        assert ids == sorted(set(ids))
        for candidate in movie.candidates:
            path = candidate.still.path
            assert path == NOWHERE or path.resolve().is_relative_to(root.resolve())
            assert candidate.problem or (candidate.box is not None and candidate.box.area > 0)
            assert candidate.label in {None, "others", *(member.id for member in movie.cast)}
        for problem in movie.problems:
            problem.message.encode("utf-8")
