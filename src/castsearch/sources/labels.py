"""Truth: who is where, as files write it, turned into the id of a cast member or "others".

Every reader of labels comes here, so that a file means the same whether it is ranked or scored by.
What is ambiguous is never settled without a word: the parser keeps what came first and says so in
``problems``; a reader of pictures passes them on, the scorer refuses the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from castsearch.runtime.oserrors import shown
from castsearch.sources.paths import full_id, slug
from castsearch.types import OTHERS, Candidate, Movie, Problem

N_LISTED = 10
"""How many offending ids or lines one message spells out."""


@dataclass(frozen=True, slots=True)
class MovieLabels:
    """What one file says about one movie.

    ``labels`` holds the label as written by candidate id, ``cast`` pairs of a cast id and a label
    that stands for it (``None`` where it has none). ``rest`` is the label of the candidates that
    ``labels`` does not name.
    """

    labels: Mapping[str, object] = field(default_factory=dict)
    cast: tuple[tuple[str, str | None], ...] = ()
    rest: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """A whole truth document, in the form that it has: ``queries`` or ``movies``.

    ``queries`` maps a query to its true candidates, ``movies`` a movie to its labels. ``problems``
    are clauses about what is ambiguous or no label at all, by the movie or the query that they are
    about ("" for the whole).
    """

    queries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    movies: Mapping[str, MovieLabels] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def of(self, movie_id: str) -> MovieLabels:
        """One movie's part; empty where the document does not speak of it."""
        start = f"{movie_id}_"
        problems = tuple(
            problem
            for problem in self.problems
            if problem.where == movie_id or problem.where.startswith(start)
        )
        if movie_id in self.movies:
            return replace(self.movies[movie_id], problems=problems)
        lists = {query: ids for query, ids in self.queries.items() if query.startswith(start)}
        labels: dict[str, object] = {}
        for query, ids in lists.items():
            for id_ in ids:
                labels.setdefault(id_, query)
        return MovieLabels(labels, rest=OTHERS if lists else None, problems=problems)


def movie_prefix(any_id: str) -> str:
    """The text before the last ``_``: ``tt0120338`` for ``tt0120338_nm0000138``."""
    return any_id.rpartition("_")[0]


def is_others(name: str) -> bool:
    """Whether a label or an id is that of distractors, in any case; it is never a query."""
    return name.rpartition("_")[2].lower() == OTHERS


def listed(items: Sequence[str]) -> str:
    """The first items in words, with the number of those not spelt out."""
    text = ", ".join(map(shown, items[:N_LISTED]))
    return text if len(items) <= N_LISTED else f"{text} and {len(items) - N_LISTED} more"


def parse(document: Mapping[str, object]) -> Labels:
    """A truth document in either of its public forms.

    ``{"tt_nm": ["tt_0012", ...]}`` (IMDb ``<split>_GT.json``, WIDER ``<split>_label.json``) lists
    the positives of each query, so that candidates that it does not name are others.
    ``{tt: {"cast": [{"id", "label"}], "candidates": [{"id", "label"}]}}`` (WIDER 2018) labels each
    one. Cast ids are made full (``tt_nm`` for ``nm``). Of whatever comes twice the first counts.
    """
    queries: dict[str, tuple[str, ...]] = {}
    movies: dict[str, MovieLabels] = {}
    problems: list[Problem] = []
    for key, value in document.items():
        id_ = slug(key)
        if id_ in queries or id_ in movies:
            problems.append(Problem(id_, f"{id_} occurs twice"))
        elif isinstance(value, list):
            queries[id_] = _candidates(id_, value, problems)
        elif isinstance(value, dict):
            movies[id_] = _movie(id_, value, problems)
        else:
            problems.append(
                Problem(id_, f"{id_} has neither a list of candidates nor a cast and candidates")
            )
    if queries and movies:
        what = (
            "it is not a ground truth of one form: some entries are lists of candidates, others "
            "have a cast and candidates"
        )
        problems.append(Problem("", what))
    return Labels(queries, movies, (*problems, *_listed_for_two(queries)))


def _candidates(query: str, entries: list[object], problems: list[Problem]) -> tuple[str, ...]:
    """The ids in the list of one query, each once."""
    ids = [entry for entry in entries if isinstance(entry, str)]
    if len(ids) < len(entries):
        problems.append(Problem(query, f"the list of {query} holds something that is not an id"))
    twice = sorted(id_ for id_, count in Counter(ids).items() if count > 1)
    if twice:
        problems.append(Problem(query, f"the list of {query} names twice: {listed(twice)}"))
    return tuple(dict.fromkeys(ids))


def _listed_for_two(queries: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    """Candidates that two queries of one movie claim."""
    first: dict[tuple[str, str], str] = {}
    return [
        Problem(query, f"{shown(id_)} is listed for {earlier} and for {query}")
        for query, ids in queries.items()
        for id_ in ids
        if (earlier := first.setdefault((movie_prefix(query), id_), query)) != query
    ]


def _movie(movie_id: str, content: Mapping[str, object], problems: list[Problem]) -> MovieLabels:
    cast = _entries(movie_id, content, "cast", problems)
    candidates = _entries(movie_id, content, "candidates", problems)
    return MovieLabels(candidates, tuple(cast.items()))


def _entries(
    movie_id: str, content: Mapping[str, object], part: str, problems: list[Problem]
) -> dict[str, str | None]:
    """Label by id of the cast or the candidates of one movie."""
    entries = content.get(part)
    labels: dict[str, str | None] = {}

    def say(what: str) -> None:
        problems.append(Problem(movie_id, what))

    if not isinstance(entries, list):
        say(f'{movie_id} has no list "{part}"')
        return labels
    for entry in entries:
        id_ = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(id_, str) or not id_:
            say(f'an entry of "{part}" of {movie_id} has no id')
            continue
        id_ = full_id(movie_id, id_) if part == "cast" else id_
        label = entry.get("label")
        if id_ in labels:
            say(f'the id {shown(id_)} occurs twice in "{part}" of {movie_id}')
            continue
        if not isinstance(label, str | None):
            say(f'the label of {shown(id_)} in "{part}" of {movie_id} is not text')
            label = None
        labels[id_] = label
    return labels


def with_labels(movie: Movie, part: MovieLabels, source: str) -> Movie:
    """``movie`` with a label on every candidate that had none and that ``part`` speaks of.

    A label is one that a cast member has in ``part``, else the id of a cast member; each with or
    without the movie's id before it. ``source`` names the file in the sentences about labels that
    are ambiguous or lead nowhere.
    """
    names, shared = _names(movie, part)
    strange: list[str] = []
    wrong: list[str] = []

    def label_of(candidate: Candidate) -> str | None:
        label = part.labels.get(candidate.id, part.rest)
        if candidate.label is not None or label is None:
            return candidate.label
        if not isinstance(label, str):
            wrong.append(candidate.id)
            return None
        if is_others(label):
            return OTHERS
        short = _short(movie.id, label)
        if short not in names:
            strange.append(label)
        return names.get(short, OTHERS)

    candidates = tuple(replace(c, label=label_of(c)) for c in movie.candidates)
    absent = sorted(set(part.labels) - {c.id for c in candidates})
    counted = (
        (shared, "labels that several of the cast have", "the first of them counts"),
        (strange, "labels that name nobody of the cast", "those candidates count as others"),
        (wrong, "labels that are not text", "those candidates stay without one"),
        (absent, "labels for candidates that are not there", "they are left out"),
    )
    problems = [
        Problem(movie.id, f"{source}: {problem.message}; what is clear of it counts.")
        for problem in part.problems
    ]
    problems += [
        Problem(movie.id, f"{source} has {what} ({len(ids)}, first: {shown(ids[0])}); {effect}.")
        for ids, what, effect in counted
        if ids
    ]
    return replace(movie, candidates=candidates, problems=(*movie.problems, *problems))


def _names(movie: Movie, part: MovieLabels) -> tuple[dict[str, str], list[str]]:
    """Cast id by every short name that a label may use; and the labels that several have."""
    members = {member.id for member in movie.cast}
    by_label: dict[str, str] = {}
    shared: dict[str, None] = {}
    for id_, label in part.cast:
        if label is None or is_others(label) or id_ not in members:
            continue
        if by_label.setdefault(_short(movie.id, label), id_) != id_:
            shared[label] = None
    by_id: dict[str, str] = {_short(movie.id, member.id): member.id for member in movie.cast}
    return {**by_id, **by_label}, list(shared)


def _short(movie_id: str, name: str) -> str:
    return name.removeprefix(f"{movie_id}_")


def note_unlabelled(movie: Movie) -> Movie:
    """``movie`` with one problem where some of its candidates have a label and others have none."""
    without = [c.id for c in movie.candidates if c.label is None]
    if not without or len(without) == len(movie.candidates):
        return movie
    message = (
        f"Movie {movie.id} has candidates without a label ({len(without)} of "
        f"{len(movie.candidates)}, first: {without[0]}); they count as wrong for every query."
    )
    return replace(movie, problems=(*movie.problems, Problem(movie.id, message)))
