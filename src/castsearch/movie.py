"""From the features of a movie's pictures to one ranking per cast member."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.features import Features
from castsearch.fusion import film_evidence, film_settings
from castsearch.rank.coarse import inverse_relation, rankings, similarity
from castsearch.rank.film import film
from castsearch.rank.reasons import film_reasons
from castsearch.recipe import Recipe
from castsearch.types import CastMember, Face, FloatArray, Movie, MovieResult, Problem
from castsearch.workers import n_cores

UNREADABLE = "picture unreadable"
LARGE_MOVIE = 1000
"""Candidates from which a movie is ranked on several cores."""


def region_id(movie: Movie, any_id: str) -> str:
    """An id that holds across movies: files may number each movie's candidates anew."""
    return f"{movie.id}\n{any_id}"


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
        vectors = [f.vector for f in portraits if f.vector is not None]
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


def _film_order(
    movie: Movie, seen: Sequence[Features], queries: Queries, recipe: Recipe
) -> tuple[NDArray[np.float64], list[list[str]], dict[str, Face]]:
    """Scores, reasons and the face of each candidate, by the film ranking."""
    from threadpoolctl import threadpool_limits

    # Small matrices go through BLAS faster in one thread than its threads wait for each other.
    n_threads = 1 if len(seen) < LARGE_MOVIE else n_cores()
    with threadpool_limits(n_threads, user_api="blas"):
        evidence, owned = film_evidence(movie.candidates, seen, queries, recipe)
        beliefs = film(evidence, film_settings(recipe.preset))
    ids = [candidate.id for candidate in movie.candidates]
    reasons = film_reasons(beliefs, evidence, ids, [member.name for member in movie.cast])
    scores = beliefs.probabilities
    for j, feature in enumerate(seen):
        if feature.problem:
            scores[:, j] = -np.inf
            for row in reasons:
                row[j] = UNREADABLE
    return scores, reasons, {i: hit.face for i, hit in zip(ids, owned, strict=True) if hit}


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
