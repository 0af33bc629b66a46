"""The file of a run: its form, its owner, and its faults in one sentence each."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from castsearch.errors import CastsearchError, InputError
from castsearch.outputs.database import (
    APPLICATION_ID,
    VERSION,
    create,
    in_words,
    open_for_reading,
    open_for_writing,
    transaction,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new, empty run."""
    file = tmp_path / "run.sqlite"
    create(file).close()
    return file


def test_it_is_one_file_for_its_owner_alone(path: Path) -> None:
    umask = os.umask(0)
    try:
        other = path.with_name("other.sqlite")
        create(other).close()
    finally:
        os.umask(umask)
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["other.sqlite", "run.sqlite"]


def test_it_says_what_it_is(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert path.read_bytes()[68:72] == b"CSR0"
    connection.close()


def test_it_is_held_while_it_is_written(path: Path) -> None:
    holder = open_for_writing(path)
    with pytest.raises(CastsearchError, match=r"run\.sqlite is in use by another castsearch"):
        open_for_writing(path)
    holder.close()
    open_for_writing(path).close()


def test_nothing_is_written_through_a_reader(path: Path) -> None:
    reader = open_for_reading(path)
    with pytest.raises(CastsearchError, match="cannot be opened or written"), in_words(path):
        reader.execute("DELETE FROM movies")
    reader.close()


def test_a_transaction_is_whole_or_nothing(path: Path) -> None:
    connection = open_for_writing(path)
    with pytest.raises(KeyboardInterrupt), transaction(connection):
        connection.execute("INSERT INTO movies VALUES (1, 'tt1', NULL)")
        raise KeyboardInterrupt
    assert connection.execute("SELECT count(*) FROM movies").fetchone() == (0,)
    connection.close()


def test_a_full_disk_is_a_sentence_and_keeps_what_was_saved(path: Path) -> None:
    connection = open_for_writing(path)
    (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
    with transaction(connection):
        connection.execute("INSERT INTO movies VALUES (1, 'tt1', NULL)")
    connection.execute(f"PRAGMA max_page_count = {n_pages + 2}")
    with (
        pytest.raises(CastsearchError, match=r"no space left.*movies that are saved are kept"),
        in_words(path),
        transaction(connection),
    ):
        connection.execute("INSERT INTO thumbnails VALUES ('a', zeroblob(100000))")
    assert connection.execute("SELECT id FROM movies").fetchall() == [("tt1",)]
    connection.close()


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE letters (text TEXT)")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def without_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE ranked")
    connection.commit()
    connection.close()


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (foreign, "is a database of another program and was left alone"),
        (newer, rf"written by a newer castsearch \(form {VERSION + 1}; this one reads {VERSION}\)"),
        (without_tables, "is damaged"),
        (overwritten, "is damaged"),
        (lambda path: path.write_bytes(b"dear diary " * 100), "is no database of castsearch"),
        (lambda path: path.write_bytes(b""), "is a database of another program"),
    ],
    ids=["foreign", "newer", "without tables", "overwritten", "a text", "empty"],
)
@pytest.mark.parametrize("opened", [open_for_reading, open_for_writing])
def test_what_cannot_be_read_is_named_and_left_as_it_is(
    path: Path, change: object, sentence: str, opened: object
) -> None:
    assert callable(change)
    assert callable(opened)
    change(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=sentence) as raised:
        opened(path)
    assert str(path) in str(raised.value)
    assert "delete" not in str(raised.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["run.sqlite"]


def test_no_place_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CastsearchError, match="cannot be written"):
        create(tmp_path / "absent" / "run.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_leave_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CastsearchError, match="cannot be written"):
        create(tmp_path / "run.sqlite")


def test_a_killed_write_is_rolled_back_by_the_next_reader(path: Path) -> None:
    if os.fork() == 0:  # dies in the middle of a transaction, its pages on the disk already
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        for i in range(200):
            connection.execute("INSERT INTO thumbnails VALUES (?, zeroblob(5000))", (str(i),))
        os._exit(9)
    os.wait()
    assert path.with_name("run.sqlite-journal").exists()
    reader = open_for_reading(path)
    assert reader.execute("SELECT count(*) FROM thumbnails").fetchone() == (0,)
    reader.close()
    assert [p.name for p in path.parent.iterdir()] == ["run.sqlite"]
