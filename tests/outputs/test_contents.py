"""Whose a file in a run's folder is, and how a finished run takes its place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.outputs.contents import (
    PART,
    discard,
    names_in,
    names_written,
    put_in_place,
    refuse_what_is_in_the_way,
)
from castsearch.outputs.database import create, transaction

THUMBNAIL = f"report/thumbs/{'0' * 32}.jpg"
PAGE = "report/movies/0001-tt1/index.html"
Tree = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Tree:
    """Writes files of these names, each with its name as its content."""

    def write(*names: str, below: str = "") -> None:
        for name in names:
            path = tmp_path / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)

    return write


def with_files(path: Path, *, stale: tuple[str, ...] = (), new: tuple[str, ...] = ()) -> None:
    """A database at ``path`` that says which files are to go and which are to come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = create(path)
    with transaction(connection):
        connection.execute("INSERT INTO meta VALUES ('state', 'moving')")
        for is_stale, names in ((1, stale), (0, new)):
            for name in names:
                connection.execute("INSERT INTO files VALUES (?, ?)", (name, is_stale))
    connection.close()


def tree(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_names_in_a_folder(tmp_path: Path, put: Tree) -> None:
    put("ranking.csv", "notes/a.txt", THUMBNAIL, "report/mine/b.txt", "run.sqlite")
    put("scores.csv", below=PART)
    (tmp_path / "report" / "empty").mkdir()
    names = ["notes/", "ranking.csv", "report/empty/", "report/mine/b.txt", THUMBNAIL]
    assert names_in(tmp_path) == names


def test_a_database_says_what_its_run_wrote(tmp_path: Path, put: Tree) -> None:
    put("ranking.csv", "names.csv", ".names.csv.4711.part")
    with_files(tmp_path / "run.sqlite", new=("ranking.csv",))
    assert names_written(tmp_path) == {"ranking.csv", ".names.csv.4711.part"}


OLD = ("ranking.csv", "scores.parquet", "names.csv", "run.json", "report/index.html", THUMBNAIL)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"castsearch": "0.1.0"}, set(OLD)),
        ({"castsearch": "0.2.0", "files": []}, {*OLD, "scores.csv", PAGE} - {"scores.parquet"}),
        ({"another": "program"}, set()),
        (["castsearch"], set()),
    ],
    ids=["version 0.1.0", "a run whose database was taken away", "another", "a list"],
)
def test_without_a_database(tmp_path: Path, put: Tree, document: object, names: set[str]) -> None:
    put(*OLD, "scores.csv", PAGE, "notes.txt", "report/thumbs/holiday.jpg", "report/a.html")
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert names_written(tmp_path) == names


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_a_run_json_that_is_none_says_nothing(tmp_path: Path, put: Tree, content: bytes) -> None:
    put("ranking.csv")
    (tmp_path / "run.json").write_bytes(content)
    assert names_written(tmp_path) == set()


def test_a_copied_database_cannot_reach_out_of_its_folder(tmp_path: Path, put: Tree) -> None:
    put("precious", below="..")
    hostile = ("../precious", "/etc/hostname", "report/thumbs/../../../precious", "notes.txt")
    with_files(tmp_path / "run.sqlite", stale=hostile, new=hostile)
    assert names_written(tmp_path) == set()


@pytest.mark.parametrize("name", ["ranking.csv", "run.json", "report/index.html"])
def test_what_no_run_wrote_is_in_the_way(tmp_path: Path, put: Tree, name: str) -> None:
    put(name)
    with pytest.raises(InputError, match=r"was not written by castsearch and is left alone"):
        refuse_what_is_in_the_way(tmp_path, ["ranking.csv", "run.json", "report/index.html"])
    assert (tmp_path / name).read_text() == name
    refuse_what_is_in_the_way(tmp_path, ["scores.csv"])


@pytest.mark.parametrize("name", ["report", "report/thumbs", "report/movies", PART])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is no folder of its own"):
        refuse_what_is_in_the_way(tmp_path / "out", [])


def test_a_run_takes_the_place_of_an_earlier_one(tmp_path: Path, put: Tree) -> None:
    old, other = ("ranking.csv", "names.csv", PAGE, THUMBNAIL), ("notes.txt", "report/mine.txt")
    new = ("ranking.csv", "report/index.html", f"report/thumbs/{'1' * 32}.jpg")
    put(*old, *other)
    for name in new:
        put(name, below=PART)
        (tmp_path / PART / name).write_text("new")
    with_files(tmp_path / PART / "run.sqlite", stale=old, new=new)
    put_in_place(tmp_path)
    assert tree(tmp_path) == {*new, *other, "run.sqlite"}
    assert {(tmp_path / name).read_text() for name in new} == {"new"}
    assert not (tmp_path / PART).exists()
    assert not (tmp_path / "report" / "movies").exists()
    connection = sqlite3.connect(tmp_path / "run.sqlite")
    assert connection.execute("SELECT * FROM files").fetchall() == [(n, 0) for n in sorted(new)]
    assert connection.execute("SELECT value FROM meta").fetchall() == [("whole",)]
    connection.close()


class StoppedError(BaseException):
    """What a kill is to the code that it ends."""


@pytest.mark.parametrize("n_steps", range(9))
def test_stopped_at_any_step_it_goes_on(
    tmp_path: Path, put: Tree, monkeypatch: pytest.MonkeyPatch, n_steps: int
) -> None:
    old = ("ranking.csv", "names.csv", "run.json", "report/index.html")
    new = ("ranking.csv", "scores.csv", "run.json", "report/index.html")
    put(*old)
    put(*new, below=PART)
    for name in new:
        (tmp_path / PART / name).write_text("new")
    with_files(tmp_path / PART / "run.sqlite", stale=old, new=new)
    steps = iter(range(n_steps))

    def counted(action: Callable[..., object]) -> Callable[..., object]:
        def step(*values: object, **options: object) -> object:
            if next(steps, None) is None:
                raise StoppedError
            return action(*values, **options)

        return step

    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(Path, "unlink", counted(Path.unlink))
        put_in_place(tmp_path)
    # Files of both runs are never there at once, and the last to come say that all is there.
    texts = {(tmp_path / n).read_text() for n in {*old, *new} if (tmp_path / n).exists()}
    assert "new" not in texts or texts == {"new"}
    if (tmp_path / "run.json").exists() and "new" in texts:
        assert all((tmp_path / name).exists() for name in new)
    put_in_place(tmp_path)
    assert tree(tmp_path) == {*new, "run.sqlite"}
    assert {(tmp_path / name).read_text() for name in new} == {"new"}


def test_an_unfinished_run_can_be_discarded(tmp_path: Path, put: Tree) -> None:
    put("ranking.csv")
    put("scores.csv", below=PART)
    discard(tmp_path)
    discard(tmp_path)
    assert tree(tmp_path) == {"ranking.csv"}
