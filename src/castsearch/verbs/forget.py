"""Delete what is kept of people's pictures."""

from __future__ import annotations

from pathlib import Path

from castsearch.errors import ImageError
from castsearch.features.store import Store
from castsearch.sources.images import content_hash, read_bytes
from castsearch.sources.layouts import AnyLayout
from castsearch.sources.movies import read
from castsearch.sources.pictures import layout_of_movies, read_pictures
from castsearch.types import Movie, Still


def forget(
    source: str | Path, *, layout: AnyLayout = "auto", store: Path | None = None
) -> tuple[int, int]:
    """Delete every result of the pictures in ``source``; counts of pictures and of results."""
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
    with Store(store) as kept:
        return len(pictures), kept.forget(pictures)


def _stills(movie: Movie) -> list[Still]:
    portraits = [still for member in movie.cast for still in member.portraits]
    return [*portraits, *movie.stills, *(c.still for c in movie.candidates if c.problem is None)]
