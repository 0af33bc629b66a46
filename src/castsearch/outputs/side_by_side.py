"""The page of an ablation: the table, the chart, and for each query two presets side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castsearch.metrics.comparison import Ablation, QueryAP
from castsearch.outputs.ablation import explained, in_words, published
from castsearch.outputs.chart import bar_chart
from castsearch.outputs.page import (
    aspect,
    picture_name,
    remove_other_thumbnails,
    write_page,
    write_thumbnails,
)
from castsearch.types import MovieResult, Problem

N_SHOWN = 12
"""Candidates that are shown of each list."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate as the page shows it: id, whether it is right, what decided it."""

    candidate: str
    is_right: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One query: the first candidates of each variant, in their order.

    ``pictures`` holds name and aspect (width in thousandths of the height, 0 unknown) of the
    thumbnails of the candidates shown and of the portraits, by id.
    """

    query: QueryAP
    name: str
    portraits: tuple[str, ...]
    lists: tuple[tuple[Shown, ...], ...]
    pictures: Mapping[str, tuple[str, int]]


def side_by_side(
    source: str,
    runs: Iterable[Iterable[MovieResult]],
    queries: Iterable[QueryAP],
    thumbnails: Path,
) -> list[SideBySide]:
    """The first :data:`N_SHOWN` of each query's lists, one list per run of the same movies.

    One movie at a time is taken of each run, and its pictures go to the folder ``thumbnails`` at
    once, so that no more than one movie per run is in memory.

    Raises:
        CastsearchError: a picture cannot be written.
    """
    by_query = {query.query: query for query in queries if query.source == source}
    comparisons = []
    for results in zip(*runs, strict=True):
        first = results[0]
        truth = first.movie.truth or {}
        for i, member in enumerate(first.movie.cast):
            if member.id not in by_query:
                continue
            lists = []
            pictures: dict[str, tuple[str, int]] = {}
            portraits = tuple(still.id for still in member.portraits)
            _take(first, portraits, pictures, thumbnails)
            for result in results:
                ranking = result.rankings[i]
                ids = ranking.candidate_ids[:N_SHOWN]
                words = ranking.reasons[:N_SHOWN] or ("",) * len(ids)
                lists.append(
                    tuple(
                        Shown(name, name in truth[member.id], reason)
                        for name, reason in zip(ids, words, strict=True)
                    )
                )
                _take(result, ids, pictures, thumbnails)
            name = member.name or member.id
            comparisons.append(
                SideBySide(by_query[member.id], name, portraits, tuple(lists), pictures)
            )
    return comparisons


def _take(
    result: MovieResult,
    ids: Iterable[str],
    pictures: dict[str, tuple[str, int]],
    thumbnails: Path,
) -> None:
    for name in ids:
        picture = result.thumbnails.get(name)
        if picture and name not in pictures:
            write_thumbnails(thumbnails, {picture_name(picture): picture})
            pictures[name] = (picture_name(picture), aspect(result, name))


def write_comparison(
    out: Path, table: Ablation, comparisons: Sequence[SideBySide], problems: Sequence[Problem]
) -> Path:
    """Write ``out/index.html``, and give its path.

    ``out/thumbs`` holds the pictures by then; those of an earlier ablation are removed from it.

    Raises:
        CastsearchError: a file cannot be written.
    """
    from markupsafe import Markup

    data = _page_data(table, comparisons)
    rows = [
        {
            "name": row.variant.name,
            "note": row.variant.note,
            "figures": [
                in_words(row.mAP),
                in_words(row.difference, signed=True),
                "-" if row.no_face is None else in_words(row.no_face),
            ],
            "by_movie": [f"{value:.3f}" for value in row.by_movie],
            "reference": [
                published(value)
                for value in (row.variant.reference_val, row.variant.reference_test)
            ],
        }
        for row in table.rows
    ]
    page = write_page(
        out / "index.html",
        "ablation",
        data,
        title="castsearch: ablation",
        against=table.against,
        movies=[f"{source} {movie}" for source, movie in table.movies],
        rows=rows,
        chart=Markup(bar_chart(table.rows)),
        explained=explained(table),
        problems=list(problems),
    )
    remove_other_thumbnails(out / "thumbs", data["thumbs"])
    return page


def _page_data(table: Ablation, comparisons: Sequence[SideBySide]) -> dict[str, Any]:
    """What the page's script reads: pictures and reasons as numbers into lists."""
    pictures: dict[str, int] = {}
    aspects: list[int] = []
    reasons: dict[str, int] = {}
    movies = {movie: i for i, movie in enumerate(table.movies)}

    def picture(query: SideBySide, name: str) -> int:
        if name not in query.pictures:
            return -1
        key, shape = query.pictures[name]
        if key not in pictures:
            pictures[key] = len(pictures)
            aspects.append(shape)
        return pictures[key]

    queries = [
        {
            "id": one.query.query,
            "name": one.name,
            "movie": movies[one.query.source, one.query.movie],
            "n": one.query.n_positives,
            "ap": [round(value, 6) for value in one.query.AP],
            "portraits": [picture(one, name) for name in one.portraits],
            "lists": [
                [
                    [
                        shown.candidate,
                        picture(one, shown.candidate),
                        int(shown.is_right),
                        reasons.setdefault(shown.reason, len(reasons)),
                    ]
                    for shown in entries
                ]
                for entries in one.lists
            ],
        }
        for one in comparisons
    ]
    names = [row.variant.name for row in table.rows]
    left, right = _first_pair(table)
    return {
        "presets": names,
        "left": left,
        "right": right,
        "movies": [f"{source} {movie}" for source, movie in table.movies],
        "thumbs": list(pictures),
        "thumbsAt": "thumbs/",
        "aspects": aspects,
        "reasons": list(reasons),
        "queries": queries,
    }


def _first_pair(table: Ablation) -> tuple[int, int]:
    """What the page starts with: the best other preset, and the row that is compared with."""
    names = [row.variant.name for row in table.rows]
    right = names.index(table.against)
    preset = table.against.partition(":")[0]
    others = [i for i in range(len(names)) if i != right] or [right]
    # Variants of one preset differ little: another preset comes first.
    others = [i for i in others if names[i].partition(":")[0] != preset] or others
    return max(others, key=lambda i: table.rows[i].mAP.mean), right
