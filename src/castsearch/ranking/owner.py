"""Whose face it is: a face seen in the crops of two people of one still belongs to one of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.constraints import Constraints
from castsearch.types import FaceHit

SAME_FACE = 0.85
"""Cosine from which two face vectors of one still are one face, seen in two crops: two crops of
one face give 0.9 and more, two people hardly 0.5 (siblings included)."""


def owned_faces(
    hits: Sequence[Sequence[FaceHit]], stills: NDArray[np.integer], facts: Constraints
) -> list[FaceHit | None]:
    """The face of each candidate, so that no face of a still has two owners.

    The most suitable pairs of candidate and face are settled first; a candidate whose best face is
    taken gets its next one, or none. Boxes of one person in one still show one face: what is
    settled for the first of them is what the others may show.

    Args:
        hits: The faces found in each candidate's crop, with unit vectors.
        stills: Shape (n,): candidates of equal numbers share a still.
        facts: Who is one person and who are two; the still alone does not say it.
    """
    owned: list[FaceHit | None] = [None] * len(hits)
    by_still: dict[int, list[tuple[float, int, int]]] = {}
    for i, still in enumerate(stills):
        claims = by_still.setdefault(int(still), [])
        claims += [(-hit.suitability, i, k) for k, hit in enumerate(hits[i])]
    for claims in by_still.values():
        settled: list[tuple[int, NDArray[np.float32]]] = []
        # Equal suitability goes to the earlier candidate.
        for _, i, k in sorted(claims):
            node, vector = int(facts.nodes[i]), hits[i][k].vector
            if owned[i] is None and _may_show(node, vector, settled, facts):
                owned[i] = hits[i][k]
                settled.append((node, vector))
    return owned


def _may_show(
    node: int,
    vector: NDArray[np.float32],
    settled: Sequence[tuple[int, NDArray[np.float32]]],
    facts: Constraints,
) -> bool:
    """Whether a face is nobody else's, and the one that its owner shows already."""
    apart = facts.apart
    strangers = apart.indices[apart.indptr[node] : apart.indptr[node + 1]]
    for owner, face in settled:
        is_same_face = float(vector @ face) > SAME_FACE
        if is_same_face and owner in strangers:
            return False
        if owner == node and not is_same_face:
            return False
    return True
