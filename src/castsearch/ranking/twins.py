"""Boxes of one still that are one person, given twice."""

from __future__ import annotations

import numpy as np

from castsearch.ranking.evidence import Evidence


def twins(evidence: Evidence) -> list[tuple[int, int]]:
    """Pairs of candidates whose boxes in one still are the same."""
    first: dict[tuple[float, ...], int] = {}
    pairs = []
    for i, (still, box) in enumerate(zip(evidence.stills, evidence.boxes, strict=True)):
        if not np.isnan(box).any():
            j = first.setdefault((float(still), *box.tolist()), i)
            if j != i:
                pairs.append((j, i))
    return pairs
