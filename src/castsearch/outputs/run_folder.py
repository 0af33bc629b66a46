"""A run being made: each movie is saved as soon as it is there, and a stopped run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castsearch.outputs.contents import (
    PART,
    discard,
    names_in,
    names_written,
    put_in_place,
    refuse_what_is_in_the_way,
)
from castsearch.outputs.database import (
    NAME,
    create,
    in_words,
    open_for_writing,
    transaction,
)
from castsearch.outputs.export import WITHOUT_NAMES, export, names_of_files
from castsearch.outputs.rows import problem_rows, write_movie
from castsearch.outputs.run import Run
from castsearch.outputs.values import to_text
from castsearch.runtime.files import make_folder
from castsearch.types import MovieResult, Problem


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished run left in its folder.

    ``files`` are the names that it wrote, without pages of single movies and thumbnails;
    ``without_names`` says why there is no ``names.csv`` ("" where there is one); ``left_alone`` are
    the names in the folder that no run wrote, folders with a ``/`` at their end.
    """

    folder: Path
    files: tuple[str, ...]
    without_names: str
    left_alone: tuple[str, ...]


class RunFolder(Run):
    """The run that is being made in a folder; what an earlier one left there stays until the end.

    ``fingerprint`` stands for all that decides the result: preset, models, source, facts. A run
    that was stopped is taken up where it has the same one, and begun anew where it has another;
    so is one that was finished. ``named`` says that scores are probabilities, ``about`` is what
    the run says of itself, as JSON takes it.

    Raises:
        InputError: The folder holds a file in the way that no run wrote, or a database of another
            program or a newer version.
        CastsearchError: The folder cannot be written, or another process makes a run in it.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        fingerprint: str,
        named: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(folder)
        file = self.folder / PART / NAME
        identity = {"fingerprint": fingerprint, "named": str(int(named))}
        with in_words(make_folder(self.folder)):
            refuse_what_is_in_the_way(self.folder, names_of_files(named=named))
            _finish_the_earlier(self.folder)
            if file.exists() and not file.stat().st_size:
                file.unlink()  # killed before anything was in it
            if file.exists():
                super().__init__(file, open_for_writing(file))
                if any(self._meta(key) != value for key, value in identity.items()):
                    self.close()
                    discard(self.folder)
            if not file.exists():
                # Closed to others from the start: it holds face vectors and pictures of people.
                file.parent.mkdir(mode=0o700, exist_ok=True)
                super().__init__(file, create(file))
        self._set(identity | {"state": "open", "about": json.dumps(dict(about or {}))})
        self._done = set(self.movie_ids)

    @property
    def done(self) -> frozenset[str]:
        """Ids of the movies that are saved, by this process or by one that was stopped."""
        return frozenset(self._done)

    def save(self, result: MovieResult, *, seconds: float | None = None) -> None:
        """Keep the result of one movie, in place of an earlier one; ``seconds`` is what it took.

        Raises:
            CastsearchError: It cannot be written; what was saved before stays.
        """
        with in_words(self.path), transaction(self._connection):
            write_movie(self._connection, result, seconds)
        self._done.add(result.movie.id)

    def finish(
        self,
        *,
        title: str = "castsearch",
        report_facts: Mapping[str, str] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        problems: Sequence[Problem] = (),
        about: Mapping[str, Any] | None = None,
    ) -> Summary:
        """Write everything that people read, and put the run in the place of an earlier one.

        ``about`` replaces what was given at the start. ``problems`` are those of movies that are
        not saved; the others are with their results. The run is closed by this.

        Raises:
            InputError: An id cannot stand in ``ranking.csv``.
            CastsearchError: A file cannot be written. Saved movies are kept.
        """
        start = time.perf_counter()
        part = self.folder / PART
        with in_words(self.path), transaction(self._connection):
            execute = self._connection.execute
            execute("DELETE FROM files")
            execute("DELETE FROM problems WHERE movie IS NULL")
            for row in problem_rows("read", problems):
                execute("INSERT INTO problems VALUES (NULL, ?, ?, ?, ?)", tuple(row))
        about = self.about if about is None else about
        self._set(
            {
                "title": title,
                "about": json.dumps(dict(about)),
                "report_facts": json.dumps(dict(report_facts or {})),
                "evaluation": json.dumps(dict(evaluation or {})),
            }
        )
        earlier = names_written(self.folder)
        left_alone = tuple(name for name in names_in(self.folder) if name not in earlier)
        written = export(self, part, left_alone=left_alone, since=start, earlier=self.folder)
        with in_words(self.path), transaction(self._connection):
            execute = self._connection.execute
            for is_stale, names in ((1, earlier), (0, written)):
                for name in sorted(names):
                    execute("INSERT INTO files VALUES (?, ?)", (name, is_stale))
            execute("UPDATE meta SET value = 'moving' WHERE key = 'state'")
        without = "" if self.named else WITHOUT_NAMES
        self.close()
        put_in_place(self.folder)
        files = tuple(n for n in written if not n.startswith(("report/movies/", "report/thumbs/")))
        return Summary(self.folder, files, without, left_alone)

    def _set(self, values: Mapping[str, str]) -> None:
        with in_words(self.path), transaction(self._connection):
            for key, value in values.items():
                self._connection.execute(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, to_text(value))
                )


def _finish_the_earlier(folder: Path) -> None:
    """Put in place what a run that was stopped at its very end had ready."""
    if not (folder / NAME).exists():
        return
    with Run(folder / NAME, open_for_writing(folder / NAME)) as earlier:
        is_moving = earlier.state == "moving"
    if is_moving:
        put_in_place(folder)
