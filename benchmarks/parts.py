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
from typing import Any

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
from castsearch.ranking.constraints import Constraints, constraints, free
from castsearch.ranking.evidence import evidence_of
from castsearch.ranking.film import FilmEvidence, FilmSettings, film
from castsearch.ranking.twins import twins
from castsearch.runtime.settings import Runtime
from castsearch.sources.movies import read
from castsearch.types import Movie, MovieResult
from castsearch.verbs.stages import look, plan

Array = NDArray[np.float64]
SURE = 0.4
"""Cosine from which a face is a hit, for the rows that have no softer word for it."""
STILLS_NOT_RECOVERED = "castsearch, stills not recovered"


@dataclass(frozen=True)
class Case:
    """One movie with what its pictures tell: faces and bodies, who is apart, and the stills."""

    name: str
    movie: Movie
    evidence: FilmEvidence
    facts: Constraints
    stills: NDArray[np.intp]

    def film(self, settings: FilmSettings) -> Array:
        return film(self.evidence, settings, self.facts).probabilities

    def score(self, scores: Array) -> float:
        """The mAP of the candidates ordered by scores, shape (n_cast, n)."""
        words = [[""] * scores.shape[1]] * len(scores)
        lists = rankings(self.movie.cast, self.movie.candidates, scores, words)
        truth = metrics.truth_of([self.movie])
        assert truth is not None
        return metrics.evaluate(truth, metrics.submission_of(lists)).mAP


def case_of(result: MovieResult, source: str) -> Case:
    shown = evidence_of(result.evidence)
    facts = constraints(shown.stills, shown.n_cast, suggested=twins(shown))
    evidence, _ = film_evidence(shown, facts)
    name = f"{Path(source).name} {result.movie.id}"
    return Case(name, result.movie, evidence, facts, shown.stills)


def cases(source: str, *settings: str) -> list[Case]:
    """The movies of a labelled source, by the default preset with ``settings`` (``NAME=VALUE``)."""
    how = plan(settings=settings, runtime=Runtime(progress="lines"))
    movies = [movie for movie in read(source) if movie.cast and movie.candidates]
    with Store() as store:
        return [case_of(look(movie, how, store, label=f"{movie.id} "), source) for movie in movies]


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
    pairs = (faces.vectors @ faces.vectors.T).astype(np.float64)
    pairs[~faces.has_face] = -1.0
    pairs[:, ~faces.has_face] = -1.0
    alike = bodies_alike(case.evidence.bodies)
    return expand(case.evidence.face_scores, pairs, alike, case.stills).scores


def spread_alone(case: Case, settings: FilmSettings) -> Array:
    plain = replace(settings, exclusive=False, competition=0.0, adapt=0.0)
    n_cast, n = case.evidence.face_scores.shape
    return replace(case, facts=free(n, n_cast)).film(plain)


def not_aligned(case: Case, settings: FilmSettings) -> Array:
    evidence = replace(case.evidence, bodies=unaligned(case.evidence.bodies))
    return replace(case, evidence=evidence).film(settings)


def methods(settings: FilmSettings) -> dict[str, Callable[[Case], Array]]:
    """Scores of a case, shape (n_cast, n), by the row of the table."""

    def without(**changed: Any) -> Callable[[Case], Array]:
        return lambda case: case.film(replace(settings, **changed))

    def faces(case: Case) -> Array:
        return case.evidence.face_scores

    def alike(case: Case) -> Array:
        return bodies_alike(case.evidence.bodies)

    links = settings.links
    return {
        "faces": faces,
        "faces, then bodies like sure faces": lambda case: to_hits(
            faces(case), bodies_alike(unaligned(case.evidence.bodies))
        ),
        "... whole and lower bodies aligned": lambda case: to_hits(faces(case), alike(case)),
        "... and k-reciprocal re-ranking": lambda case: to_hits(
            faces(case), reciprocal(alike(case))
        ),
        "query expansion by thresholds": by_expansion,
        "PPCC": lambda case: ppcc(faces(case), np.maximum(alike(case), 0.0)),
        "faces spread over links, no more": lambda case: spread_alone(case, settings),
        "**castsearch**": without(),
        "castsearch, bodies not aligned": lambda case: not_aligned(case, settings),
        STILLS_NOT_RECOVERED: without(),
        "castsearch, not once per still": without(exclusive=False),
        "castsearch, no competition": without(competition=0.0),
        "castsearch, not adapted": without(adapt=0.0),
        "castsearch, no links by faces": without(links=replace(links, face_weight=0.0)),
        "castsearch, unlike faces loosen nothing": without(
            links=replace(links, face_differs_at=-9.0)
        ),
        "castsearch, every face believed": without(trust_at=0.0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    folders = parser.parse_args().folders
    recovered = [case for folder in folders for case in cases(folder)]
    apart = [case for folder in folders for case in cases(folder, "find_stills=false")]
    print("| part |", " | ".join(case.name for case in recovered), "| mean |")
    print("|---" * (len(recovered) + 2) + "|")
    for name, method in methods(preset("castsearch").order.film).items():
        taken = apart if name == STILLS_NOT_RECOVERED else recovered
        row = [case.score(method(case)) for case in taken]
        print(f"| {name} |", " | ".join(f"{v:.3f}" for v in row), f"| {np.mean(row):.3f} |")


if __name__ == "__main__":
    main()
