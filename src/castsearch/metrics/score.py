"""Score rankings against the truth: mAP, cumulative matching, and where the errors lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from castsearch.errors import InputError
from castsearch.metrics.submission import Row, Submission, refusal
from castsearch.metrics.truth import Truth
from castsearch.sources.labels import is_others, listed, movie_prefix

BINS = ((1, 10), (11, 20), (21, 40), (41, 80), (81, None))
"""Numbers of positives that are reported together, both ends inclusive."""


@dataclass(frozen=True, slots=True)
class QueryScore:
    """One query. ``AP`` is ``None`` without positives; ``first_hit`` counts from 1."""

    query: str
    movie: str
    AP: float | None
    n_positives: int
    n_found: int
    n_ranked: int
    first_hit: int | None


@dataclass(frozen=True, slots=True)
class MovieScore:
    """Mean AP over the queries of one movie that have positives; ``None`` where none has."""

    movie: str
    mAP: float | None
    n_queries: int


@dataclass(frozen=True, slots=True)
class BinScore:
    """Mean AP over the queries with ``low`` to ``high`` positives (``None``: no upper end)."""

    low: int
    high: int | None
    mAP: float
    n_queries: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores from 0 to 1. ``mAP`` is cast-macro: queries of all movies are averaged alike.

    ``movie_macro_mAP`` averages the movies' own means. ``rank1`` is the share of queries whose
    first candidate is right, ``rank5`` and ``rank10`` those with a hit among the first 5 and 10.
    ``messages`` are plain sentences about all that was left out, missing or skipped.
    """

    mAP: float
    rank1: float
    rank5: float
    rank10: float
    movie_macro_mAP: float
    n_queries: int
    movies: tuple[MovieScore, ...]
    queries: tuple[QueryScore, ...]
    by_positives: tuple[BinScore, ...]
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """The queries of one truth, scored, and what there is to say of them."""

    queries: tuple[QueryScore, ...]
    messages: tuple[str, ...] = ()


def evaluate(truth: Truth, submission: Submission) -> Evaluation:
    """Score a submission: mAP = 1/Q sum_q 1/m_q sum_k P_q(k) rel_q(k) over complete lists.

    m_q counts all positives of the truth, found or not (the formula of the reference's poster). A
    query without a row scores 0. A query without positives has no AP (0/0), so it is
    left out of every mean and named. Nothing is cut off.

    Raises:
        InputError: a list repeats a candidate, a query has two rows, an id is unknown (the first
            10 lines are named), or no query has positives.
    """
    evaluation = evaluation_of([scores_of(truth, submission)])
    if evaluation is None:
        raise InputError("the truth has no query with a positive candidate; there is no score")
    return evaluation


def scores_of(truth: Truth, submission: Submission) -> Scores:
    """The score of each query of a truth, of one movie or of many: see :func:`evaluate`.

    Raises:
        InputError: a list repeats a candidate, a query has two rows, or an id is unknown.
    """
    messages = [*truth.messages, *submission.messages]
    rows = _check(truth, submission, messages)
    queries = tuple(_score(truth, query, rows.get(query)) for query in truth.positives)
    _tell_gaps(truth, submission, queries, rows, messages)
    return Scores(queries, tuple(messages))


def evaluation_of(parts: Iterable[Scores]) -> Evaluation | None:
    """The means over the queries of all parts; ``None`` where none of them has positives."""
    scored = list(parts)
    queries = tuple(query for part in scored for query in part.queries)
    counted = [(query, query.AP) for query in queries if query.AP is not None]
    if not counted:
        return None
    movies = _by_movie(queries)
    means = [movie.mAP for movie in movies if movie.mAP is not None]
    hits = [query.first_hit for query, _ in counted]
    return Evaluation(
        mAP=_mean([value for _, value in counted]),
        rank1=_mean([hit is not None and hit <= 1 for hit in hits]),
        rank5=_mean([hit is not None and hit <= 5 for hit in hits]),
        rank10=_mean([hit is not None and hit <= 10 for hit in hits]),
        movie_macro_mAP=_mean(means),
        n_queries=len(counted),
        movies=movies,
        queries=queries,
        by_positives=_by_positives(counted),
        messages=tuple(message for part in scored for message in part.messages),
    )


def average_precision(places: Iterable[int], n_positives: int) -> float:
    """AP = 1/m sum_k k / p_k: the precision at each right candidate, over all m positives.

    Args:
        places: Places of the right candidates that were found, from 1, rising.
        n_positives: How many there are, found or not; above 0.
    """
    return float(sum(k / place for k, place in enumerate(places, start=1)) / n_positives)


def to_json(evaluation: Evaluation) -> dict[str, object]:
    """What ``castsearch evaluate --json`` prints: plain numbers, lists and strings."""
    return {
        "mAP": evaluation.mAP,
        "rank1": evaluation.rank1,
        "rank5": evaluation.rank5,
        "rank10": evaluation.rank10,
        "movie_macro_mAP": evaluation.movie_macro_mAP,
        "n_queries": evaluation.n_queries,
        "movies": {m.movie: {"mAP": m.mAP, "n_queries": m.n_queries} for m in evaluation.movies},
        "queries": {
            q.query: {
                "movie": q.movie,
                "AP": q.AP,
                "n_positives": q.n_positives,
                "n_found": q.n_found,
                "n_ranked": q.n_ranked,
                "first_hit": q.first_hit,
            }
            for q in evaluation.queries
        },
        "by_positives": [
            {"low": b.low, "high": b.high, "mAP": b.mAP, "n_queries": b.n_queries}
            for b in evaluation.by_positives
        ],
        "messages": list(evaluation.messages),
    }


def _check(truth: Truth, submission: Submission, messages: list[str]) -> dict[str, Row]:
    """The rows by query; refuses what would make the score wrong."""
    rows: dict[str, Row] = {}
    faults: list[str] = []
    for row in submission.rows:
        where = f"{submission.unit} {row.line}"
        if row.query not in truth.positives:
            if row.query in truth.unlabelled:
                continue  # its movie is named in truth.messages
            if is_others(row.query):
                messages.append(f'{where}: {row.query} was skipped, "others" is never a query')
            else:
                faults.append(f"{where}: the truth has no query {row.query}")
            continue
        if row.query in rows:
            first = rows[row.query].line
            faults.append(f"{where}: {row.query} has a list already on {submission.unit} {first}")
            continue
        rows[row.query] = row
        if not row.candidates:
            messages.append(f"{where}: the list of {row.query} is empty")
        faults += (f"{where}: {fault}" for fault in _faults_of(truth, row))
    if faults:
        raise InputError(refusal(submission.source, faults))
    return rows


def _faults_of(truth: Truth, row: Row) -> Iterable[str]:
    movie = truth.movie_of(row.query)
    unique = set(row.candidates)
    if len(unique) < len(row.candidates):
        seen: set[str] = set()
        for candidate in row.candidates:
            if candidate in seen:
                yield f"{candidate} occurs twice in the list of {row.query}"
            seen.add(candidate)
    if truth.candidates is not None:
        unknown = unique - truth.candidates.get(movie, frozenset())
    else:
        # Without a list of candidates, an id of this movie may be a distractor: only the movie
        # can be checked. A true positive is known whatever its id looks like.
        unknown = {c for c in unique if movie_prefix(c) != movie} - truth.positives[row.query]
    for candidate in sorted(unknown):
        yield f"{candidate} is no candidate of {movie or row.query}"


def _score(truth: Truth, query: str, row: Row | None) -> QueryScore:
    positives = truth.positives[query]
    candidates = row.candidates if row else ()
    hits = [k for k, candidate in enumerate(candidates, start=1) if candidate in positives]
    return QueryScore(
        query=query,
        movie=truth.movie_of(query),
        AP=average_precision(hits, len(positives)) if positives else None,
        n_positives=len(positives),
        n_found=len(hits),
        n_ranked=len(candidates),
        first_hit=hits[0] if hits else None,
    )


def _tell_gaps(
    truth: Truth,
    submission: Submission,
    queries: Sequence[QueryScore],
    rows: dict[str, Row],
    messages: list[str],
) -> None:
    # One without positives does not score 0, whether it has a row or not: it is named below.
    counted = [query for query in queries if query.AP is not None]
    without = [query.query for query in counted if query.query not in rows]
    if without:
        messages.append(
            f"{submission.source}: {len(without)} of {len(counted)} queries have no row and "
            f"score 0: {listed(without)}"
        )
    undefined = [query.query for query in queries if query.AP is None]
    if undefined:
        messages.append(
            f"{len(undefined)} queries have no positive candidate, so they have no average "
            f"precision and are left out of the means: {listed(undefined)}"
        )
    if truth.candidates is not None:
        sizes = {movie: len(ids) for movie, ids in truth.candidates.items()}
        short = [q for q in queries if q.query in rows and q.n_ranked < sizes.get(q.movie, 0)]
        if short:
            n_missing = sum(sizes[q.movie] - q.n_ranked for q in short)
            named = [f"{q.query} ({sizes[q.movie] - q.n_ranked})" for q in short]
            messages.append(
                f"{submission.source}: {len(short)} lists leave out {n_missing} candidates, "
                f"which count as not found: {listed(named)}"
            )
    n_lost = sum(q.n_positives - q.n_found for q in queries if q.query in rows)
    if n_lost:
        n_all = sum(q.n_positives for q in queries)
        messages.append(
            f"{submission.source}: {n_lost} of {n_all} positives are missing from their lists "
            "and count as not found"
        )


def _by_movie(queries: Sequence[QueryScore]) -> tuple[MovieScore, ...]:
    values: dict[str, list[float]] = {}
    for query in queries:
        found = values.setdefault(query.movie, [])
        if query.AP is not None:
            found.append(query.AP)
    return tuple(
        MovieScore(movie, _mean(found) if found else None, len(found))
        for movie, found in values.items()
    )


def _by_positives(counted: Sequence[tuple[QueryScore, float]]) -> tuple[BinScore, ...]:
    bins = []
    for low, high in BINS:
        values = [
            ap for q, ap in counted if low <= q.n_positives and (not high or q.n_positives <= high)
        ]
        if values:
            bins.append(BinScore(low, high, _mean(values), len(values)))
    return tuple(bins)


def _mean(values: Sequence[float]) -> float:
    return float(sum(values) / len(values))
