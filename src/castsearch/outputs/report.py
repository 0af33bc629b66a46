"""The report of a run: a page per movie, and where there are several, one that leads to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from castsearch.outputs.movie_page import number_at, page_data
from castsearch.outputs.page import write_page, write_thumbnails
from castsearch.outputs.tables import n_named
from castsearch.types import MovieResult, Problem

TILES = (("mAP", "mAP"), ("rank1", "rank-1"), ("rank5", "rank-5"), ("rank10", "rank-10"))
"""Scores that are shown large: key of the scorer's JSON form, and its name."""

Tiles = Sequence[tuple[str, str]]


def write_report(
    folder: Path,
    results: Iterable[MovieResult],
    *,
    n_movies: int,
    title: str,
    facts: Mapping[str, str],
    evaluation: Mapping[str, Any] | None,
    problems: Sequence[Problem],
    seconds: Mapping[str, float | None] | None = None,
    named_from: float | None = None,
    earlier: Path | None = None,
) -> list[str]:
    """Write the pages and ``thumbs/`` to ``folder``, and give the names of all files.

    One movie is ``index.html``. Several have a page each, ``movies/NUMBER-ID/index.html``, with its
    own problems, and an ``index.html`` that lists them all, with ``problems`` alone. ``results``
    are taken one by one, ``n_movies`` of them. ``facts`` are printed as they stand; crops that
    score below ``named_from`` are shown pale: they are rather none of these. ``evaluation`` is the
    scorer's JSON form, of which any key may be missing; ``seconds`` is how long each movie took.
    Thumbnails that an ``earlier`` report has are named and not written again.

    Raises:
        CastsearchError: A file cannot be written.
    """
    evaluation, seconds = evaluation or {}, seconds or {}
    index = folder / "index.html"
    tiles = _tiles(evaluation)
    thumbnails: set[str] = set()
    rows: list[dict[str, Any]] = []
    for number, result in enumerate(results, start=1):
        movie = result.movie
        if n_movies == 1:
            thumbnails |= _write_movie(
                index,
                result,
                evaluation,
                named_from,
                tiles,
                problems,
                title=title,
                facts=facts,
                earlier=earlier,
            )
            continue
        page = f"movies/{folder_name(number, movie.id)}/index.html"
        score = number_at(evaluation, "movies", movie.id, "mAP")
        thumbnails |= _write_movie(
            folder / page,
            result,
            evaluation,
            named_from,
            [] if score is None else [("mAP", f"{score:.3f}")],
            title=movie.id,
            facts=facts,
            run=title,
            earlier=earlier,
        )
        time = seconds.get(movie.id)
        rows.append(
            {
                "id": movie.id,
                "page": page,
                "cast": f"{len(movie.cast):,}",
                "candidates": f"{len(movie.candidates):,}",
                "named": "-" if named_from is None else f"{n_named(result):,}",
                "mAP": "-" if score is None else f"{score:.3f}",
                "problems": str(len(_problems(result))),
                "seconds": "-" if time is None else f"{time:.1f}",
            }
        )
    if n_movies != 1:
        # A column that nobody could fill is none.
        columns = ["cast", "candidates", "named", "mAP", "problems", "seconds"]
        columns = [name for name in columns if any(row[name] != "-" for row in rows)]
        write_page(
            index,
            "overview",
            None,
            title=title,
            facts=facts,
            tiles=tiles,
            problems=problems,
            rows=rows,
            columns=columns,
        )
    names = ["index.html", *(str(row["page"]) for row in rows)]
    return [*names, *(f"thumbs/{name}.jpg" for name in sorted(thumbnails))]


def folder_name(number: int, movie_id: str) -> str:
    """Name of a movie's folder that any file system takes, unlike all others by its number."""
    return f"{number:04}-{re.sub('[^A-Za-z0-9_-]+', '_', movie_id)[:60]}"


def _write_movie(
    path: Path,
    result: MovieResult,
    evaluation: Mapping[str, Any],
    named_from: float | None,
    tiles: Tiles,
    problems: Sequence[Problem] = (),
    *,
    title: str,
    facts: Mapping[str, str],
    run: str = "",
    earlier: Path | None = None,
) -> set[str]:
    """Write one movie's page and thumbnails; with ``run`` it stands two folders below the list."""
    up, report = ("../../", path.parents[2]) if run else ("", path.parent)
    data, thumbnails = page_data(result, evaluation)
    write_thumbnails(report / "thumbs", thumbnails, earlier and earlier / "thumbs")
    write_page(
        path,
        "movie",
        data | {"namedFrom": named_from, "thumbsAt": f"{up}thumbs/"},
        title=title,
        run=run,
        facts=facts,
        tiles=tiles,
        problems=list(dict.fromkeys((*problems, *_problems(result)))),
        has_truth=result.movie.truth is not None,
        named_from=named_from,
    )
    return set(thumbnails)


def _problems(result: MovieResult) -> list[Problem]:
    return list(dict.fromkeys((*result.movie.problems, *result.problems)))


def _tiles(evaluation: Mapping[str, Any]) -> Tiles:
    scored = ((text, number_at(evaluation, key)) for key, text in TILES)
    return [(text, f"{value:.3f}") for text, value in scored if value is not None]
