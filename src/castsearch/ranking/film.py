"""The default ranking: faces, bodies and the structure of the film as one belief per candidate.

Faces that are surely someone's seed a graph of bodies that look alike; beliefs spread over it
(Zhou et al. 2004, after PPCC, Huang et al. 2018); each cast member stands once in a still; casts
compete. "Others" is a label like the cast: seeded by faces that are nobody's, and what a candidate
falls to that nothing speaks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.ranking.adapt import adapted
from castsearch.ranking.affinity import Bodies, Faces, LinkSettings, link_weights, rise
from castsearch.ranking.compete import competition
from castsearch.ranking.exclusive import exclusive
from castsearch.ranking.propagate import diffuse

Array = NDArray[np.float64]

SLOPE = 13.9
OFFSET = -4.1
"""What makes a probability of a score: 1 / (1 + exp(-(SLOPE score + OFFSET))). Fitted over movies
with labels; fitted on all but one movie and measured on that one, its calibration error is the same
(``benchmarks/calibration.py``)."""


@dataclass(frozen=True, slots=True)
class FilmSettings:
    """What the parts of the film ranking weigh; each can be switched off for an ablation."""

    links: LinkSettings = field(default_factory=LinkSettings)
    # Softmax temperature over the cast, in cosine; and the cosine at which "others" is as likely.
    seed_temperature: float = 0.05
    others_at: float = 0.32
    # What a face that is nobody's says for "others", against what a cast member's face says.
    others_weight: float = 0.3
    # Detector score at which half of a face is believed, and how fast that turns.
    trust_at: float = 0.75
    trust_width: float = 0.05
    # Share of a belief that comes from the neighbours.
    spread: float = 0.85
    # Weight of a candidate's link to itself, so that one weak neighbour does not decide alone.
    self_link: float = 1.0
    # Belief in "others" before anything speaks.
    doubt: float = 0.02
    # Share of the view that is adapted to the film's own people; 0: none.
    adapt: float = 0.3
    # Belief from which a face labels its candidate for the adaptation.
    adapt_at: float = 0.9
    # Each cast member once per still.
    exclusive: bool = True
    # How much a candidate loses by being liked better by another cast member.
    competition: float = 0.6


@dataclass(frozen=True, slots=True)
class FilmEvidence:
    """What is known of the candidates of one movie.

    ``face_scores`` are cosines to the portraits, shape (n_cast, n), ``-inf`` where the portrait or
    the candidate shows no face. ``face_quality`` are detector scores, shape (n,). ``stills`` are
    numbers, equal for candidates of one still, shape (n,).
    """

    face_scores: Array
    faces: Faces
    face_quality: Array
    bodies: Bodies
    stills: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class FilmBeliefs:
    """What came out, and on the way; columns of beliefs are the cast, then "others".

    ``probabilities``: that the candidate is this cast member, shape (n_cast, n), comparable across
    queries and movies; where all are low it is none of them. ``seeds``: what the own face says,
    (n, n_cast + 1). ``beliefs``: after the spread, ``final``: after exclusivity, likewise; rows
    sum to 1.
    ``links``: SciPy CSR (n, n).
    """

    probabilities: Array
    seeds: Array
    beliefs: Array
    final: Array
    links: Any


def film(evidence: FilmEvidence, settings: FilmSettings | None = None) -> FilmBeliefs:
    """Rank the candidates of one movie for each of its cast.

    Raises:
        InputError: a vector or score holds NaN, or shapes do not fit.
    """
    settings = settings or FilmSettings()
    _check(evidence)
    seen = _own_faces(evidence, settings)
    seeds = _trusted(seen, evidence, settings)
    views = [(evidence.bodies, 1.0)]
    if settings.adapt > 0:
        sure = (seen.max(axis=1) >= settings.adapt_at) & evidence.faces.has_face
        labels = np.where(sure, seen.argmax(axis=1), -1)
        labels[labels == seen.shape[1] - 1] = -1
        view = adapted(evidence.bodies, labels)
        if view is not None:
            views = [(evidence.bodies, 1 - settings.adapt), (view, settings.adapt)]
    links = link_weights(views, evidence.faces, evidence.stills, settings.links)
    beliefs = _spread(links, seeds, settings)
    final = exclusive(beliefs, evidence.stills) if settings.exclusive else beliefs
    scores = final[:, :-1].T
    if settings.competition > 0 and len(scores) > 1:
        scores = competition(scores, alpha=settings.competition)
    return FilmBeliefs(_calibrated(scores), seeds, beliefs, final, links)


def _calibrated(scores: Array) -> Array:
    """Scores, about -0.6 to 1, as probabilities."""
    return np.asarray(1 / (1 + np.exp(-(SLOPE * np.ascontiguousarray(scores) + OFFSET))))


def _check(evidence: FilmEvidence) -> None:
    n_cast, n = evidence.face_scores.shape
    lengths = (
        len(evidence.faces.vectors),
        len(evidence.face_quality),
        len(evidence.bodies.whole),
        len(evidence.stills),
    )
    if any(length != n for length in lengths):
        raise InputError(f"{n} candidates have face scores, but their other evidence has {lengths}")
    if n_cast == 0:
        raise InputError("there is no cast member to rank for")
    scores = np.where(np.isneginf(evidence.face_scores), 0.0, evidence.face_scores)
    if not np.isfinite(scores).all() or not np.isfinite(evidence.faces.vectors).all():
        raise InputError("the face vectors hold NaN or infinite values; embed them again")


def _own_faces(evidence: FilmEvidence, settings: FilmSettings) -> Array:
    """What each candidate's own face says, shape (n, n_cast + 1); rows sum to 1."""
    others = np.full((1, evidence.face_scores.shape[1]), settings.others_at)
    scores = np.vstack([evidence.face_scores, others]).T
    raised = np.exp((scores - scores.max(axis=1, keepdims=True)) / settings.seed_temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _trusted(seen: Array, evidence: FilmEvidence, settings: FilmSettings) -> Array:
    """Seeds: what a face says, as far as it is one; nothing where there is none."""
    trust = rise(evidence.face_quality, settings.trust_at, settings.trust_width)
    trust[~evidence.faces.has_face] = 0.0
    seeds = seen * trust[:, None]
    # A face unlike every portrait may be a poor view of the cast: it says less for "others".
    seeds[:, -1] *= settings.others_weight
    return seeds


def _spread(links: Any, seeds: Array, settings: FilmSettings) -> Array:
    """Beliefs after the spread over the links, rows normalised with the doubt for "others"."""
    from scipy import sparse

    n = len(seeds)
    graph = links + settings.self_link * sparse.eye_array(n, format="csr")
    beliefs = diffuse(graph, seeds, alpha=settings.spread, tolerance=1e-7)
    beliefs[:, -1] += settings.doubt
    # Without any doubt, what nothing speaks for is still nobody's.
    beliefs[~beliefs.any(axis=1), -1] = 1.0
    return np.asarray(beliefs / beliefs.sum(axis=1, keepdims=True))
