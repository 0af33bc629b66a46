"""From the features of a movie's pictures to one ranking per cast member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from castsearch.features.features import Features, Region
from castsearch.features.recipe import Recipe
from castsearch.ranking.coarse import inverse_relation, rankings, similarity
from castsearch.ranking.evidence import film_evidence, film_settings
from castsearch.ranking.film import film
from castsearch.ranking.reasons import film_reasons
from castsearch.types import CastMember, Face, FloatArray, Movie, MovieResult, Problem

UNREADABLE = "picture unreadable"


def region_id(movie: Movie, any_id: str) -> str:
    """An id that holds across movies: files may number each movie's candidates anew."""
    return f"{movie.id}\n{any_id}"


def regions_of(movie: Movie) -> Iterator[Region]:
    """All portraits and candidates of a movie that can be looked at."""
    for member in movie.cast:
        for still in member.portraits:
            yield Region(region_id(movie, still.id), still.path, role="portrait")
    for candidate in movie.candidates:
        if candidate.problem is None:
            yield Region(region_id(movie, candidate.id), candidate.still.path, candidate.box)


def portrait_vectors(portraits: Sequence[Features]) -> list[FloatArray]:
    """The face vectors of those portraits that show one."""
    return [portrait.vector for portrait in portraits if portrait.vector is not None]


def ranked_movie(movie: Movie, features: dict[str, Features], recipe: Recipe) -> MovieResult:
    """The rankings of one movie from the features of all regions of the run."""
    ids = {c.id for c in movie.candidates} | {s.id for m in movie.cast for s in m.portraits}
    features = {i: features[k] for i in ids if (k := region_id(movie, i)) in features}
    problems = list(movie.problems)
    seen = [features.get(c.id, Features(problem=c.problem)) for c in movie.candidates]
    for candidate, feature in zip(movie.candidates, seen, strict=True):
        if feature.problem and candidate.problem is None:
            problems.append(Problem(candidate.id, feature.problem))
    queries = []
    for member in movie.cast:
        portraits = [features[still.id] for still in member.portraits]
        problems += [
            Problem(s.id, f.problem)
            for s, f in zip(member.portraits, portraits, strict=True)
            if f.problem
        ]
        vectors = portrait_vectors(portraits)
        queries.append(vectors)
        if not vectors and not any(f.problem for f in portraits):
            problems.append(
                Problem(member.id, f"{member.id}: no face was found in any portrait of it.")
            )
    faces = {i: f for i in sorted(features) if (f := features[i].face)}
    if recipe.preset.fusion == "film":
        scores, reasons, owned = _film_order(movie, seen, queries, recipe)
        for candidate in movie.candidates:
            faces.pop(candidate.id, None)
        faces |= owned
    elif recipe.preset.fusion == "clusters":
        scores, reasons = _cluster_order(seen, queries, recipe)
    else:
        scores, reasons = _face_order(movie, seen, queries, recipe)
    return MovieResult(
        movie,
        rankings(movie.cast, movie.candidates, scores, reasons),
        faces=faces,
        thumbnails={i: t for i in sorted(features) if (t := features[i].thumbnail)},
        frames={i: b for i in sorted(features) if (b := features[i].frame)},
        problems=tuple(problems),
    )


Queries = Sequence[Sequence[FloatArray]]
"""Face vectors of each cast member's portraits."""


def one_blas_thread() -> AbstractContextManager[object]:
    """Keeps BLAS to one thread, within it.

    The matrices of one movie are small: threads wait for each other longer than they work, and
    where the machine has other work too, many times as long.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def _film_order(
    movie: Movie, seen: Sequence[Features], queries: Queries, recipe: Recipe
) -> tuple[NDArray[np.float64], list[list[str]], dict[str, Face]]:
    """Scores, reasons and the face of each candidate, by the film ranking."""
    with one_blas_thread():
        evidence, owned, facts = film_evidence(movie.candidates, seen, queries, recipe)
        beliefs = film(evidence, film_settings(recipe.preset), facts)
    ids = [candidate.id for candidate in movie.candidates]
    reasons = film_reasons(beliefs, evidence, ids, [m.name for m in movie.cast], facts)
    scores = beliefs.probabilities
    for j, feature in enumerate(seen):
        if feature.problem:
            scores[:, j] = -np.inf
            for row in reasons:
                row[j] = UNREADABLE
    return scores, reasons, {i: hit.face for i, hit in zip(ids, owned, strict=True) if hit}


def _cluster_order(
    seen: Sequence[Features], queries: Queries, recipe: Recipe
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Scores and reasons by clusters of bodies that faces name; unreadable pictures are last."""
    from castsearch.ranking.cluster import hybrid

    scores = np.full((len(queries), len(seen)), -np.inf)
    reasons = [[UNREADABLE] * len(seen) for _ in queries]
    whole = [i for i, feature in enumerate(seen) if feature.body]
    if not whole:
        return scores, reasons
    # Several encoders stand for one body with equal weight.
    body = np.stack([np.concatenate(list(seen[i].body.values())) for i in whole])
    found = hybrid(
        similarity(queries, [seen[i].vector for i in whole], euclidean=True),
        body,
        face_threshold=recipe.preset.prelabel_distance,
        cluster_threshold=recipe.preset.cluster_distance,
    )
    scores[:, whole] = found.scores
    for row, words in zip(reasons, found.reasons, strict=True):
        for i, text in zip(whole, words, strict=True):
            row[i] = text
    return scores, reasons


def _face_order(
    movie: Movie, seen: Sequence[Features], queries: Queries, recipe: Recipe
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Scores and reasons by the likeness of faces alone."""
    scores = similarity(queries, [f.vector for f in seen], euclidean=recipe.encoder.extra == "dlib")
    nearest = _nearest(movie.cast, scores, recipe.preset.relation)
    reasons = [
        [_reason(query, feature, name) for feature, name in zip(seen, names, strict=True)]
        for query, names in zip(queries, nearest, strict=True)
    ]
    inverse = recipe.preset.relation == "inverse"
    return (inverse_relation(scores) if inverse else scores), reasons


def _nearest(
    cast: Sequence[CastMember], scores: NDArray[np.float64], relation: str
) -> list[list[str]]:
    """For each query and candidate the other cast member it is nearest to, or ''."""
    if relation == "direct" or not len(scores):
        return [[""] * scores.shape[1] for _ in cast]
    best = scores.argmax(axis=0)
    return [[("" if b == i else cast[b].name) for b in best] for i in range(len(cast))]


def _reason(query: Sequence[object], feature: Features, nearer: str) -> str:
    """What decided the place of one candidate, in words."""
    if feature.problem:
        return UNREADABLE
    if feature.face is None:
        return "no face found"
    if not query:
        return "no face in the portrait"
    return f"face, nearer to {nearer}" if nearer else "face"
