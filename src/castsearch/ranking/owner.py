"""Whose face it is: a face seen in the crops of two people of one still belongs to one of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.types import FaceHit

SAME_FACE = 0.85
"""Cosine from which two face vectors of one still are one face, seen in two crops: two crops of
one face give 0.9 and more, two people hardly 0.5 (siblings included)."""


def owned_faces(
    hits: Sequence[Sequence[FaceHit]], stills: NDArray[np.integer]
) -> list[FaceHit | None]:
    """The face of each candidate, so that no face of a still has two owners.

    The most suitable pairs of candidate and face are settled first; a candidate whose best face is
    taken gets its next one, or none.

    Args:
        hits: The faces found in each candidate's crop, with unit vectors.
        stills: Shape (n,): candidates of equal numbers share a still.
    """
    owned: list[FaceHit | None] = [None] * len(hits)
    by_still: dict[int, list[tuple[float, int, int]]] = {}
    for i, still in enumerate(stills):
        found = by_still.setdefault(int(still), [])
        found += [(-hit.suitability, i, k) for k, hit in enumerate(hits[i])]
    for pairs in by_still.values():
        taken: list[NDArray[np.float32]] = []
        # Equal suitability goes to the earlier candidate.
        for _, i, k in sorted(pairs):
            vector = hits[i][k].vector
            if owned[i] is None and not any(float(vector @ t) > SAME_FACE for t in taken):
                owned[i] = hits[i][k]
                taken.append(vector)
    return owned
