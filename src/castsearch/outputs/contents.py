"""What lies in a run's folder: what runs wrote there, and what is somebody else's.

A run is made in a folder of its own inside, :data:`PART`, and put in place when all of it is there:
first the database, which from then on says which files are to go and which are to come; then
everything that an earlier run wrote is removed; then the new files come, what people open last. A
run that is stopped before that leaves the earlier result as it was; one that is stopped amid it is
put in place by the next (:func:`put_in_place` goes on where it was). So files of two runs never
stand beside one another.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from castsearch.errors import CastsearchError, InputError
from castsearch.outputs.database import (
    NAME,
    in_words,
    open_for_reading,
    open_for_writing,
    transaction,
)
from castsearch.outputs.tables import TABLES

PART = ".castsearch.part"
"""Folder inside the run's, in which an unfinished run lies."""
LAST = ("report/index.html", "run.json")
"""Files that are put in place after all others, since they say that a run is there."""

_THUMBNAIL = r"report/thumbs/[0-9a-f]{32}\.jpg"
_BESIDE_TABLES = re.compile(
    rf"ranking\.csv|run\.json|report/index\.html|{_THUMBNAIL}"
    r"|report/movies/[0-9]+-[A-Za-z0-9_-]*/index\.html"
)
_BY_0_1_0 = re.compile(
    rf"ranking\.csv|scores\.parquet|names\.csv|run\.json|report/index\.html|{_THUMBNAIL}"
)
_LEFT_BY_0_1_0 = re.compile(r"((?:.*/)?)\.([^/]+)\.[0-9]+\.part")
"""What 0.1.0 wrote to before it was renamed: folder and name of the file. It stays after a kill."""


def names_in(folder: Path) -> list[str]:
    """What lies in ``folder``, as relative names with ``/``; a folder ends with one.

    Only ``report`` is looked into, since nothing is written into another. Neither the run's own
    database nor an unfinished run is among them.
    """
    with in_words(folder):
        names = []
        for path in sorted(folder.iterdir()):
            if path.name in {PART, NAME, f"{NAME}-journal"}:
                continue
            if path.name == "report" and path.is_dir() and not path.is_symlink():
                names += _names_below(path, "report/")
            else:
                names.append(path.name + "/" * path.is_dir())
        return names


def names_written(folder: Path) -> set[str]:
    """Which of the names in ``folder`` an earlier run wrote, as its database says.

    Version 0.1.0 wrote no database: where ``run.json`` is one of castsearch, what it is known to
    write counts.

    Raises:
        InputError: The database is of another program or a newer version, or damaged.
    """
    names = {name for name in names_in(folder) if _is_left_by_0_1_0(name)}
    if (folder / NAME).is_symlink() or (folder / NAME).exists():
        connection = open_for_reading(folder / NAME)
        with in_words(folder / NAME):
            rows = connection.execute("SELECT DISTINCT name FROM files").fetchall()
            connection.close()
        # Whatever a copied database says, nothing but what runs write is ever removed.
        return names | {n for (n,) in rows if isinstance(n, str) and _is_of_a_run(n)}
    try:
        document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return names
    if not isinstance(document, dict) or "castsearch" not in document:
        return names
    is_written = _is_written if "files" in document else _BY_0_1_0.fullmatch
    return names | {name for name in names_in(folder) if is_written(name)}


def refuse_what_is_in_the_way(folder: Path, wanted: Iterable[str]) -> None:
    """Stop before any work where a file of that name is there and no run wrote it.

    Raises:
        InputError: One is there, or a folder that is written into is a link or a file.
    """
    for name in (PART, "report", "report/movies", "report/thumbs"):
        path = folder / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise InputError(f"{path} is no folder of its own; move it, or choose another folder")
    written = names_written(folder)
    for name in wanted:
        path = folder / name
        if name not in written and (path.exists() or path.is_symlink()):
            raise InputError(
                f"{path} was not written by castsearch and is left alone; move it, or choose "
                "another folder"
            )


def put_in_place(folder: Path) -> None:
    """Make the finished run in ``folder``'s :data:`PART` the content of ``folder``.

    Where the run was stopped while this was done, it goes on.

    Raises:
        CastsearchError: A file cannot be removed or moved.
    """
    part, target = folder / PART, folder / NAME
    with in_words(folder):
        if (part / NAME).exists():
            (part / NAME).replace(target)
        connection = open_for_writing(target)
        try:
            stale, new = _lists(connection)
            for name in sorted(stale):
                if name not in new or (part / name).exists():
                    (folder / name).unlink(missing_ok=True)
            for name in sorted(new, key=lambda name: (name in LAST, name)):
                if (part / name).exists():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (part / name).replace(folder / name)
            with transaction(connection):
                connection.execute("DELETE FROM files WHERE is_stale")
                connection.execute("UPDATE meta SET value = 'whole' WHERE key = 'state'")
        finally:
            connection.close()
        discard(folder)
        _remove_empty(folder / "report")


def discard(folder: Path) -> None:
    """Remove the unfinished run of ``folder``, if there is one."""
    with in_words(folder):
        if (folder / PART).exists():
            shutil.rmtree(folder / PART)


def _lists(connection: sqlite3.Connection) -> tuple[set[str], set[str]]:
    """Names that an earlier run wrote, and those of this one."""
    lists: tuple[set[str], set[str]] = (set(), set())
    for name, is_stale in connection.execute("SELECT name, is_stale FROM files"):
        if not isinstance(name, str) or not _is_of_a_run(name):
            raise CastsearchError(f"{name!r} is no name of a file that castsearch writes")
        lists[not is_stale].add(name)
    return lists


def _is_of_a_run(name: str) -> bool:
    """Whether a run of this version or an earlier one writes a file of this name."""
    return _is_written(name) or bool(_BY_0_1_0.fullmatch(name)) or _is_left_by_0_1_0(name)


def _is_written(name: str) -> bool:
    return name in TABLES or bool(_BESIDE_TABLES.fullmatch(name))


def _is_left_by_0_1_0(name: str) -> bool:
    match = _LEFT_BY_0_1_0.fullmatch(name)
    return match is not None and bool(_BY_0_1_0.fullmatch("".join(match.groups())))


def _names_below(folder: Path, prefix: str) -> list[str]:
    names = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            names += _names_below(path, f"{prefix}{path.name}/") or [f"{prefix}{path.name}/"]
        else:
            names.append(prefix + path.name)
    return names


def _remove_empty(folder: Path) -> None:
    """Remove the folders of pages and thumbnails that are empty now."""
    for path in (*folder.glob("movies/*"), folder / "movies", folder / "thumbs", folder):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
