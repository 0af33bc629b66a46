"""Which candidates look alike: a sparse graph of links between the crops of one movie."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.ranking.scale import rise, unit_rows
from castsearch.runtime.workers import n_cores

_BLOCK = 512
"""Rows compared at once: at 10,000 candidates 20 MB of float32 per product."""
_SAMPLE = 1024
"""Rows that the mean and spread of all similarities are taken from."""
_PAIRS = 8192
"""Pairs of faces compared at once."""
_NOT_LINKED = np.float32(-1e9)

Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bodies:
    """The body vectors of a movie's candidates, centred on the movie.

    ``whole`` are unit vectors of the crops, shape (n, dim), float32. ``lower`` are those of the
    lower 60 % of the crops that show a face (``has_lower``), zeros elsewhere: what is left of the
    same person where another still cuts the head off, so it is what a headless crop compares with.
    """

    whole: Single
    lower: Single
    has_lower: NDArray[np.bool_]

    def similarity(self, rows: NDArray[np.intp] | slice) -> Single:
        """Cosines of ``rows`` with all, shape (n_rows, n): the best of whole and lower bodies."""
        best: Single = self.whole[rows] @ self.whole.T
        if not self.has_lower.any():
            return best
        # No cosine is as low as that of a lower part that there is none of. Whole products and
        # this shift are faster than picking columns.
        missing = np.where(self.has_lower, np.float32(0), np.float32(-4))
        np.maximum(best, self.whole[rows] @ self.lower.T + missing, out=best)
        own = np.flatnonzero(self.has_lower[rows])
        mine = self.lower[rows][own]
        of_lower = mine @ self.lower.T + missing
        np.maximum(of_lower, mine @ self.whole.T, out=of_lower)
        best[own] = np.maximum(best[own], of_lower)
        return best


def bodies(
    whole: Sequence[NDArray[np.floating[Any]]],
    lower: Sequence[NDArray[np.floating[Any]]],
    has_lower: NDArray[np.bool_],
) -> Bodies:
    """Several descriptors of each crop as one vector, in which each of them counts alike.

    Every descriptor is centred on the mean of the movie (what all crops share says nothing) and
    normalised; the cosine of the joined vectors is the mean of the cosines. A row of zeros, of a
    picture that could not be read, stays one and counts in no mean: it is like nothing.

    Args:
        whole: One array (n, dim) per descriptor, of whole crops.
        lower: Likewise, of lower parts; rows without one are not looked at.
        has_lower: Shape (n,).

    Raises:
        InputError: a descriptor holds NaN or infinity.
    """
    parts, lower_parts = [], []
    for one, low in zip(whole, lower, strict=True):
        if not np.isfinite(one).all() or not np.isfinite(low[has_lower]).all():
            raise InputError("the body vectors hold NaN or infinite values; embed them again")
        seen = np.asarray(one.any(axis=1))
        mean = one[seen].mean(axis=0) if seen.any() else 0.0
        parts.append(np.where(seen[:, None], unit_rows(one - mean), 0.0))
        lower_parts.append(np.where(has_lower[:, None], unit_rows(low - mean), 0.0))
    scale = np.sqrt(max(len(parts), 1))
    return Bodies(
        (np.concatenate(parts, axis=1) / scale).astype(np.float32),
        (np.concatenate(lower_parts, axis=1) / scale).astype(np.float32),
        has_lower,
    )


@dataclass(frozen=True, slots=True)
class Faces:
    """Face vectors of a movie's candidates: unit, shape (n, dim), zeros without ``has_face``."""

    vectors: Single
    has_face: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How alike two crops must be to be linked, in standard deviations of the movie's own."""

    # Nearest bodies that a crop may be linked to; both must count each other among them.
    neighbours: int = 20
    # A similarity this far above the movie's mean is a link of weight 1/2; and how fast it turns.
    link_at: float = 2.2
    link_width: float = 0.4
    # Cosine of two faces that makes a link of half its weight, how fast it turns, its weight.
    face_at: float = 0.45
    face_width: float = 0.04
    face_weight: float = 0.2
    # Two faces less alike than this loosen the link of their bodies.
    face_differs_at: float = 0.12
    face_differs_width: float = 0.05


def link_weights(
    views: Sequence[tuple[Bodies, float]],
    faces: Faces,
    apart: Any,
    settings: LinkSettings,
) -> Any:
    """Links between candidates, SciPy CSR of shape (n, n), symmetric, weights 0 to 1.

    Bodies are linked where both are among each other's nearest and stand out from the movie's
    similarities; clothes tie crops of one scene, and what they share with the whole movie ties
    nothing. Faces link too, and faces that differ loosen a link of bodies. Two people are never
    linked.

    Args:
        views: Body vectors with the weight of each view; similarities are brought to mean 0 and
            deviation 1 of the movie before they are added.
        faces: Face vectors.
        apart: Which of them are two people, SciPy CSR of bool, symmetric, shape (n, n).
        settings: Where links begin.
    """
    from scipy import sparse

    n = apart.shape[0]
    standing = _Standing(views, apart)
    k = min(settings.neighbours, n - 1)

    def nearest(start: int) -> tuple[NDArray[np.intp], Single]:
        """Columns and standings of the k nearest of each row of a block."""
        block = np.arange(start, min(start + _BLOCK, n))
        alike = standing.of(block)
        alike[_never(apart, block)] = _NOT_LINKED
        columns = np.argpartition(alike, n - k, axis=1)[:, n - k :]
        return columns.ravel(), np.take_along_axis(alike, columns, axis=1).ravel()

    links = sparse.csr_array((n, n), dtype=np.float64)
    if k > 0:
        # Products of matrices release the interpreter lock: a core per block, in order.
        with ThreadPoolExecutor(n_cores()) as cores:
            found = list(cores.map(nearest, range(0, n, _BLOCK)))
        stands_out = np.concatenate([values for _, values in found]).astype(np.float64)
        weight = rise(stands_out, settings.link_at, settings.link_width)
        weight[stands_out < _NOT_LINKED / 2] = 0.0
        places = (np.arange(n).repeat(k), np.concatenate([columns for columns, _ in found]))
        links = sparse.csr_array((weight, places), shape=(n, n))
        # Mutual: the smaller weight of both directions, 0 where one is missing.
        links = _loosened(links.minimum(links.T), faces, settings)
    face_links = _face_links(faces, apart, settings)
    # Two reasons to be linked: 1 - (1 - a)(1 - b).
    joined = links + face_links - links.multiply(face_links)
    return sparse.csr_array(joined)


def _never(apart: Any, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of a block of ``rows`` by all that are no pair to link: two people, and themselves."""
    counts = apart.indptr[rows + 1] - apart.indptr[rows]
    # Where the entries of each row begin, less how many of the block stand before them.
    shift = apart.indptr[rows] - (np.cumsum(counts) - counts)
    entries = np.repeat(shift, counts) + np.arange(counts.sum())
    block = np.arange(len(rows))
    return (
        np.concatenate([block, np.repeat(block, counts)]),
        np.concatenate([rows, apart.indices[entries]]),
    )


def _loosened(links: Any, faces: Faces, settings: LinkSettings) -> Any:
    """Links of bodies, less where both ends have faces and these differ."""
    pairs = links.tocoo()
    both = np.flatnonzero(faces.has_face[pairs.row] & faces.has_face[pairs.col])
    # In pieces: a movie of 10,000 has as many pairs as a matrix of vectors that takes a gigabyte.
    for start in range(0, len(both), _PAIRS):
        at = both[start : start + _PAIRS]
        ends = faces.vectors[pairs.row[at]], faces.vectors[pairs.col[at]]
        alike = np.einsum("ij,ij->i", *ends).astype(np.float64)
        pairs.data[at] *= rise(alike, settings.face_differs_at, settings.face_differs_width)
    return pairs.tocsr()


class _Standing:
    """How far similarities stand above the movie's own: several views as one number."""

    def __init__(self, views: Sequence[tuple[Bodies, float]], apart: Any) -> None:
        n = apart.shape[0]
        rows = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.intp))
        other = np.ones((len(rows), n), dtype=bool)
        other[_never(apart, rows)] = False
        # View, its mean, and what it is multiplied by.
        self._views: list[tuple[Bodies, float, float]] = []
        total = np.zeros(other.shape, dtype=np.float32)
        for view, weight in views:
            alike = view.similarity(rows)
            mean, deviation = _moments(alike[other])
            self._views.append((view, mean, weight / deviation))
            total += np.float32(weight / deviation) * (alike - np.float32(mean))
        # Views that agree only in part spread less together than each alone.
        self._deviation = _moments(total[other])[1]

    def of(self, rows: NDArray[np.intp]) -> Single:
        """Standing of ``rows`` among all, shape (n_rows, n): mean 0, deviation 1."""
        total: Single | None = None
        for view, mean, factor in self._views:
            alike = view.similarity(rows)
            alike -= np.float32(mean)
            alike *= np.float32(factor / self._deviation)
            total = alike if total is None else np.add(total, alike, out=total)
        assert total is not None  # there is one view or more
        return total


def _moments(values: Single) -> tuple[float, float]:
    """Mean and standard deviation; 0 and 1 where there are no values to tell them from."""
    if not values.size:
        return 0.0, 1.0
    return float(values.mean()), max(float(values.std()), 1e-6)


def _face_links(faces: Faces, apart: Any, settings: LinkSettings) -> Any:
    """Links of candidates with like faces, SciPy CSR of shape (n, n)."""
    from scipy import sparse

    n = apart.shape[0]
    seen = np.flatnonzero(faces.has_face)
    strangers = apart[seen][:, seen]
    vectors = faces.vectors[seen]
    rows, columns, values = [], [], []
    # Below this a link weighs less than 0.001 of its full weight.
    floor = settings.face_at - 7 * settings.face_width
    for start in range(0, len(seen), _BLOCK):
        alike = vectors[start : start + _BLOCK] @ vectors.T
        alike[_never(strangers, np.arange(start, start + len(alike)))] = _NOT_LINKED
        i, j = np.nonzero(alike > floor)
        rows.append(seen[start + i])
        columns.append(seen[j])
        values.append(
            settings.face_weight
            * rise(alike[i, j].astype(np.float64), settings.face_at, settings.face_width)
        )
    if not rows:
        return sparse.csr_array((n, n), dtype=np.float64)
    places = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), places), shape=(n, n))
