"""The scores of a run as one Parquet table, and who each candidate is as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from castsearch.runtime.files import whole_file, whole_text_file
from castsearch.types import Face, MovieResult


def write_scores(path: Path, results: Sequence[MovieResult]) -> Path:
    """Write one row per query and candidate to ``path`` (Parquet, zstd), best first per query.

    Columns: ``movie``, ``query``, ``candidate``, ``score`` (float64, ``-inf`` kept, null where the
    ranking has no scores), ``rank`` (from 1), ``face_x0`` .. ``face_y1`` (pixels of the upright
    picture, null without a face), ``face_score``, ``decided_by`` and ``label_correct`` (null
    where the candidate has no label).

    Raises:
        CastsearchError: The file cannot be written.
    """
    import polars as pl

    text, real = pl.String, pl.Float32
    schema: dict[str, Any] = {
        "movie": text,
        "query": text,
        "candidate": text,
        "score": pl.Float64,
        "rank": pl.UInt32,
        "face_x0": real,
        "face_y0": real,
        "face_x1": real,
        "face_y1": real,
        "face_score": real,
        "decided_by": text,
        "label_correct": pl.Boolean,
    }
    parts = [pl.DataFrame(_columns(result), schema=schema) for result in results]
    table = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    with whole_file(path) as temporary:
        table.write_parquet(temporary, compression="zstd")
    return path


NOBODY = "none of these"
NAMED_FROM = 0.5
"""Probability from which a candidate is named."""


def write_names(path: Path, results: Sequence[MovieResult]) -> Path:
    """Write one row per candidate to ``path`` (CSV): who it is, if anyone asked for.

    Columns: ``movie``, ``candidate``, ``still``, ``cast`` (id of the likeliest cast member, or
    "none of these" where no probability reaches a half), ``name``, ``probability`` (of that member)
    and ``decided_by``. Scores have to be probabilities.

    Raises:
        CastsearchError: The file cannot be written.
    """
    with whole_text_file(path) as file:
        table = csv.writer(file)
        table.writerow(["movie", "candidate", "still", "cast", "name", "probability", "decided_by"])
        for result in results:
            names = {member.id: member.name for member in result.movie.cast}
            best: dict[str, tuple[float, str, str]] = {}
            for ranking in result.rankings:
                for candidate, score, reason in zip(
                    ranking.candidate_ids, ranking.scores, ranking.reasons, strict=True
                ):
                    if candidate not in best or score > best[candidate][0]:
                        best[candidate] = (score, ranking.query_id, reason)
            for seen in result.movie.candidates:
                score, cast, reason = best[seen.id]
                who = cast if score >= NAMED_FROM else NOBODY
                probability = f"{max(score, 0.0):.4f}"
                row = [who, names.get(who, ""), probability, reason]
                table.writerow([result.movie.id, seen.id, seen.still.id, *row])
    return path


def _columns(result: MovieResult) -> dict[str, list[Any]]:
    """The rows of one movie, as columns."""
    labels = {candidate.id: candidate.label for candidate in result.movie.candidates}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("movie", "query", "candidate", "score", "rank")
    }
    faces: list[Face | None] = []
    decided_by: list[str | None] = []
    correct: list[bool | None] = []
    for ranking in result.rankings:
        n = len(ranking.candidate_ids)
        columns["movie"] += [result.movie.id] * n
        columns["query"] += [ranking.query_id] * n
        columns["candidate"] += ranking.candidate_ids
        columns["score"] += ranking.scores or [None] * n
        columns["rank"] += range(1, n + 1)
        faces += [result.faces.get(name) for name in ranking.candidate_ids]
        decided_by += ranking.reasons or [None] * n
        for name in ranking.candidate_ids:
            label = labels.get(name)
            correct.append(None if label is None else label == ranking.query_id)
    for side in ("x0", "y0", "x1", "y1"):
        columns[f"face_{side}"] = [getattr(face.box, side) if face else None for face in faces]
    columns["face_score"] = [face.score if face else None for face in faces]
    columns["decided_by"] = list(decided_by)
    columns["label_correct"] = list(correct)
    return columns
