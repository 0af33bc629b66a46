from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from castsearch.errors import InputError
from castsearch.sources.layouts import Layout
from castsearch.sources.movies import LAYOUTS, SourceLayout, holds_movies, read, tell_layout
from castsearch.types import CastMember, Movie, Still

Tree = Callable[[dict[str, object]], Path]
P = b"p"
PLAIN = {"cast/Ann.jpg": P, "candidates/1.jpg": P}
COURSE = {"val/tt1/cast/tt1_nm1.jpg": P, "val/tt1/candidates/tt1_0000.jpg": P}
BOX = {"id": "tt1_0", "img": "tt1/candidates/a.jpg", "bbox": [0, 0, 1, 1]}
WIDER = {
    "val/tt1/cast/tt1_nm1.jpg": P,
    "val/tt1/candidates/a.jpg": P,
    "val.json": {
        "tt1": {"cast": [{"id": "tt1_nm1", "img": "tt1/cast/tt1_nm1.jpg"}], "candidates": [BOX]}
    },
}


def under(folder: str, files: dict[str, object]) -> dict[str, object]:
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize(
    ("files", "given_path", "expected"),
    [
        (PLAIN, "", "folder"),
        (under("film", PLAIN), "", "folder"),
        (under("film", PLAIN), "film", "folder"),
        ({**under("film", PLAIN), "film.json": {"my": "notes"}}, "", "folder"),
        ({**under("film", PLAIN), "film.json": {"my": "notes"}}, "film", "folder"),
        (COURSE, "", "imdb"),
        (COURSE, "val", "imdb"),
        (COURSE, "val/tt1", "imdb"),
        ({**under("film", PLAIN), "film/cast.json": {}}, "film", "imdb"),
        ({**under("film", PLAIN), "candidate.json": {}}, "", "imdb"),
        (under("film", {"cast/tt1_nm1.jpg": P, "stills/1.jpg": P}), "film", "imdb"),
        (WIDER, "", "wider"),
        (WIDER, "val", "wider"),
        (WIDER, "val.json", "wider"),
        (WIDER, "val/tt1", "wider"),
        ({"val.json": "{"}, "", "wider"),
    ],
)
def test_the_layout_is_told_by_what_is_there(
    tree: Tree, files: dict[str, object], given_path: str, expected: str
) -> None:
    assert tell_layout(tree(files) / given_path) == expected


def test_the_layout_can_be_overridden(tree: Tree) -> None:
    root = tree(WIDER)
    (wider,) = read(root / "val" / "tt1")
    (plain,) = read(root / "val" / "tt1", layout="folder")
    assert [candidate.id for candidate in wider.candidates] == ["tt1_0"]
    assert [candidate.id for candidate in plain.candidates] == ["tt1_a"]
    assert read(root, layout="wider") == read(root)
    (course,) = read(root, layout="imdb")
    assert course.cast[0].id == "tt1_nm1"


def test_another_layout_is_one_line_in_the_table(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films, each a file with its cast beside it, which no other layout takes."""
    root = tree({"film.mp4": P, "film.jpg": P})

    def films(path: Path) -> list[Movie]:
        still = Still("film/film.jpg", path.with_suffix(".jpg"))
        cast = (CastMember("film_Ann", "Ann", (still,)),)
        return [Movie("film", cast, (), (Still("film/0", path, 0, 0.0),))]

    film = SourceLayout(lambda path: path.suffix == ".mp4", films, "a film")
    assert not holds_movies(root / "film.mp4")
    monkeypatch.setitem(LAYOUTS, "film", film)
    assert holds_movies(root / "film.mp4")
    assert tell_layout(root / "film.mp4") == "film"
    assert read(root / "film.mp4") == films(root / "film.mp4")
    assert read(root / "film.mp4", layout="film") == films(root / "film.mp4")
    with pytest.raises(InputError, match=r"is a file; give the folder"):
        read(root / "film.jpg")
    with pytest.raises(InputError, match=r"of movies \(plain folder\), and a film\.$"):
        read(root)
    assert tell_layout(tree(PLAIN)) == "folder"


def test_the_layout_that_comes_first_in_the_table_is_taken(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(COURSE)
    assert tell_layout(root / "val") == "imdb"
    backwards = dict(reversed(LAYOUTS.items()))
    monkeypatch.setattr("castsearch.sources.movies.LAYOUTS", backwards)
    assert tell_layout(root / "val") == "folder"


def test_an_unknown_layout(tree: Tree) -> None:
    with pytest.raises(InputError) as caught:
        read(tree(PLAIN), layout="coco")
    assert str(caught.value) == ("There is no layout 'coco'; use one of auto, wider, imdb, folder.")
    assert caught.value.exit_code == 2


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "gone")
    assert str(caught.value) == (
        f"{tmp_path / 'gone'} does not exist; give the folder of a movie or a data set."
    )
    with pytest.raises(InputError, match="does not exist"):
        read("a\0b")


@pytest.mark.parametrize("layout", get_args(Layout))
def test_a_folder_without_a_movie(tree: Tree, layout: str) -> None:
    root = tree({"holiday/1.jpg": P, "notes.json": {}})
    with pytest.raises(InputError) as caught:
        read(root, layout=layout)
    assert str(caught.value) == (
        f"No movie was found in {root}; looked for <split>.json beside <split>/ (WIDER), "
        "{train,val,test}/<movie>/cast (IMDb course), and cast/ with candidates/ or stills/, here "
        "or in the folders of movies (plain folder)."
    )


def test_a_file_that_is_no_data_set(tree: Tree) -> None:
    root = tree({"film.mp4": P})
    with pytest.raises(InputError) as caught:
        read(root / "film.mp4")
    assert str(caught.value) == (
        f"{root}/film.mp4 is a file; give the folder of a movie or a data set, or the <split>.json "
        "of a WIDER data set."
    )
    for layout in ("imdb", "folder", "wider"):
        with pytest.raises(InputError):
            read(root / "film.mp4", layout=layout)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"candidates/1.jpg": P},
            "Movie data has no cast; put one portrait per person into {root}/cast.",
        ),
        (
            {"cast/notes.txt": "", "candidates/1.jpg": P},
            "Movie data has no cast; put one portrait per person into {root}/cast.",
        ),
        (
            {"cast/Ann.jpg": P},
            "Movie data has no candidates; put crops into {root}/candidates or whole pictures "
            "into {root}/stills.",
        ),
    ],
)
def test_nothing_usable(tree: Tree, files: dict[str, object], sentence: str) -> None:
    root = tree(files)
    with pytest.raises(InputError) as caught:
        read(root)
    assert str(caught.value) == sentence.format(root=root)


def test_of_many_problems_the_first_are_told(tree: Tree) -> None:
    root = tree({f"film{i}/cast/Ann.jpg": P for i in range(5)})
    with pytest.raises(InputError, match=r"^Movie film0 has no .* \(2 more problems\.\)$"):
        read(root)


def test_relative_paths(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(under("film", PLAIN))
    expected = read(root / "film")
    monkeypatch.chdir(root / "film")
    assert read(".") == expected
    assert read("../film") == expected
    assert read(str(root / "film" / "cast" / "..")) == expected


def test_movies_and_what_is_in_them_are_in_the_order_of_their_ids(tree: Tree) -> None:
    names = ["b", "a", "10", "9", "B"]
    files: dict[str, object] = {
        f"{movie}/{folder}/{name}.jpg": P
        for movie in names
        for folder in ("cast", "candidates", "stills")
        for name in names
    }
    movies = read(tree(files))
    assert [movie.id for movie in movies] == ["10", "9", "B", "a", "b"]
    for movie in movies:
        for part in (movie.cast, movie.candidates, movie.stills):
            ids = [entry.id for entry in part]
            assert ids == sorted(ids)
            assert len(ids) == 5


def test_nothing_is_decoded(tree: Tree) -> None:
    root = tree({"cast/Ann.jpg": "no picture at all", "candidates/1.jpg": b""})
    assert read(root)[0].problems == ()
