"""Read who is truly where: the ground truth in the forms that course and challenge files use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castsearch.errors import InputError
from castsearch.types import OTHERS, Movie

N_LISTED = 10
"""How many offending ids or lines one message spells out."""


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


def movie_prefix(any_id: str) -> str:
    """The text before the last ``_``: ``tt0120338`` for ``tt0120338_nm0000138``."""
    return any_id.rpartition("_")[0]


def is_others(query_id: str) -> bool:
    """Whether an id is the distractor label, which is never a query."""
    return query_id == OTHERS or query_id.endswith(f"_{OTHERS}")


def listed(items: Sequence[str]) -> str:
    """The first items in words, with the number of those not spelt out."""
    shown = ", ".join(items[:N_LISTED])
    return shown if len(items) <= N_LISTED else f"{shown} and {len(items) - N_LISTED} more"


def read_truth(path: Path) -> Truth:
    """Read a ground truth; the form is told apart by itself.

    Forms: ``{"tt_nm": ["tt_0012", ...]}`` (IMDb ``<split>_GT.json``, WIDER ``<split>_label.json``);
    ``{"tt": {"cast": [{"id", "label"}], "candidates": [{"id", "label"}]}}`` (public WIDER label
    file, ``<split>.json`` with labels), labels ``nm...`` or ``tt..._nm...``; or a folder that
    :func:`castsearch.sources.movies.read` reads.

    Raises:
        InputError: the file cannot be read, has another form, no labels, or names an id twice.
    """
    path = Path(path)
    try:
        is_folder = path.is_dir()
    except OSError:
        is_folder = False  # and reading it as a file says why
    if is_folder:
        return _read_folder(path)
    document = _load(path)
    if not isinstance(document, dict) or not document:
        raise InputError(f"{path}: expected a JSON object of queries or movies, and found none")
    if all(isinstance(value, list) for value in document.values()):
        return _from_lists(path, document)
    if all(isinstance(value, dict) for value in document.values()):
        return _from_movies(path, document)
    raise InputError(
        f"{path}: not a ground truth; expected a list of candidate ids per query, or cast and "
        "candidates with labels per movie"
    )


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
        for query, found in truth.items():
            if is_others(query):
                messages.append(_others_message(query))
                continue
            if query in positives:
                raise InputError(
                    f"the cast id {query} occurs in {movie_ids[query]} and in {movie.id}; "
                    "rename one of them"
                )
            positives[query] = found
            movie_ids[query] = movie.id
    if not candidates:
        return None
    return Truth(positives, candidates, movie_ids, tuple(messages), frozenset(unlabelled))


def _read_folder(path: Path) -> Truth:
    from castsearch.sources.movies import read

    truth = truth_of(read(path))
    if truth is None:
        raise InputError(
            f"{path}: no candidate has a label; give a folder with labels or a truth file"
        )
    return truth


def _load(path: Path) -> object:
    repeated: Counter[str] = Counter()

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # json keeps the last of two equal keys without a word: a truth would lose positives.
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            repeated.update(key for key, count in counts.items() if count > 1)
        return found

    try:
        text = path.read_text(encoding="utf-8-sig")
        document: object = json.loads(text, object_pairs_hook=unique)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such truth file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a UTF-8 text file; a ground truth is JSON") from error
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply to be a ground truth") from error
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error}); a ground truth is JSON") from error
    if repeated:
        raise InputError(f"{path}: occurs twice in one object: {listed(sorted(repeated))}")
    return document


def _from_lists(path: Path, document: dict[str, list[object]]) -> Truth:
    positives: dict[str, frozenset[str]] = {}
    messages = []
    for query, entries in document.items():
        ids = [entry for entry in entries if isinstance(entry, str)]
        if len(ids) < len(entries):
            raise InputError(f"{path}: the list of {query} holds something that is not an id")
        if is_others(query):
            messages.append(_others_message(query))
            continue
        if len(set(ids)) < len(ids):
            twice = sorted(i for i, count in Counter(ids).items() if count > 1)
            raise InputError(f"{path}: the list of {query} names twice: {listed(twice)}")
        positives[query] = frozenset(ids)
    return Truth(positives, None, {}, tuple(messages))


def _from_movies(path: Path, document: dict[str, dict[str, object]]) -> Truth:
    positives: dict[str, frozenset[str]] = {}
    candidates: dict[str, frozenset[str]] = {}
    movies: dict[str, str] = {}
    messages = []
    n_labels = 0
    for movie, content in document.items():
        cast = _entries(path, movie, content, "cast")
        people = _entries(path, movie, content, "candidates")
        candidates[movie] = frozenset(people)
        n_labels += sum(label is not None for label in people.values())
        by_label: dict[str, list[str]] = {}
        for candidate, label in people.items():
            by_label.setdefault(_short(movie, label or OTHERS), []).append(candidate)
        wanted = {OTHERS}
        for query, label in cast.items():
            name = _short(movie, label or query)
            if is_others(query) or is_others(name):
                messages.append(_others_message(query))
                continue
            if query in positives:
                raise InputError(f"{path}: the cast id {query} occurs twice")
            wanted.add(name)
            positives[query] = frozenset(by_label.get(name, ()))
            movies[query] = movie
        strangers = sum(len(ids) for name, ids in by_label.items() if name not in wanted)
        if strangers:
            messages.append(
                f"{path}: {strangers} candidates of {movie} have a label that is not in its cast; "
                f'they count as "{OTHERS}"'
            )
    if n_labels == 0:
        raise InputError(f"{path}: no candidate has a label; give the file that has them")
    return Truth(positives, candidates, movies, tuple(messages))


def _entries(
    path: Path, movie: str, content: dict[str, object], part: str
) -> dict[str, str | None]:
    """Label by id of the cast or the candidates of one movie of a WIDER file."""
    entries = content.get(part)
    if not isinstance(entries, list):
        raise InputError(f'{path}: {movie} has no list "{part}"')
    labels: dict[str, str | None] = {}
    for entry in entries:
        found = entry.get("id") if isinstance(entry, dict) else None
        label = entry.get("label") if isinstance(entry, dict) else None
        if not isinstance(found, str) or not isinstance(label, str | None):
            raise InputError(f'{path}: an entry of "{part}" of {movie} has no id, or a bad label')
        if found in labels:
            raise InputError(f'{path}: the id {found} occurs twice in "{part}" of {movie}')
        labels[found] = label
    return labels


def _short(movie: str, label: str) -> str:
    return label.removeprefix(f"{movie}_")


def _others_message(query: str) -> str:
    return f'{query}: "{OTHERS}" is never a query; left out of the truth'
