"""A saved run, read movie by movie: what exports, pages and another ranking start from."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from castsearch.errors import InputError
from castsearch.outputs.contents import PART
from castsearch.outputs.database import NAME, damaged, in_words, open_for_reading
from castsearch.outputs.rows import read_movie, read_rankings
from castsearch.outputs.values import from_text, to_text
from castsearch.types import MovieResult, Problem, Ranking


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of a run. ``n_ties`` are places that a candidate id decided, over all lists."""

    n_movies: int
    n_queries: int
    n_candidates: int
    n_faces: int
    n_ties: int


class Run:
    """A saved run; see :func:`castsearch.outputs.read_run`. Close it, or use it with ``with``."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        """The database file."""
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    @property
    def movie_ids(self) -> tuple[str, ...]:
        """Ids of the saved movies, in the order in which they were saved first."""
        with self._readable():
            rows = self._connection.execute("SELECT id FROM movies ORDER BY movie").fetchall()
            return tuple(from_text(movie_id) for (movie_id,) in rows)

    @property
    def state(self) -> str:
        """``open`` while movies are added, ``moving`` while files are put in place, ``whole``."""
        return self._meta("state")

    @property
    def about(self) -> dict[str, Any]:
        """Whatever the run said of itself: preset, models, source and more."""
        return self._json("about")

    @property
    def title(self) -> str:
        """Heading of the report."""
        return self._meta("title")

    @property
    def report_facts(self) -> dict[str, str]:
        """What the report prints of the run, by name."""
        return self._json("report_facts")

    @property
    def evaluation(self) -> Mapping[str, Any] | None:
        """The scorer's JSON form; ``None`` where no truth is known."""
        return self._json("evaluation") or None

    @property
    def named(self) -> bool:
        """Whether the scores are probabilities, so that candidates can be named."""
        return self._meta("named") == "1"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What kept whole movies out; those of a movie are with its result."""
        with self._readable():
            rows = self._connection.execute(
                "SELECT place, message FROM problems WHERE movie IS NULL ORDER BY position"
            ).fetchall()
            return tuple(Problem(from_text(place), from_text(text)) for place, text in rows)

    def movies(self, *, evidence: bool = True) -> Iterator[MovieResult]:
        """The results one by one; only the one at hand is in memory.

        Without ``evidence`` they cannot be ordered anew, and are read faster.
        """
        for number, _ in self._numbers():
            with self._readable():
                result = read_movie(self._connection, number, evidence=evidence)
            yield result

    def movie(self, movie_id: str) -> MovieResult:
        """The result of one movie.

        Raises:
            InputError: It was not saved, or its rows are damaged.
        """
        with self._readable():
            row = self._connection.execute(
                "SELECT movie FROM movies WHERE id = ?", (to_text(movie_id),)
            ).fetchone()
            if row is not None:
                return read_movie(self._connection, row[0])
        raise InputError(f"{self.path} holds no movie {movie_id!r}")

    def rankings(self) -> Iterator[Ranking]:
        """All rankings one by one, without their reasons: ids and scores alone."""
        for number, _ in self._numbers():
            with self._readable():
                rankings = list(read_rankings(self._connection, number, reasons=False))
            yield from rankings

    def seconds(self) -> dict[str, float | None]:
        """How long each movie took, by its id; ``None`` where that was not said."""
        with self._readable():
            rows = self._connection.execute("SELECT id, seconds FROM movies ORDER BY movie")
            return {from_text(i): None if s is None else float(s) for i, s in rows.fetchall()}

    def counts(self) -> Counts:
        """How much was saved."""
        with self._readable():
            (row,) = self._connection.execute(
                "SELECT (SELECT count(*) FROM movies), (SELECT count(*) FROM rankings), "
                "(SELECT count(*) FROM candidates), (SELECT count(*) FROM candidates JOIN crops "
                "USING (movie, id) WHERE face_x0 IS NOT NULL), "
                "(SELECT coalesce(sum(n_ties), 0) FROM rankings)"
            )
            return Counts(*row)

    def _numbers(self) -> list[tuple[int, str]]:
        with self._readable():
            rows = self._connection.execute("SELECT movie, id FROM movies ORDER BY movie")
            return [(int(number), from_text(movie_id)) for number, movie_id in rows.fetchall()]

    def _meta(self, key: str) -> str:
        """A text that the run says of itself; "" where it says nothing."""
        with self._readable():
            query = "SELECT value FROM meta WHERE key = ?"
            row = self._connection.execute(query, (key,)).fetchone()
            return "" if row is None else from_text(row[0])

    def _json(self, key: str) -> dict[str, Any]:
        with self._readable():
            value = json.loads(self._meta(key) or "{}")
            return dict(value) if value else {}

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Rows that no run writes become one sentence, whatever they do to the reader."""
        with in_words(self.path, "read"):
            try:
                yield
            except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
                raise damaged(self.path, error) from error


def read_run(path: str | Path) -> Run:
    """Open the run in the folder ``path``, or its ``run.sqlite``, for reading.

    Raises:
        InputError: There is none, it was not finished, or the file is another program's, of a newer
            version, or damaged.
    """
    file = Path(path)
    if file.is_dir():
        if not (file / NAME).exists() and (file / PART / NAME).exists():
            raise InputError(
                f"{file}: the run was not finished; start it again with the same settings, and it "
                "goes on with the next movie"
            )
        file = file / NAME
    if not file.is_file():
        raise InputError(
            f"{path} is no run folder: it holds no {NAME}, which castsearch rank writes"
        )
    return Run(file, open_for_reading(file))
