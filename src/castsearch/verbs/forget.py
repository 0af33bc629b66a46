"""Delete what is kept of people's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castsearch.errors import ImageError
from castsearch.features.store import Store
from castsearch.runtime.settings import Runtime
from castsearch.sources.images import content_hash, read_bytes
from castsearch.sources.layouts import AnyLayout
from castsearch.sources.movies import read
from castsearch.sources.pictures import layout_of_movies, read_pictures
from castsearch.types import Movie, Still


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many pictures there were, and how many results of them were deleted."""

    n_pictures: int
    n_results: int


def forget(
    source: str | Path, *, layout: AnyLayout = "auto", runtime: Runtime | None = None
) -> Forgotten:
    """Delete every face, vector and thumbnail kept of the pictures in ``source``.

    Raises:
        InputError: there is no picture in ``source``.
        CastsearchError: the store cannot be written.
    """
    movie_layout = layout_of_movies(source, layout)
    if movie_layout is None:
        stills = read_pictures(source)
    else:
        stills = [still for movie in read(source, layout=movie_layout) for still in _stills(movie)]
    pictures = set()
    for path in {still.path for still in stills}:
        try:
            pictures.add(content_hash(read_bytes(path)))
        except ImageError:
            continue  # nothing was ever stored of a picture that cannot be read
    with Store(runtime.store if runtime else None) as kept:
        return Forgotten(len(pictures), kept.forget(pictures))


def _stills(movie: Movie) -> list[Still]:
    portraits = [still for member in movie.cast for still in member.portraits]
    return [*portraits, *movie.stills, *(c.still for c in movie.candidates if c.problem is None)]
