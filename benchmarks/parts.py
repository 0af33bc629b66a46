"""What each part of the ranking brings, alone and in company.

``python benchmarks/parts.py FOLDER ...`` with labelled sources of ``castsearch rank``, as a
Markdown table of mAP per movie. The upper rows build on the faces one method at a time; the lower
ones are the default ranking with one part of it taken away. Features are kept, so a second call is
quick.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from castsearch.features.features import Features
from castsearch.features.recipe import recipe_of
from numpy.typing import NDArray

from castsearch import metrics as evaluate
from castsearch.features.extract import extract
from castsearch.features.store import Store
from castsearch.presets import preset
from castsearch.ranking.affinity import Bodies
from castsearch.ranking.alternatives.expand import expand
from castsearch.ranking.alternatives.ppcc import ppcc
from castsearch.ranking.alternatives.reciprocal import k_reciprocal
from castsearch.ranking.coarse import rankings
from castsearch.ranking.evidence import film_evidence, film_settings
from castsearch.ranking.film import FilmEvidence, FilmSettings, film
from castsearch.ranking.movie import portrait_vectors, region_id, regions_of
from castsearch.runtime.progress import track
from castsearch.sources.movies import read
from castsearch.types import Movie

Array = NDArray[np.float64]
SURE = 0.4
"""Cosine from which a face is a hit, for the rows that have no softer word for it."""


@dataclass(frozen=True)
class Case:
    """One movie with its evidence, and the evidence without recovered stills."""

    name: str
    movie: Movie
    evidence: FilmEvidence
    apart: FilmEvidence


def cases(folder: str) -> list[Case]:
    recipe = recipe_of(preset("castsearch"))
    movies = [movie for movie in read(folder) if movie.cast and movie.candidates]
    regions = [region for movie in movies for region in regions_of(movie)]
    with Store() as store, track("pictures", len({r.path for r in regions}), "lines") as advance:
        features, _ = extract(regions, recipe, store, advance=advance)
    prepared = []
    for movie in movies:
        seen = [features.get(region_id(movie, c.id), Features()) for c in movie.candidates]
        queries = [
            portrait_vectors([features[region_id(movie, s.id)] for s in member.portraits])
            for member in movie.cast
        ]
        evidence, _ = film_evidence(movie.candidates, seen, queries, recipe)
        alone = [replace(feature, corners=None) for feature in seen]
        apart, _ = film_evidence(movie.candidates, alone, queries, recipe)
        prepared.append(Case(f"{Path(folder).name} {movie.id}", movie, evidence, apart))
    return prepared


def bodies_alike(bodies: Bodies) -> Array:
    alike = bodies.similarity(slice(None)).astype(np.float64)
    np.fill_diagonal(alike, 1.0)
    return np.clip(alike, -1.0, 1.0)


def unaligned(bodies: Bodies) -> Bodies:
    return replace(bodies, has_lower=np.zeros_like(bodies.has_lower))


def to_hits(faces: Array, alike: Array) -> Array:
    """Bodies by their likeness to the nearest sure face of the cast member; faces come first."""
    scores = np.full(faces.shape, -1.0)
    for row, likeness in zip(scores, faces, strict=True):
        hits = likeness > SURE
        if hits.any():
            row[:] = alike[:, hits].max(axis=1)
            row[hits] = 1 + likeness[hits]
    return scores


def reciprocal(alike: Array) -> Array:
    """Likeness after k-reciprocal re-ranking: every candidate is a query and in the gallery."""
    n = len(alike)
    distances = np.tile(1 - alike, (2, 2))
    return 1 - k_reciprocal(distances, n)


def by_expansion(evidence: FilmEvidence) -> Array:
    faces = evidence.faces.vectors
    pairs = (faces @ faces.T).astype(np.float64)
    pairs[~evidence.faces.has_face] = -1.0
    pairs[:, ~evidence.faces.has_face] = -1.0
    alike = bodies_alike(evidence.bodies)
    return expand(evidence.face_scores, pairs, alike, evidence.stills).scores


def spread_alone(evidence: FilmEvidence, settings: FilmSettings) -> Array:
    plain = replace(settings, exclusive=False, competition=0.0, adapt=0.0)
    apart = np.arange(len(evidence.stills))
    return film(replace(evidence, stills=apart), plain).probabilities


def methods(settings: FilmSettings) -> dict[str, Callable[[Case], Array]]:
    links = settings.links

    def with_film(changed: FilmSettings) -> Callable[[Case], Array]:
        return lambda case: film(case.evidence, changed).probabilities

    def alike(case: Case) -> Array:
        return bodies_alike(case.evidence.bodies)

    return {
        "faces": lambda c: c.evidence.face_scores,
        "faces, then bodies like sure faces": lambda c: to_hits(
            c.evidence.face_scores, bodies_alike(unaligned(c.evidence.bodies))
        ),
        "... whole and lower bodies aligned": lambda c: to_hits(c.evidence.face_scores, alike(c)),
        "... and k-reciprocal re-ranking": lambda c: to_hits(
            c.evidence.face_scores, reciprocal(alike(c))
        ),
        "query expansion by thresholds": lambda c: by_expansion(c.evidence),
        "PPCC": lambda c: ppcc(c.evidence.face_scores, np.maximum(alike(c), 0.0)),
        "faces spread over links, no more": lambda c: spread_alone(c.evidence, settings),
        "**castsearch**": with_film(settings),
        "castsearch, bodies not aligned": lambda c: (
            film(replace(c.evidence, bodies=unaligned(c.evidence.bodies)), settings).probabilities
        ),
        "castsearch, stills not recovered": lambda c: film(c.apart, settings).probabilities,
        "castsearch, not once per still": with_film(replace(settings, exclusive=False)),
        "castsearch, no competition": with_film(replace(settings, competition=0.0)),
        "castsearch, not adapted": with_film(replace(settings, adapt=0.0)),
        "castsearch, no links by faces": with_film(
            replace(settings, links=replace(links, face_weight=0.0))
        ),
        "castsearch, unlike faces loosen nothing": with_film(
            replace(settings, links=replace(links, face_differs_at=-9.0))
        ),
        "castsearch, every face believed": with_film(replace(settings, trust_at=0.0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    folders = parser.parse_args().folders
    all_cases = [case for folder in folders for case in cases(folder)]
    print("| part |", " | ".join(case.name for case in all_cases), "| mean |")
    print("|---" * (len(all_cases) + 2) + "|")
    for name, method in methods(film_settings(preset("castsearch"))).items():
        row = []
        for case in all_cases:
            scores = method(case)
            words = [[""] * scores.shape[1]] * len(scores)
            lists = rankings(case.movie.cast, case.movie.candidates, scores, words)
            truth = evaluate.truth_of([case.movie])
            assert truth is not None
            row.append(evaluate.evaluate(truth, evaluate.submission_of(lists)).mAP)
        print(f"| {name} |", " | ".join(f"{v:.3f}" for v in row), f"| {np.mean(row):.3f} |")


if __name__ == "__main__":
    main()
