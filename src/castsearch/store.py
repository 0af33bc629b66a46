"""What was detected and embedded, kept in one SQLite file so that no work is done twice.

A result belongs to a picture (sha256 of its bytes), a region of it, and a recipe (which names the
model by its hash, and every setting that changes the result). A changed picture has another
sha256 and is done again; an unchanged one never. The file holds face vectors, which are biometric
data: it is readable by its owner alone, and deleted results are overwritten with zeros.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import CastsearchError
from castsearch.home import HOME_VARIABLE, home

SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    picture TEXT NOT NULL,
    region TEXT NOT NULL,
    recipe TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (picture, region, recipe)
) WITHOUT ROWID
"""


def pack(array: NDArray[Any]) -> bytes:
    """An array as the bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def unpack(value: bytes) -> NDArray[Any]:
    """The array that :func:`pack` made bytes of."""
    array: NDArray[Any] = np.load(io.BytesIO(value), allow_pickle=False)
    return array


class Store:
    """The open file. Writers commit picture by picture: a killed run loses at most one."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / "results.sqlite"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
            self._db = sqlite3.connect(self.path, timeout=60.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute(SCHEMA)
            self._db.commit()
        except (OSError, sqlite3.Error) as error:
            raise CastsearchError(
                f"{self.path}: the store of results cannot be opened: {error}; delete the file, "
                f"or name another folder in {HOME_VARIABLE}."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def read(self, picture: str, region: str) -> dict[str, bytes]:
        """All results of one region of a picture, by recipe."""
        rows = self._db.execute(
            "SELECT recipe, value FROM results WHERE picture = ? AND region = ?",
            (picture, region),
        )
        return dict(rows.fetchall())

    def write(self, picture: str, results: Iterable[tuple[str, str, bytes]]) -> None:
        """Keep ``(region, recipe, value)`` results of a picture, all or none of them."""
        rows = [(picture, region, recipe, value) for region, recipe, value in results]
        try:
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise CastsearchError(
                f"{self.path}: results cannot be written: {error}; what was kept before is intact."
            ) from error

    def forget(self, pictures: Iterable[str]) -> int:
        """Delete everything kept of these pictures; how many results that were."""
        with self._db:
            before = self._db.total_changes
            self._db.executemany("DELETE FROM results WHERE picture = ?", [(p,) for p in pictures])
            deleted = self._db.total_changes - before
        # The write-ahead log still holds what was deleted until it is folded into the file.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted
