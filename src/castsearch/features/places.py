"""Which crop files are of one still, and where in it they lie: told once for a set, then stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castsearch.features.overlap import overlaps, places_of
from castsearch.features.region import Features
from castsearch.features.store import Store, pack, unpack

VERSION = 1
"""Part of what places are stored under: raised when crops are compared otherwise."""


def places(crops: Sequence[Features], store: Store) -> NDArray[np.int64] | None:
    """Still, left and top of each crop, shape (n, 3), from the pixels that crops share.

    Stills are numbered from 0 by first appearance, crops that could not be read below 0, each for
    itself; places are pixels from the corner of one crop of the still.
    ``None`` where no crop has corners: then it is not asked, or the files say it.

    They depend on all crops of the movie together, so they are stored under a digest of those.
    """
    if not any(crop.corners for crop in crops):
        return None
    keys = [crop.picture.key if crop.picture else "" for crop in crops]
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]
    name = f"place|{VERSION}|{digest}"
    rows = [store.value(key, "", name) if key else _alone(i) for i, key in enumerate(keys)]
    if all(rows):
        readable = [key for key in keys if key]
        # The same file twice has one row: which of the two it was, is not told by it.
        if len(set(readable)) == len(readable):
            return np.stack([unpack(row) for row in rows if row])
    told = places_of(len(crops), overlaps([crop.corners for crop in crops]))
    for i, key in enumerate(keys):
        if not key:
            told[i] = unpack(_alone(i))
    store.write((key, "", name, pack(row)) for key, row in zip(keys, told, strict=True) if key)
    return told


def _alone(i: int) -> bytes:
    """The place of a crop that could not be read, in a still of its own."""
    return pack(np.array([-1 - i, 0, 0], dtype=np.int64))
