"""The default ranking: faces, bodies and the structure of the film as one belief per candidate.

Faces that are surely someone's seed a graph of bodies that look alike; beliefs spread over it
(Zhou et al. 2004, after PPCC, Huang et al. 2018); each cast member stands once in a still; casts
compete. "Others" is a label like the cast: seeded by faces that are nobody's, and what a candidate
falls to that nothing speaks for.

All of it works on nodes: candidates that are one person (:mod:`castsearch.ranking.constraints`).
What is known of them holds in every step: a label that a person gave is a seed, spreads, and is
never outweighed; what somebody is not is believed nowhere on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.ranking.adapt import adapted
from castsearch.ranking.affinity import Bodies, Faces, LinkSettings, link_weights
from castsearch.ranking.compete import competition
from castsearch.ranking.constraints import Constraints, free
from castsearch.ranking.contract import best_faces, best_scores, is_contracted, pooled_bodies
from castsearch.ranking.exclusive import exclusive
from castsearch.ranking.propagate import diffuse
from castsearch.ranking.scale import logistic, rise, softmax

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
    the candidate shows no face. ``face_quality`` are detector scores, shape (n,). ``body_weight``,
    shape (n,), above 0: how much a candidate's body counts among those of its own person, for
    example the area of its box; by default they count alike.
    """

    face_scores: Array
    faces: Faces
    face_quality: Array
    bodies: Bodies
    body_weight: Array | None = None


@dataclass(frozen=True, slots=True)
class FilmBeliefs:
    """What came out, and on the way; columns of beliefs are the cast, then "others".

    ``probabilities``: that the candidate is this cast member, shape (n_cast, n), comparable across
    queries and movies; where all are low it is none of them. ``seeds``: what the own face says,
    (n, n_cast + 1). ``beliefs``: after the spread, ``final``: after exclusivity, likewise; rows
    sum to 1. Candidates of one node have equal values.
    ``links``: between nodes, SciPy CSR (n_nodes, n_nodes).
    """

    probabilities: Array
    seeds: Array
    beliefs: Array
    final: Array
    links: Any


def film(
    evidence: FilmEvidence,
    settings: FilmSettings | None = None,
    facts: Constraints | None = None,
) -> FilmBeliefs:
    """Rank the candidates of one movie for each of its cast.

    Args:
        evidence: What their pictures show.
        settings: What it weighs.
        facts: Who is one person, who are two, and who somebody is; by default each candidate is a
            person, and none is known to be apart from another.

    Raises:
        InputError: a vector or score holds NaN, or shapes do not fit.
    """
    settings = settings or FilmSettings()
    n_cast, n = evidence.face_scores.shape
    facts = facts or free(n, n_cast)
    _check(evidence, facts)
    people = _contracted(evidence, facts.nodes)
    impossible = facts.impossible
    shown = _own_faces(people, facts, impossible, settings)
    seeds = _trusted(shown, people, facts.certain, settings)
    views = [(people.bodies, 1.0)]
    if settings.adapt > 0:
        sure = (shown.max(axis=1) >= settings.adapt_at) & people.faces.has_face
        labels = np.where(sure | facts.certain, shown.argmax(axis=1), -1)
        labels[labels == n_cast] = -1
        view = adapted(people.bodies, labels)
        if view is not None:
            views = [(people.bodies, 1 - settings.adapt), (view, settings.adapt)]
    links = link_weights(views, people.faces, facts.apart, settings.links)
    beliefs = _spread(links, seeds, facts, settings)
    final = exclusive(beliefs, facts.undecided) if settings.exclusive else beliefs
    scores = final[:, :-1].T
    if settings.competition > 0 and n_cast > 1:
        scores = competition(scores, alpha=settings.competition)
    probabilities = _calibrated(scores)
    probabilities[impossible[:, :-1].T] = 0.0
    named = np.flatnonzero((facts.given >= 0) & (facts.given < n_cast))
    probabilities[facts.given[named], named] = 1.0
    nodes = facts.nodes
    return FilmBeliefs(
        np.take(probabilities, nodes, axis=1), seeds[nodes], beliefs[nodes], final[nodes], links
    )


def _calibrated(scores: Array) -> Array:
    """Scores, about -0.6 to 1, as probabilities."""
    return logistic(SLOPE * np.ascontiguousarray(scores) + OFFSET)


def _check(evidence: FilmEvidence, facts: Constraints) -> None:
    n_cast, n = evidence.face_scores.shape
    lengths = (
        len(evidence.faces.vectors),
        len(evidence.face_quality),
        len(evidence.bodies.whole),
        len(facts.nodes),
    )
    if any(length != n for length in lengths):
        raise InputError(f"{n} candidates have face scores, but their other evidence has {lengths}")
    if n_cast == 0:
        raise InputError("there is no cast member to rank for")
    if facts.denied.shape[1] != n_cast + 1:
        raise InputError(f"facts for a cast of {facts.denied.shape[1] - 1} do not fit {n_cast}")
    scores = np.where(np.isneginf(evidence.face_scores), 0.0, evidence.face_scores)
    if not np.isfinite(scores).all() or not np.isfinite(evidence.faces.vectors).all():
        raise InputError("the face vectors hold NaN or infinite values; embed them again")


def _contracted(evidence: FilmEvidence, nodes: NDArray[np.intp]) -> FilmEvidence:
    """The evidence of the candidates as that of the persons they are."""
    if not is_contracted(nodes):
        return evidence
    faces, quality = best_faces(evidence.faces, evidence.face_quality, nodes)
    return FilmEvidence(
        best_scores(evidence.face_scores, nodes),
        faces,
        quality,
        pooled_bodies(evidence.bodies, nodes, evidence.body_weight),
    )


def _own_faces(
    people: FilmEvidence, facts: Constraints, impossible: NDArray[np.bool_], settings: FilmSettings
) -> Array:
    """What each node's own face says, or a person, shape (n_nodes, n_cast + 1); rows sum to 1."""
    others = np.full((1, people.face_scores.shape[1]), settings.others_at)
    scores = np.vstack([people.face_scores, others]).T
    scores[impossible] = -np.inf
    # Of a label that is given, the others are impossible.
    known = np.flatnonzero(facts.certain)
    scores[known, facts.given[known]] = 0.0
    says_nothing = np.isneginf(scores).all(axis=1)
    scores[says_nothing] = 0.0
    shown = softmax(scores, settings.seed_temperature)
    shown[says_nothing] = 0.0
    return shown


def _trusted(
    shown: Array, people: FilmEvidence, certain: NDArray[np.bool_], settings: FilmSettings
) -> Array:
    """Seeds: what a face says, as far as it is one; nothing where there is none."""
    trust = rise(people.face_quality, settings.trust_at, settings.trust_width)
    trust[~people.faces.has_face] = 0.0
    trust[certain] = 1.0
    seeds = shown * trust[:, None]
    # A face unlike every portrait may be a poor view of the cast: it says less for "others".
    seeds[~certain, -1] *= settings.others_weight
    return np.asarray(seeds)


def _spread(links: Any, seeds: Array, facts: Constraints, settings: FilmSettings) -> Array:
    """Beliefs after the spread over the links, rows normalised with the doubt for "others"."""
    from scipy import sparse

    graph = links + settings.self_link * sparse.eye_array(len(seeds), format="csr")
    impossible = facts.impossible
    # What somebody is not is passed on to nobody, and who somebody is does not wear off.
    clamped = impossible | facts.certain[:, None] if impossible.any() else None
    beliefs = diffuse(graph, seeds, alpha=settings.spread, tolerance=1e-7, clamped=clamped)
    beliefs[:, -1] += settings.doubt
    beliefs[impossible] = 0.0
    # Without any doubt, what nothing speaks for is still nobody's; or whoever's it may be.
    silent = ~beliefs.any(axis=1)
    beliefs[silent, -1] = ~impossible[silent, -1]
    silent &= impossible[:, -1]
    beliefs[silent] = ~impossible[silent]
    return np.asarray(beliefs / beliefs.sum(axis=1, keepdims=True))
