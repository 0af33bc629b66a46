"""A run as tables: the score of every query and candidate, and who each candidate is.

:data:`TABLES` are the files; another one is a function of rows and a line there. Rows are made
movie by movie. Ids, names and reasons are cells by
:func:`castsearch.runtime.spreadsheet.to_cell`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from castsearch.runtime.spreadsheet import to_cell
from castsearch.types import MovieResult

SCORE_COLUMNS = (
    "movie",
    "query",
    "candidate",
    "score",
    "rank",
    "face_x0",
    "face_y0",
    "face_x1",
    "face_y1",
    "face_score",
    "decided_by",
    "label_correct",
)
NAME_COLUMNS = ("movie", "candidate", "still", "cast", "name", "probability", "decided_by")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file of the run folder: its columns, and the rows that a movie adds to it.

    With ``of_probabilities`` it is written only where scores are probabilities.
    """

    columns: Sequence[str]
    rows: Callable[[MovieResult], Iterable[Sequence[str]]]
    of_probabilities: bool = False


NOBODY = "none of these"
NAMED_FROM = 0.5
"""Probability from which a candidate is named."""


def score_rows(result: MovieResult) -> Iterator[list[str]]:
    """One row per query and candidate by :data:`SCORE_COLUMNS`, best first per query.

    ``score`` has all its digits, ``-inf`` for nothing to go by, and is empty where the ranking has
    no scores; ``rank`` counts from 1; the face is in pixels of the upright picture and empty
    without one; ``label_correct`` is ``true``, ``false``, or empty without a label.
    """
    labels = {candidate.id: candidate.label for candidate in result.movie.candidates}
    faces = {
        name: [*(f"{side:.2f}" for side in face.box.xyxy), f"{face.score:.6f}"]
        for name, face in result.faces.items()
    }
    movie = to_cell(result.movie.id)
    for ranking in result.rankings:
        query = to_cell(ranking.query_id)
        for i, candidate in enumerate(ranking.candidate_ids):
            label = labels.get(candidate)
            yield [
                movie,
                query,
                to_cell(candidate),
                repr(float(ranking.scores[i])) if ranking.scores else "",
                str(i + 1),
                *faces.get(candidate, [""] * 5),
                to_cell(ranking.reasons[i]) if ranking.reasons else "",
                "" if label is None else str(label == ranking.query_id).lower(),
            ]


def name_rows(result: MovieResult) -> Iterator[list[str]]:
    """One row per candidate by :data:`NAME_COLUMNS`: who it is, if anyone asked for.

    ``cast`` is the id of the likeliest cast member, or "none of these" where no probability
    reaches a half; ``probability`` is of that member. Scores have to be probabilities.
    """
    names = {member.id: member.name for member in result.movie.cast}
    likeliest = _likeliest(result)
    for candidate in result.movie.candidates:
        probability, cast, reason = likeliest.get(candidate.id, (0.0, "", ""))
        who = cast if probability >= NAMED_FROM else NOBODY
        texts = [result.movie.id, candidate.id, candidate.still.id, who, names.get(who, "")]
        yield [*map(to_cell, texts), f"{max(probability, 0.0):.4f}", to_cell(reason)]


def n_named(result: MovieResult) -> int:
    """How many candidates have a name in :func:`name_rows`."""
    likeliest = _likeliest(result)
    nobody = (-math.inf, "", "")
    return sum(likeliest.get(c.id, nobody)[0] >= NAMED_FROM for c in result.movie.candidates)


def _likeliest(result: MovieResult) -> dict[str, tuple[float, str, str]]:
    """Best score of each candidate, whose it is, and what decided it."""
    best: dict[str, tuple[float, str, str]] = {}
    for ranking in result.rankings:
        for i, (candidate, score) in enumerate(
            zip(ranking.candidate_ids, ranking.scores, strict=True)
        ):
            if candidate not in best or score > best[candidate][0]:
                reason = ranking.reasons[i] if ranking.reasons else ""
                best[candidate] = (score, ranking.query_id, reason)
    return best


TABLES: dict[str, Table] = {
    "scores.csv": Table(SCORE_COLUMNS, score_rows),
    "names.csv": Table(NAME_COLUMNS, name_rows, of_probabilities=True),
}
"""The tables of a run folder, by the names of their files."""


def tables_of(*, named: bool) -> dict[str, Table]:
    """The tables of a run; ``named`` says that its scores are probabilities."""
    return {name: table for name, table in TABLES.items() if named or not table.of_probabilities}
