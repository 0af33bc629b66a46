"""The features of a movie as the evidence of the film ranking."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.encoders.parts import split
from castsearch.features.features import Features
from castsearch.features.recipe import LITE0_PARTS, Recipe
from castsearch.presets import Preset
from castsearch.ranking.affinity import Bodies, Faces, LinkSettings, bodies
from castsearch.ranking.coarse import similarity
from castsearch.ranking.constraints import Constraints, constraints
from castsearch.ranking.film import FilmEvidence, FilmSettings
from castsearch.ranking.owner import owned_faces
from castsearch.types import Candidate, FaceHit, FloatArray


def film_settings(preset: Preset) -> FilmSettings:
    """The settings of a preset in the form that the film ranking takes them."""
    return FilmSettings(
        links=LinkSettings(
            neighbours=preset.neighbours,
            link_at=preset.link_at,
            face_weight=preset.face_link,
        ),
        others_at=preset.others_at,
        others_weight=preset.others_weight,
        trust_at=preset.trust_at,
        spread=preset.spread,
        doubt=preset.doubt,
        adapt=preset.adapt,
        exclusive=preset.exclusive,
        competition=preset.competition,
    )


def film_evidence(
    candidates: Sequence[Candidate],
    seen: Sequence[Features],
    queries: Sequence[Sequence[FloatArray]],
    recipe: Recipe,
) -> tuple[FilmEvidence, list[FaceHit | None], Constraints]:
    """Evidence of one movie, the face that each candidate owns, and who is apart from whom.

    Args:
        candidates: The candidates, parallel to ``seen``.
        seen: What was found in their crops.
        queries: Face vectors of each cast member's portraits.
        recipe: What was asked of the pictures.
    """
    stills = _stills(candidates, seen)
    facts = constraints(stills, len(queries))
    owned = owned_faces([feature.hits for feature in seen], stills, facts)
    vectors = [None if hit is None else hit.vector for hit in owned]
    has_face = np.array([hit is not None for hit in owned])
    dim = max((len(v) for v in vectors if v is not None), default=1)
    stacked = np.zeros((len(seen), dim), dtype=np.float32)
    for row, vector in zip(stacked, vectors, strict=True):
        if vector is not None:
            row[:] = vector
    evidence = FilmEvidence(
        face_scores=similarity(queries, vectors, euclidean=False),
        faces=Faces(stacked, has_face),
        face_quality=np.array([0.0 if hit is None else hit.face.score for hit in owned]),
        bodies=_bodies(seen, recipe),
    )
    return evidence, owned, facts


def _stills(candidates: Sequence[Candidate], seen: Sequence[Features]) -> NDArray[np.intp]:
    """Numbers that are equal for candidates of one still, as files say it or crops show it.

    Two boxes of a still are two people, but one box given twice is one person: the second of such
    twins gets a still of its own.
    """
    _, told = np.unique([c.still.id for c in candidates], return_inverse=True)
    crops = [feature.corners for feature in seen]
    if len(set(told)) < len(told) or not any(crops):
        # The frame says which pixels of the picture a box takes.
        regions = zip(told, (feature.frame for feature in seen), strict=True)
        twins = _repeated([(still, frame) if frame else None for still, frame in regions])
        return _apart(np.asarray(told, dtype=np.intp), twins)
    from castsearch.features.overlap import overlaps, stills_of

    found = overlaps(crops)
    twins = [
        link.second
        for link in found
        if (link.dx, link.dy) == (0, 0) and seen[link.first].frame == seen[link.second].frame
    ]
    return _apart(stills_of(len(crops), found), twins)


def _repeated(keys: Sequence[Hashable | None]) -> list[int]:
    """Positions of keys that stand earlier in the list already."""
    first: dict[Hashable, int] = {}
    return [i for i, key in enumerate(keys) if key is not None and first.setdefault(key, i) != i]


def _apart(stills: NDArray[np.intp], twins: Sequence[int]) -> NDArray[np.intp]:
    """``stills`` with a new number for each of ``twins``."""
    result = stills.copy()
    new = sorted(set(twins))
    result[new] = stills.max(initial=-1) + 1 + np.arange(len(new))
    return result


def _bodies(seen: Sequence[Features], recipe: Recipe) -> Bodies:
    """The body vectors of all candidates; those of unreadable pictures are zeros, like nothing."""
    whole: list[FloatArray] = []
    lower: list[FloatArray] = []
    has_lower = np.array([bool(feature.lower) for feature in seen])
    for model in recipe.body:
        dim = next((len(f.body[model.name]) for f in seen if f.body), 1)
        nothing = np.zeros(dim, dtype=np.float32)
        one = np.stack([f.body.get(model.name, nothing) for f in seen])
        low = np.stack([f.lower.get(model.name, nothing) for f in seen])
        parted = model.name == LITE0_PARTS and dim > 1
        whole += split(one) if parted else [one]
        lower += split(low) if parted else [low]
    if not recipe.body:
        whole, lower = (
            [np.zeros((len(seen), 1), np.float32)],
            [np.zeros((len(seen), 1), np.float32)],
        )
    return bodies(whole, lower, has_lower)
