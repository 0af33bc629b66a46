"""Read: files of any known layout to movies. Pictures are named here and decoded later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import shown
from castsearch.sources.folder import is_folder_of_movies, read_folder
from castsearch.sources.imdb import is_imdb, read_imdb
from castsearch.sources.layouts import Layout, MovieLayout
from castsearch.sources.paths import is_file, is_folder
from castsearch.sources.wider import is_wider, read_wider
from castsearch.types import Movie, Problem

__all__ = ["LAYOUTS", "SourceLayout", "holds_movies", "read", "tell_layout"]


@dataclass(frozen=True, slots=True)
class SourceLayout:
    """How movies lie in files.

    ``holds`` says whether an existing folder or file has this layout, and ``read`` gives its
    movies, none where there is none. Both raise ``InputError`` where a folder cannot be listed.
    ``example`` is what a sentence says was looked for.
    """

    holds: Callable[[Path], bool]
    read: Callable[[Path], list[Movie]]
    example: str


LAYOUTS: dict[MovieLayout, SourceLayout] = {
    "wider": SourceLayout(is_wider, read_wider, "<split>.json beside <split>/ (WIDER)"),
    "imdb": SourceLayout(is_imdb, read_imdb, "{train,val,test}/<movie>/cast (IMDb course)"),
    "folder": SourceLayout(
        is_folder_of_movies,
        read_folder,
        "cast/ with candidates/ or stills/, here or in the folders of movies (plain folder)",
    ),
}
"""Every layout by its name; the first that holds is taken, so the most particular come first."""


def read(path: str | Path, *, layout: Layout = "auto") -> list[Movie]:
    """Read the movies under ``path``.

    Args:
        path: A movie, a split or the root of a data set; see ``docs/formats.md``.
        layout: A key of :data:`LAYOUTS`, or ``auto`` to tell by what is there.

    Returns:
        The movies, sorted by id. What could not be used is named in their problems. A movie
        without cast or without candidates has nothing but its problems.

    Raises:
        InputError: ``path`` is missing, holds no known layout, or no movie that can be used.
    """
    # Links are not followed: a split and a movie have their names from the path as given.
    source = Path(path).absolute()
    if ".." in source.parts:
        source = source.resolve()
    if not is_folder(source) and not is_file(source):
        raise InputError(f"{shown(path)} does not exist; give the folder of a movie or a data set.")
    if layout != "auto" and layout not in LAYOUTS:
        raise InputError(f"There is no layout {layout!r}; use one of auto, {', '.join(LAYOUTS)}.")
    movies = LAYOUTS[tell_layout(source) if layout == "auto" else layout].read(source)
    if not movies:
        raise _not_found(source)
    movies = sorted(_each_once(movies), key=lambda movie: movie.id)
    if not any(_is_usable(movie) for movie in movies):
        raise InputError(_why_unusable(movies))
    return [
        movie if _is_usable(movie) else replace(movie, cast=(), candidates=(), stills=())
        for movie in movies
    ]


def tell_layout(path: Path) -> MovieLayout:
    """The name of the layout that ``path`` has.

    Raises:
        InputError: It has none that is known, or cannot be listed.
    """
    for name, layout in LAYOUTS.items():
        if layout.holds(path):
            return name
    if not is_folder(path):
        raise InputError(
            f"{shown(path)} is a file; give the folder of a movie or a data set, or the "
            "<split>.json of a WIDER data set."
        )
    raise _not_found(path)


def holds_movies(path: str | Path) -> bool:
    """Whether ``path`` has a layout of movies that is known."""
    try:
        tell_layout(Path(path).absolute())
    except InputError:
        return False
    return True


def _not_found(path: Path) -> InputError:
    *others, last = (layout.example for layout in LAYOUTS.values())
    return InputError(
        f"No movie was found in {shown(path)}; looked for {', '.join(others)}, and {last}."
    )


def _is_usable(movie: Movie) -> bool:
    return bool(movie.cast) and bool(movie.candidates or movie.stills)


def _why_unusable(movies: list[Movie]) -> str:
    """The problems of whole movies first, three at most."""
    found = [(problem.where != movie.id, problem) for movie in movies for problem in movie.problems]
    found.sort(key=lambda pair: pair[0])
    messages = list(dict.fromkeys(problem.message for _, problem in found))
    more = f" ({len(messages) - 3} more problems.)" if len(messages) > 3 else ""
    return " ".join(messages[:3]) + more


def _each_once(movies: list[Movie]) -> list[Movie]:
    """The first movie of every id, with a problem for each later one."""
    first: dict[str, Movie] = {}
    for movie in movies:
        if movie.id in first:
            message = f"Movie {movie.id} is there more than once; the first one counts."
            earlier = first[movie.id]
            problems = (*earlier.problems, Problem(movie.id, message))
            first[movie.id] = replace(earlier, problems=problems)
        else:
            first[movie.id] = movie
    return list(first.values())
