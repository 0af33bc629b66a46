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
from numpy.typing import NDArray

from castsearch import metrics
from castsearch.features.store import Store
from castsearch.presets import preset
from castsearch.ranking.affinity import Bodies
from castsearch.ranking.alternatives.expand import expand
from castsearch.ranking.alternatives.ppcc import ppcc
from castsearch.ranking.alternatives.reciprocal import k_reciprocal
from castsearch.ranking.by_film import film_evidence
from castsearch.ranking.coarse import rankings
from castsearch.ranking.constraints import Constraints, constraints
from castsearch.ranking.evidence import Evidence, evidence_of
from castsearch.ranking.film import FilmEvidence, FilmSettings, film
from castsearch.ranking.twins import twins
from castsearch.runtime.settings import Runtime
from castsearch.sources.movies import read
from castsearch.types import Movie
from castsearch.verbs.stages import look, plan

Array = NDArray[np.float64]
SURE = 0.4
"""Cosine from which a face is a hit, for the rows that have no softer word for it."""


@dataclass(frozen=True)
class Case:
    """What is known of a movie: who stands in one still, the facts that follow, the evidence."""

    movie: Movie
    stills: NDArray[np.intp]
    facts: Constraints
    evidence: FilmEvidence

    def score(self, scores: Array) -> float:
        """MAP of scores, shape (n_cast, n_candidates)."""
        words = [[""] * scores.shape[1]] * len(scores)
        lists = rankings(self.movie.cast, self.movie.candidates, scores, words)
        truth = metrics.truth_of([self.movie])
        assert truth is not None
        return metrics.evaluate(truth, metrics.submission_of(lists)).mAP


@dataclass(frozen=True)
class Pair:
    """One movie as it is ranked, and without the stills that overlapping crop files tell."""

    name: str
    whole: Case
    apart: Case


def pairs(folder: str) -> list[Pair]:
    how = plan("castsearch", runtime=Runtime(progress="lines"))
    movies = [movie for movie in read(folder) if movie.cast and movie.candidates]
    prepared = []
    with Store() as store:
        for movie in movies:
            shown = evidence_of(look(movie, how, store).evidence)
            name = f"{Path(folder).name} {movie.id}"
            prepared.append(Pair(name, case(movie, shown), case(movie, as_listed(movie, shown))))
    return prepared


def case(movie: Movie, shown: Evidence) -> Case:
    facts = constraints(shown.stills, len(movie.cast), suggested=twins(shown))
    return Case(movie, shown.stills, facts, film_evidence(shown, facts)[0])


def as_listed(movie: Movie, shown: Evidence) -> Evidence:
    """The evidence with the stills that the source itself names, and no others."""
    ids = [candidate.still.id for candidate in movie.candidates]
    _, stills = np.unique(ids, return_inverse=True)
    boxes = shown.boxes - np.tile(shown.shifts, 2)
    return replace(shown, stills=stills, boxes=boxes, shifts=np.zeros_like(shown.shifts))


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


def by_expansion(case: Case) -> Array:
    faces = case.evidence.faces
    alike = (faces.vectors @ faces.vectors.T).astype(np.float64)
    alike[~faces.has_face] = -1.0
    alike[:, ~faces.has_face] = -1.0
    scores = case.evidence.face_scores
    return expand(scores, alike, bodies_alike(case.evidence.bodies), case.stills).scores


def spread_alone(evidence: FilmEvidence, settings: FilmSettings) -> Array:
    """Without facts: who stands in one still is not known."""
    plain = replace(settings, exclusive=False, competition=0.0, adapt=0.0)
    return film(evidence, plain).probabilities


def default(case: Case, settings: FilmSettings) -> Array:
    """The default ranking with other settings."""
    return film(case.evidence, settings, case.facts).probabilities


def methods(settings: FilmSettings) -> dict[str, Callable[[Pair], Array]]:
    links = settings.links

    def with_film(changed: FilmSettings) -> Callable[[Pair], Array]:
        return lambda pair: default(pair.whole, changed)

    def on_evidence(method: Callable[[FilmEvidence], Array]) -> Callable[[Pair], Array]:
        return lambda pair: method(pair.whole.evidence)

    def alike(evidence: FilmEvidence) -> Array:
        return bodies_alike(evidence.bodies)

    def without_alignment(pair: Pair) -> Array:
        evidence = replace(pair.whole.evidence, bodies=unaligned(pair.whole.evidence.bodies))
        return default(replace(pair.whole, evidence=evidence), settings)

    return {
        "faces": on_evidence(lambda e: e.face_scores),
        "faces, then bodies like sure faces": on_evidence(
            lambda e: to_hits(e.face_scores, bodies_alike(unaligned(e.bodies)))
        ),
        "... whole and lower bodies aligned": on_evidence(
            lambda e: to_hits(e.face_scores, alike(e))
        ),
        "... and k-reciprocal re-ranking": on_evidence(
            lambda e: to_hits(e.face_scores, reciprocal(alike(e)))
        ),
        "query expansion by thresholds": lambda pair: by_expansion(pair.whole),
        "PPCC": on_evidence(lambda e: ppcc(e.face_scores, np.maximum(alike(e), 0.0))),
        "faces spread over links, no more": on_evidence(lambda e: spread_alone(e, settings)),
        "**castsearch**": with_film(settings),
        "castsearch, bodies not aligned": without_alignment,
        "castsearch, stills not recovered": lambda pair: default(pair.apart, settings),
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
    movies = [pair for folder in folders for pair in pairs(folder)]
    print("| part |", " | ".join(pair.name for pair in movies), "| mean |")
    print("|---" * (len(movies) + 2) + "|")
    for name, method in methods(preset("castsearch").order.film).items():
        row = [pair.whole.score(method(pair)) for pair in movies]
        print(f"| {name} |", " | ".join(f"{v:.3f}" for v in row), f"| {np.mean(row):.3f} |")


if __name__ == "__main__":
    main()
