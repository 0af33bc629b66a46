"""The movies of a saved run as a sequence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from castsearch.outputs import RunFolder
from castsearch.outputs.saved import SavedMovies
from castsearch.types import MovieResult


def test_movies_are_read_when_they_are_asked_for(
    tmp_path: Path, movie_result: Callable[[str], MovieResult]
) -> None:
    movies = SavedMovies(tmp_path, ["tt2", "tt1", "tt3"])
    with RunFolder(tmp_path, fingerprint="f") as run:
        for name in ("tt1", "tt2", "tt3"):
            run.save(movie_result(name))
        run.finish()
    assert len(movies) == 3
    assert [result.movie.id for result in movies] == ["tt2", "tt1", "tt3"]
    assert [result.movie.id for result in movies[1:]] == ["tt1", "tt3"]
    assert movies[-1].rankings == movie_result("tt3").rankings
    with pytest.raises(IndexError):
        movies[3]
