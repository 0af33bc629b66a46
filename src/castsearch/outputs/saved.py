"""The movies of a saved run as a sequence that holds none of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from castsearch.outputs.run import read_run
from castsearch.types import MovieResult


class SavedMovies(Sequence[MovieResult]):
    """The results in the run folder ``path``, each read when it is asked for."""

    def __init__(self, path: Path, movie_ids: Sequence[str]) -> None:
        self._path = path
        self._movie_ids = tuple(movie_ids)

    def __len__(self) -> int:
        return len(self._movie_ids)

    @overload
    def __getitem__(self, index: int) -> MovieResult: ...

    @overload
    def __getitem__(self, index: slice) -> SavedMovies: ...

    def __getitem__(self, index: int | slice) -> MovieResult | SavedMovies:
        if isinstance(index, slice):
            return SavedMovies(self._path, self._movie_ids[index])
        with read_run(self._path) as run:
            return run.movie(self._movie_ids[index])
