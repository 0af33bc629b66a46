"""Who is truly where, in the form that scores are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from castsearch.errors import InputError
from castsearch.sources.jsonfile import load_json
from castsearch.sources.labels import (
    N_LISTED,
    Labels,
    MovieLabels,
    is_others,
    listed,
    movie_prefix,
    note_unlabelled,
    parse,
    with_labels,
)
from castsearch.sources.movies import read
from castsearch.sources.paths import NOWHERE, is_folder
from castsearch.types import OTHERS, Candidate, CastMember, Movie, Still


@dataclass(frozen=True, slots=True)
class Truth:
    """The true candidates of every query.

    ``positives`` maps a query id to its candidate ids. ``candidates`` maps a movie id to all
    candidate ids of that movie, ``None`` where the file lists only positives. ``movies`` maps a
    query id to its movie id where the source says it; :meth:`movie_of` fills the gaps.
    ``unlabelled`` holds the queries of movies without labels: known, but not to be scored.
    ``messages`` are plain sentences about what was left out while reading.
    """

    positives: dict[str, frozenset[str]]
    candidates: dict[str, frozenset[str]] | None = None
    movies: dict[str, str] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    unlabelled: frozenset[str] = frozenset()

    def movie_of(self, query_id: str) -> str:
        """Movie of a query: as the source says, else the text before the last ``_`` of its id."""
        return self.movies.get(query_id) or movie_prefix(query_id)


def read_truth(path: Path) -> Truth:
    """Read a ground truth; the form is told apart by itself.

    Forms: those of :func:`castsearch.sources.labels.parse`, the second of which includes a
    ``<split>.json`` with labels; or a folder that :func:`castsearch.sources.movies.read` reads.

    Raises:
        InputError: the file cannot be read, has another form, has no labels, or anything in it is
            ambiguous (an id twice, one candidate for two queries).
    """
    path = Path(path)
    if is_folder(path):
        movies = read(path)
    else:
        labels = _load(path)
        if labels.queries:
            return _of_queries(labels)
        movies = [_movie(movie_id, part, path) for movie_id, part in labels.movies.items()]
    truth = truth_of(movies)
    if truth is None:
        raise InputError(
            f"{path}: no candidate has a label; give a folder with labels or a truth file"
        )
    told = dict.fromkeys(problem.message for movie in movies for problem in movie.problems)
    return replace(truth, messages=(*truth.messages, *told))


def truth_of(movies: Sequence[Movie]) -> Truth | None:
    """The truth that the labels of movies hold; ``None`` where no movie has labels.

    Raises:
        InputError: two movies share their id or the id of a cast member.
    """
    positives: dict[str, frozenset[str]] = {}
    candidates: dict[str, frozenset[str]] = {}
    movie_ids: dict[str, str] = {}
    unlabelled: set[str] = set()
    messages = []
    for movie in movies:
        truth = movie.truth
        if truth is None:
            messages.append(f"movie {movie.id} has no labels and is not scored")
            unlabelled.update(member.id for member in movie.cast)
            continue
        if movie.id in candidates:
            raise InputError(f"the movie id {movie.id} occurs twice; rename one of the folders")
        candidates[movie.id] = frozenset(candidate.id for candidate in movie.candidates)
        for query, ids in truth.items():
            if is_others(query):
                messages.append(_others_message(query))
                continue
            if query in positives:
                raise InputError(
                    f"the cast id {query} occurs in {movie_ids[query]} and in {movie.id}; "
                    "rename one of them"
                )
            positives[query] = ids
            movie_ids[query] = movie.id
    if not candidates:
        return None
    return Truth(positives, candidates, movie_ids, tuple(messages), frozenset(unlabelled))


def _load(path: Path) -> Labels:
    document, repeated = load_json(path)
    if repeated:
        raise InputError(f"{path}: occurs twice in one object: {listed(sorted(repeated))}")
    if not isinstance(document, dict) or not document:
        raise InputError(f"{path}: expected a JSON object of queries or movies, and found none")
    labels = parse(document)
    if labels.problems:
        clauses = [problem.message for problem in labels.problems]
        more = f" (the first {N_LISTED} of {len(clauses)})" if len(clauses) > N_LISTED else ""
        raise InputError(
            f"{path}: nothing can be scored by this truth{more}: " + "; ".join(clauses[:N_LISTED])
        )
    return labels


def _of_queries(labels: Labels) -> Truth:
    """The truth of a file that lists the positives of each query."""
    positives = {q: frozenset(ids) for q, ids in labels.queries.items() if not is_others(q)}
    messages = tuple(_others_message(query) for query in labels.queries if is_others(query))
    return Truth(positives, None, {}, messages)


def _movie(movie_id: str, part: MovieLabels, path: Path) -> Movie:
    """A movie of which there are labels alone, labelled by the rules that hold for all movies."""
    cast = tuple(CastMember(id_, id_, ()) for id_ in dict.fromkeys(id_ for id_, _ in part.cast))
    still = Still(movie_id, NOWHERE)
    movie = Movie(movie_id, cast, tuple(Candidate(id_, still) for id_ in part.labels))
    return note_unlabelled(with_labels(movie, part, str(path)))


def _others_message(query: str) -> str:
    return f'{query}: "{OTHERS}" is never a query; left out of the truth'
