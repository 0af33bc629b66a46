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
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import CastsearchError
from castsearch.runtime.home import HOME_VARIABLE, home

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
    array = np.asarray(array, order="C")
    if array.dtype.hasobject:
        raise ValueError("arrays of Python objects are not stored")
    return _header(array.dtype, array.shape) + array.tobytes()


def unpack(value: bytes) -> NDArray[Any]:
    """The array that :func:`pack` made bytes of."""
    end = 10 + int.from_bytes(value[8:10], "little")
    dtype, shape, order = _read_header(value[:end])
    return np.frombuffer(value, dtype, offset=end).reshape(shape, order=order).copy()


# NumPy writes and parses a header as Python source, which takes longer than the numbers do; few
# headers are different.
@lru_cache(maxsize=1024)
def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    values = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, values)
    return buffer.getvalue()


@lru_cache(maxsize=1024)
def _read_header(header: bytes) -> tuple[np.dtype[Any], tuple[int, ...], Literal["C", "F"]]:
    buffer = io.BytesIO(header)
    np.lib.format.read_magic(buffer)
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(buffer)
    return dtype, shape, "F" if by_columns else "C"


class Store:
    """The open file. Results are there once ``write`` returns, whatever ends the process."""

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

    def value(self, picture: str, region: str, recipe: str) -> bytes | None:
        """One result, where it is there."""
        row = self._db.execute(
            "SELECT value FROM results WHERE picture = ? AND region = ? AND recipe = ?",
            (picture, region, recipe),
        ).fetchone()
        return None if row is None else bytes(row[0])

    def write(self, results: Iterable[tuple[str, str, str, bytes]]) -> None:
        """Keep ``(picture, region, recipe, value)`` results, all or none of them."""
        try:
            with self._db:
                self._db.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", results)
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
