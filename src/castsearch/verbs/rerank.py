"""Improve a ranking file of any system: ``by_competition`` needs nothing but the lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.metrics import (
    Row,
    Submission,
    Truth,
    average_precision,
    evaluate,
    read_ranking,
    read_truth,
    submission_of,
    write_submission_csv,
    write_submission_wider,
)
from castsearch.ranking.compete import competition
from castsearch.sources.labels import movie_prefix
from castsearch.types import Ranking

ALPHA = 1.5
"""Weight of the other casts' claim: with :data:`SHIFT` the best of the grid below over all 19
movies of the public WIDER 2018 validation ranking."""
SHIFT = 50.0
"""Added to the rank before the logarithm; the larger, the less the first places count."""

ALPHAS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SHIFTS = (1.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0)
"""The values that tuning chooses from."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """mAP of a ranking before and after; ``tuned`` lets no movie choose its own values.

    ``tuned`` is the mAP when each movie is ranked with the ``alpha`` and ``shift`` that are best
    on the other movies (``choices``); ``None`` where there is one movie only.
    """

    before: float
    after: float
    tuned: float | None
    choices: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Reranked:
    """What :func:`rerank` did: the file written, its rankings, scores where a truth was given."""

    out: Path
    rankings: tuple[Ranking, ...]
    comparison: Comparison | None
    messages: tuple[str, ...]


def rerank(
    ranking: Path,
    *,
    by: str = "competition",
    out: Path | None = None,
    alpha: float = ALPHA,
    shift: float = SHIFT,
    truth: Path | None = None,
) -> Reranked:
    """Read a ranking, let the casts of each movie compete, write it in the same form.

    Args:
        ranking: CSV ``Id,Rank`` or WIDER text; a scores.parquet is written as CSV.
        by: The method: ``competition``.
        out: File to write, by default ``NAME-competition`` with the ranking's suffix in the
            current folder.
        alpha: See :func:`by_competition`.
        shift: See :func:`by_competition`.
        truth: Ground truth; adds the comparison to the result.

    Raises:
        InputError: a file cannot be used or written, or a parameter is out of its range.
    """
    if by != "competition":
        raise InputError(f"there is no re-ranking by {by!r}; there is: competition")
    path = Path(ranking)
    submission = read_ranking(path)
    known = read_truth(truth) if truth is not None else None
    movies = None if known is None else {r.query: known.movie_of(r.query) for r in submission.rows}
    rankings = by_competition(submission, alpha=alpha, shift=shift, movies=movies)
    compared = None if known is None else compare(submission, known, alpha=alpha, shift=shift)
    is_csv = _is_csv(path, submission)
    suffix = ".csv" if submission.unit == "row" else path.suffix
    target = out if out is not None else Path(f"{path.stem}-{by}{suffix}")
    (write_submission_csv if is_csv else write_submission_wider)(target, rankings)
    return Reranked(target, rankings, compared, submission.messages)


def by_competition(
    submission: Submission,
    *,
    alpha: float = ALPHA,
    shift: float = SHIFT,
    movies: Mapping[str, str] | None = None,
) -> tuple[Ranking, ...]:
    """Rankings after competition among the casts of each movie, from the lists alone.

    With S = -ln(rank + shift), ranks from 1, f = S - alpha max(0, best S of another cast - S). Each
    list keeps its candidates; one that another list leaves out is not claimed there. Equal f keep
    their order.

    Args:
        submission: The lists, as :func:`castsearch.metrics.read_ranking` gives them.
        alpha: Weight of the others' claim, 0 or more; 0 changes nothing.
        shift: Added to the rank, 0 or more.
        movies: Movie of each query; by default the text before the last ``_`` of its id.

    Raises:
        InputError: a query has two lists, a list names a candidate twice, or a parameter is
            negative.
    """
    if not (alpha >= 0 and shift >= 0):
        raise InputError(f"alpha and shift must be 0 or more; got {alpha} and {shift}")
    _check(submission)
    found: dict[str, Ranking] = {}
    for rows in _by_movie(submission, movies).values():
        places = _places(rows)
        scores = competition(-np.log(places + shift), alpha=alpha)
        for row, place, score in zip(rows, places, scores, strict=True):
            order, n_listed = np.lexsort((place, -score)), len(row.candidates)
            kept = order[:n_listed]
            # Places of a list are 1 to n, so a place leads back to the candidate.
            ids = tuple(row.candidates[int(place[i]) - 1] for i in kept)
            found[row.query] = Ranking(row.query, ids, tuple(float(score[i]) for i in kept))
    return tuple(found[row.query] for row in submission.rows)


def compare(
    submission: Submission, truth: Truth, *, alpha: float = ALPHA, shift: float = SHIFT
) -> Comparison:
    """The mAP before, after with these values, and after leave-one-movie-out tuning.

    Raises:
        InputError: as :func:`by_competition` and :func:`castsearch.metrics.evaluate`.
    """
    movies = {row.query: truth.movie_of(row.query) for row in submission.rows}
    before = evaluate(truth, submission).mAP
    changed = by_competition(submission, alpha=alpha, shift=shift, movies=movies)
    after = evaluate(truth, submission_of(changed)).mAP
    table = _precision_table(submission, truth, movies)
    if len(table) < 2:
        return Comparison(before, after, None, {})
    grid = [(a, s) for a in ALPHAS for s in SHIFTS]
    choices = {}
    tuned: dict[str, Ranking] = {}
    for movie in table:
        # The mean is over queries, so movies enter with the sum of theirs.
        others = sum(values.sum(axis=1) for name, values in table.items() if name != movie)
        choices[movie] = grid[int(np.argmax(others))]
        rows = tuple(row for row in submission.rows if movies[row.query] == movie)
        a, s = choices[movie]
        part = by_competition(Submission(rows), alpha=a, shift=s, movies=movies)
        tuned |= {ranking.query_id: ranking for ranking in part}
    figure = evaluate(truth, submission_of(tuned.values())).mAP
    return Comparison(before, after, figure, choices)


def _precision_table(
    submission: Submission, truth: Truth, movies: Mapping[str, str]
) -> dict[str, NDArray[np.float64]]:
    """AP by movie, shape (n_grid, n_queries), of the queries that have positives."""
    table = {}
    for movie, rows in _by_movie(submission, movies).items():
        scored = [i for i, row in enumerate(rows) if truth.positives.get(row.query)]
        if not scored:
            continue
        places = _places(rows)
        wanted = [
            np.array([c in truth.positives[rows[i].query] for c in rows[i].candidates], dtype=bool)
            for i in scored
        ]
        values = np.zeros((len(ALPHAS) * len(SHIFTS), len(scored)))
        for a, alpha in enumerate(ALPHAS):
            for s, shift in enumerate(SHIFTS):
                scores = competition(-np.log(places + shift), alpha=alpha)
                for q, i in enumerate(scored):
                    order = np.lexsort((places[i], -scores[i]))[: len(wanted[q])]
                    relevant = wanted[q][places[i, order].astype(np.intp) - 1]
                    values[a * len(SHIFTS) + s, q] = average_precision(
                        np.flatnonzero(relevant) + 1, len(truth.positives[rows[i].query])
                    )
        table[movie] = values
    return table


def _places(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Place of each candidate in each list from 1, ``inf`` where it is not listed."""
    column: dict[str, int] = {}
    for row in rows:
        for candidate in row.candidates:
            column.setdefault(candidate, len(column))
    places = np.full((len(rows), len(column)), np.inf)
    for i, row in enumerate(rows):
        places[i, [column[c] for c in row.candidates]] = np.arange(1, len(row.candidates) + 1)
    return places


def _by_movie(submission: Submission, movies: Mapping[str, str] | None) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in submission.rows:
        movie = movie_prefix(row.query) if movies is None else movies[row.query]
        grouped.setdefault(movie, []).append(row)
    return grouped


def _check(submission: Submission) -> None:
    seen: dict[str, int] = {}
    for row in submission.rows:
        where = f"{submission.source}: {submission.unit} {row.line}"
        if row.query in seen:
            raise InputError(
                f"{where}: {row.query} has a list already on {submission.unit} {seen[row.query]}"
            )
        seen[row.query] = row.line
        if len(set(row.candidates)) < len(row.candidates):
            raise InputError(f"{where}: the list of {row.query} names a candidate twice")


def _is_csv(path: Path, submission: Submission) -> bool:
    """Whether the file has a comma after its queries, not a blank; a parquet file counts as CSV."""
    if submission.unit == "row":
        return True
    first = submission.rows[0]
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    line = next(line for line in lines if line.strip(' "\t').startswith(first.query))
    return line.split(first.query, 1)[1].lstrip('" \t').startswith(",")
