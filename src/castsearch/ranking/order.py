"""What an order is: from the evidence of a movie to scores, reasons and faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.constraints import Constraints
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.film import FilmSettings
from castsearch.types import Face

Relation = Literal["direct", "inverse"]

UNREADABLE = "picture unreadable"


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """What a preset makes of the evidence."""

    # How evidence becomes an order: a name of castsearch.ranking.orders.ORDERS.
    fusion: str = "face"
    # "direct": candidates by their similarity to the portrait. "inverse": each candidate is asked
    # which cast it is nearest to; those that name this cast come first.
    relation: Relation = "direct"
    # Clusters: largest Euclidean distance of face vectors at which a face labels its candidate, and
    # largest mean cosine distance of two clusters of bodies that are joined.
    prelabel_distance: float = 0.6
    cluster_distance: float = 0.3
    # What the film ranking weighs.
    film: FilmSettings = field(default_factory=FilmSettings)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Scores and reasons, ``[cast][candidate]``, and the face of each candidate that shows one.

    ``scores`` has shape (n_cast, n), higher is better, ``-inf`` for what could not be looked at.
    """

    scores: NDArray[np.float64]
    reasons: list[list[str]]
    faces: dict[int, Face]


@dataclass(frozen=True, slots=True)
class People:
    """The names that reasons are put in: ids of candidates and names of the cast, in order."""

    candidate_ids: Sequence[str]
    cast_names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Order:
    """One way from evidence to scores.

    ``all_faces`` is whether it wants every face of a crop and the lower body, ``needs_body``
    whether it cannot do without a body encoder; ``gives_probabilities`` whether its scores are
    probabilities, so that candidates can be named; ``takes_facts`` whether it follows facts.
    """

    rank: Callable[[Evidence, OrderSettings, Constraints, People], Ordered]
    all_faces: bool = False
    needs_body: bool = False
    gives_probabilities: bool = False
    takes_facts: bool = False
