"""What the page of one movie is drawn from: parallel lists, thumbnails and reasons as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from castsearch.outputs.page import aspect, picture_name
from castsearch.types import OTHERS, MovieResult, Ranking

NO_TRUTH = -1
NO_CAST = -2
"""What stands for a cast index in the page's data: label unknown, and label "others"."""


def page_data(
    result: MovieResult, evaluation: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the page's script reads of a movie, and the thumbnails that it shows, by their names.

    ``evaluation`` is the scorer's JSON form, of which any key may be missing.
    """
    thumbnails: dict[str, bytes] = {}
    names: dict[str, int] = {}
    reasons: dict[str, int] = {}
    movie = result.movie

    def thumbnail(picture_id: str) -> int:
        picture = result.thumbnails.get(picture_id)
        if not picture:
            return -1
        name = picture_name(picture)
        thumbnails[name] = picture
        return names.setdefault(name, len(names))

    positions = {candidate.id: i for i, candidate in enumerate(movie.candidates)}
    for ranking in result.rankings:
        for name in ranking.candidate_ids:
            positions.setdefault(name, len(positions))
    place = {member.id: i for i, member in enumerate(movie.cast)} | {OTHERS: NO_CAST}
    labels: list[int | str] = [NO_TRUTH] * len(positions)
    problems: dict[int, str] = {}
    for i, candidate in enumerate(movie.candidates):
        if candidate.label is not None:
            labels[i] = place.get(candidate.label, candidate.label)
        if candidate.problem is not None:
            problems[i] = candidate.problem
    rankings = {ranking.query_id: ranking for ranking in result.rankings}
    cast = []
    for member in movie.cast:
        ap = number_at(evaluation, "queries", member.id, "AP")
        portraits = [
            [
                thumbnail(still.id),
                face_box(result, still.id),
                aspect(result, still.id),
                still.id in result.faces,
            ]
            for still in member.portraits
        ]
        ranking = rankings.get(member.id, Ranking(member.id, ()))
        cast.append(
            {
                "id": member.id,
                "name": member.name or member.id,
                "ap": ap,
                "portraits": portraits,
                "order": [positions[name] for name in ranking.candidate_ids],
                "scores": [_score(score) for score in ranking.scores],
                "reasons": [reasons.setdefault(r, len(reasons)) for r in ranking.reasons],
            }
        )
    shown = {
        "id": movie.id,
        "mAP": number_at(evaluation, "movies", movie.id, "mAP"),
        "cast": cast,
        "ids": list(positions),
        "thumbs": [thumbnail(name) for name in positions],
        "boxes": [face_box(result, name) for name in positions],
        "aspects": [aspect(result, name) for name in positions],
        "faces": "".join("1" if name in result.faces else "0" for name in positions),
        "labels": labels,
        "problems": problems,
    }
    return {"movie": shown, "thumbs": list(names), "reasons": list(reasons)}, thumbnails


def face_box(result: MovieResult, picture_id: str) -> list[int] | None:
    """Face of one thumbnail as ``[left, top, width, height]`` in thousandths of the thumbnail.

    Cut to the part that the thumbnail shows; ``None`` where it shows no face, or where its region
    is not known.
    """
    face, frame = result.faces.get(picture_id), result.frames.get(picture_id)
    if face is None or frame is None or frame.area <= 0:
        return None
    box = face.box.shift(-frame.x0, -frame.y0).clip(frame.width, frame.height)
    if box.area <= 0:
        return None
    x, y = 1000 / frame.width, 1000 / frame.height
    left, top = round(box.x0 * x), round(box.y0 * y)
    return [left, top, round(box.x1 * x) - left, round(box.y1 * y) - top]


def number_at(mapping: Mapping[str, Any], *keys: str) -> float | None:
    """The finite number at a path of keys, rounded to 6 places; ``None`` where there is none."""
    value: Any = mapping
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(float(value), 6)


def _score(score: float) -> float | None:
    """Six digits of a score; ``None`` for ``-inf`` and NaN, which JSON cannot hold."""
    if math.isnan(score) or score == -math.inf:
        return None
    return float(f"{min(score, 1e300):.6g}")
