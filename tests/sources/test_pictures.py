from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.sources.pictures import layout_of_movies, read_pictures
from castsearch.types import Problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "crops"
    for name in ("b.jpg", "ada/2.png", "ada/1.png", "ada/deep/3.webp", "notes.txt", ".hidden.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"never opened")
    return root


def test_pictures_of_any_depth_by_their_relative_paths(folder: Path) -> None:
    found = read_pictures(folder)
    assert [s.id for s in found] == ["ada/1.png", "ada/2.png", "ada/deep/3.webp", "b.jpg"]
    assert [s.path for s in found] == [folder / s.id for s in found]


def test_one_picture(folder: Path) -> None:
    assert [(s.id, s.path) for s in read_pictures(folder / "b.jpg")] == [
        ("b.jpg", folder / "b.jpg")
    ]


def test_a_link_upwards_ends_and_one_that_leads_out_is_left_out(folder: Path) -> None:
    (folder / "ada" / "up").symlink_to(folder)
    (folder / "ada" / "other.jpg").symlink_to(folder.parent / "secret.jpg")
    (folder.parent / "secret.jpg").write_bytes(b"never opened")
    (folder / "outside").symlink_to(folder.parent)
    problems: list[Problem] = []
    assert len(read_pictures(folder, problems=problems)) == 4
    assert [p.where.rpartition("/")[2] for p in problems] == ["other.jpg"]


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_pictures(tmp_path / "none")
    with pytest.raises(InputError, match="No picture was found"):
        read_pictures(tmp_path)


def test_whether_a_source_is_read_as_movies_or_as_pictures(tmp_path: Path) -> None:
    for name in ("film/cast/Ann.jpg", "film/candidates/1.jpg", "holiday/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"p")
    assert layout_of_movies(tmp_path / "film", "auto") == "auto"
    assert layout_of_movies(tmp_path / "film", "pictures") is None
    assert layout_of_movies(tmp_path / "holiday", "auto") is None
    assert layout_of_movies(tmp_path / "holiday" / "1.jpg", "auto") is None
    assert layout_of_movies(tmp_path / "holiday", "folder") == "folder"
