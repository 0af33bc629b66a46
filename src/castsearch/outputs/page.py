"""The report: one page that opens from disk, with its thumbnails in a folder beside it.

The page asks nothing of any network: style and script are written into it, and its content
security policy allows that one style, that one script and pictures from its own folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castsearch.runtime.files import sweep, whole_file
from castsearch.types import OTHERS, MovieResult, Problem, Ranking

if TYPE_CHECKING:
    from jinja2 import Environment

NO_TRUTH = -1
NO_CAST = -2
"""What stands for a cast index in the page's data: label unknown, and label "others"."""

TILES = (("mAP", "mAP"), ("rank1", "rank-1"), ("rank5", "rank-5"), ("rank10", "rank-10"))


def write_report(
    folder: Path,
    results: Sequence[MovieResult],
    *,
    title: str,
    facts: Mapping[str, str],
    evaluation: Mapping[str, Any] | None,
    problems: Sequence[Problem],
    named_from: float | None = None,
) -> Path:
    """Write ``folder/index.html`` and ``folder/thumbs/``, and give the path of the page.

    ``facts`` is printed as it stands; crops that score below ``named_from`` are shown pale: they
    are rather none of these. ``evaluation`` is the scorer's JSON form, of which any key
    may be missing. The problems of the movies and of their results are listed after ``problems``,
    each once. A thumbnail is named after its content: one that is there already is kept.

    Raises:
        CastsearchError: A file cannot be written.
    """
    evaluation = evaluation or {}
    thumbnails: dict[str, bytes] = {}
    data = _page_data(results, evaluation, thumbnails) | {"namedFrom": named_from}
    listed = dict.fromkeys(
        [*problems, *(p for r in results for p in (*r.movie.problems, *r.problems))]
    )
    scored = ((text, _number(evaluation, key)) for key, text in TILES)
    return write_page(
        folder,
        "page",
        thumbnails,
        data,
        title=title,
        facts=facts,
        tiles=[(text, f"{value:.3f}") for text, value in scored if value is not None],
        problems=list(listed),
        has_truth=any(result.movie.truth is not None for result in results),
        named_from=named_from,
        movies=[result.movie.id for result in results],
    )


def write_page(
    folder: Path, name: str, thumbnails: Mapping[str, bytes], data: object, **content: Any
) -> Path:
    """Write ``folder/index.html`` out of ``name.html.jinja``, ``page.css`` and ``name.js``.

    A file ``name.css`` adds to the style. ``thumbnails`` go to ``folder/thumbs/NAME.jpg``; one
    that is there already is kept. ``data`` is what the script reads; ``content`` is what the
    template prints, all of it as text.

    Raises:
        CastsearchError: A file cannot be written.
    """
    parts = resources.files("castsearch.outputs")
    styles = [parts.joinpath(f"{which}.css") for which in dict.fromkeys(("page", name))]
    style = "\n".join(part.read_text("utf-8") for part in styles if part.is_file())
    script = parts.joinpath(f"{name}.js").read_text("utf-8")
    html = (
        _templates()
        .get_template(f"{name}.html.jinja")
        .render(
            style=style,
            style_hash=_integrity(style),
            script=script,
            script_hash=_integrity(script),
            data=script_json(data),
            **content,
        )
    )
    sweep(folder / "thumbs")
    for picture_name, picture in thumbnails.items():
        place = folder / "thumbs" / f"{picture_name}.jpg"
        # A power cut may leave an empty one, since they are not forced to disk.
        if not place.is_file() or place.stat().st_size != len(picture):
            with whole_file(place, many=True) as temporary:
                temporary.write_bytes(picture)
    path = folder / "index.html"
    with whole_file(path) as temporary:
        # File names that are not UTF-8 reach Python as lone surrogates, which no encoder takes.
        temporary.write_bytes(html.encode("utf-8", "replace"))
    return path


def script_json(data: object) -> str:
    """``data`` as compact JSON that cannot end, or open anything in, the script around it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("castsearch.outputs", "")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _page_data(
    results: Sequence[MovieResult], evaluation: Mapping[str, Any], thumbnails: dict[str, bytes]
) -> dict[str, Any]:
    """What the page's script reads: parallel lists, with thumbnails and reasons as numbers."""
    names: dict[str, int] = {}
    reasons: dict[str, int] = {}
    movies = [_movie(result, evaluation, thumbnails, names, reasons) for result in results]
    return {"movies": movies, "thumbs": list(names), "reasons": list(reasons)}


def _movie(
    result: MovieResult,
    evaluation: Mapping[str, Any],
    thumbnails: dict[str, bytes],
    names: dict[str, int],
    reasons: dict[str, int],
) -> dict[str, Any]:
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
        ap = _number(evaluation, "queries", member.id, "AP")
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
    return {
        "id": movie.id,
        "mAP": _number(evaluation, "movies", movie.id, "mAP"),
        "cast": cast,
        "ids": list(positions),
        "thumbs": [thumbnail(name) for name in positions],
        "boxes": [face_box(result, name) for name in positions],
        "aspects": [aspect(result, name) for name in positions],
        "faces": "".join("1" if name in result.faces else "0" for name in positions),
        "labels": labels,
        "problems": problems,
    }


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


def picture_name(picture: bytes) -> str:
    """What a thumbnail is called: equal pictures are one file."""
    return hashlib.sha256(picture).hexdigest()[:32]


def aspect(result: MovieResult, picture_id: str) -> int:
    """Width of the thumbnail in thousandths of its height; 0 where unknown."""
    frame = result.frames.get(picture_id)
    return round(1000 * frame.width / frame.height) if frame and frame.area > 0 else 0


def _score(score: float) -> float | None:
    """Six digits of a score; ``None`` for ``-inf`` and NaN, which JSON cannot hold."""
    if math.isnan(score) or score == -math.inf:
        return None
    return float(f"{min(score, 1e300):.6g}")


def _number(mapping: Mapping[str, Any], *keys: str) -> float | None:
    """The finite number at a path of keys, rounded to 6 places; ``None`` where there is none."""
    value: Any = mapping
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(float(value), 6)


def _integrity(text: str) -> str:
    """The form in which a content security policy names one inline style or script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
