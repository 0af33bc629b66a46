"""Truth: labels as files write them, turned into the id of a cast member or "others"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from castsearch.sources.paths import shown
from castsearch.types import OTHERS, Candidate, CastMember, Movie, Problem


@dataclass(frozen=True, slots=True)
class Truth:
    """What one file says about one movie.

    ``labels`` holds the label as written by candidate id, ``people`` the cast id as written by
    label. ``rest`` is the label of the candidates that ``labels`` does not name.
    """

    labels: dict[str, object] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    rest: str | None = None


def truth_of(document: Mapping[str, object], movie_id: str) -> Truth:
    """One movie's part of a truth file, in either of its public forms.

    ``{"tt_nm": ["tt_0012", ...]}`` lists the positives of each query, so that candidates it does
    not name are others; ``{tt: {"cast": [{"id", "label"}], "candidates": [{"id", "label"}]}}``
    (WIDER 2018) labels each one. What has neither shape is passed over.
    """
    entry = document.get(movie_id)
    if isinstance(entry, dict):
        candidates = _id_and_label(entry.get("candidates"))
        cast = _id_and_label(entry.get("cast"))
        people = {label: id_ for id_, label in reversed(cast) if isinstance(label, str)}
        return Truth(dict(reversed(candidates)), people)
    positives = {
        query: ids
        for query, ids in document.items()
        if query.startswith(f"{movie_id}_") and isinstance(ids, list)
    }
    if not positives:
        return Truth()
    labels: dict[str, object] = {}
    for query, ids in positives.items():
        for id_ in ids:
            if isinstance(id_, str):
                labels.setdefault(id_, query)
    return Truth(labels, rest=OTHERS)


def _id_and_label(entries: object) -> list[tuple[str, object]]:
    return [
        (entry["id"], entry.get("label"))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    ]


def with_labels(movie: Movie, truth: Truth, source: str) -> Movie:
    """``movie`` with a label on every candidate that had none and that ``truth`` speaks of.

    ``source`` names the file in the sentences about labels that lead nowhere.
    """
    people = _names(movie, truth)
    strange: list[str] = []
    wrong: list[str] = []

    def label_of(candidate: Candidate) -> str | None:
        label = truth.labels.get(candidate.id, truth.rest)
        if candidate.label is not None or label is None:
            return candidate.label
        if not isinstance(label, str):
            wrong.append(candidate.id)
            return None
        if label.lower() == OTHERS:
            return OTHERS
        if label not in people:
            strange.append(label)
        return people.get(label, OTHERS)

    candidates = tuple(replace(c, label=label_of(c)) for c in movie.candidates)
    absent = sorted(set(truth.labels) - {c.id for c in candidates})
    counted = (
        (strange, "labels that name nobody of the cast", "those candidates count as others"),
        (wrong, "labels that are not text", "those candidates stay without one"),
        (absent, "labels for candidates that are not there", "they are left out"),
    )
    problems = [
        Problem(
            movie.id,
            f"{source} has {what} ({len(found)}, first: {shown(str(found[0]))}); {effect}.",
        )
        for found, what, effect in counted
        if found
    ]
    return replace(movie, candidates=candidates, problems=(*movie.problems, *problems))


def _names(movie: Movie, truth: Truth) -> dict[str, str]:
    """Cast id by every name that a label may use for that person."""
    by_id = {name: member.id for member in movie.cast for name in _own_names(movie, member)}
    labels = {label: by_id[id_] for label, id_ in truth.people.items() if id_ in by_id}
    return {**by_id, **labels}


def _own_names(movie: Movie, member: CastMember) -> tuple[str, str]:
    return member.id, member.id.removeprefix(f"{movie.id}_")


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
