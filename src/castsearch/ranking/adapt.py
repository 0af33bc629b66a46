"""Adapt to the film: body vectors projected so that its own people come apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.affinity import Bodies
from castsearch.ranking.scale import unit_rows

MIN_LABELS = 15
MIN_PER_CAST = 3
N_DIMENSIONS = 64
_SAMPLE = 512
"""Rows that the principal directions are taken from."""


def adapted(
    bodies: Bodies,
    labels: NDArray[np.integer],
    *,
    shrinkage: float = 5.0,
) -> Bodies | None:
    """Body vectors whitened by how one person varies within this movie; None with few labels.

    Linear discriminant analysis by its whitening step: principal directions of the movie, then the
    inverse fourth root of the within-class covariance (half of the full whitening, which trusts few
    labels too much). The covariance is shrunk towards a multiple of the identity by s / (s + m), m
    being the mean number of labels per cast member (after Friedman, "Regularized Discriminant
    Analysis", 1989).

    Args:
        bodies: The vectors of all candidates.
        labels: Shape (n,): cast member that a confident face or a person names, or -1.
        shrinkage: s, in labels per cast member.

    Returns:
        New unit vectors, or ``None`` with fewer than 15 labels, fewer than two cast members that
        have 3, or bodies that are all the same: then there is nothing to learn from.
    """
    cast, counts = np.unique(labels[labels >= 0], return_counts=True)
    cast = cast[counts >= MIN_PER_CAST]
    named = np.isin(labels, cast)
    if named.sum() < MIN_LABELS or len(cast) < 2:
        return None
    with_lower = named & bodies.has_lower
    mean, directions = _principal(bodies)
    if not directions.size:
        return None
    whole = (bodies.whole - mean) @ directions
    lower = (bodies.lower - mean) @ directions
    examples = np.concatenate([whole[named], lower[with_lower]]).astype(np.float64)
    of = np.concatenate([labels[named], labels[with_lower]])
    for member in cast:
        examples[of == member] -= examples[of == member].mean(axis=0)
    within = examples.T @ examples / len(examples)
    share = shrinkage / (shrinkage + named.sum() / len(cast))
    size = len(within)
    within = (1 - share) * within + share * np.trace(within) / size * np.eye(size)
    values, vectors = np.linalg.eigh(within)
    values = np.maximum(values, 1e-9 * max(float(values.max()), 1e-12))
    whiten = (vectors * values**-0.25) @ vectors.T
    return Bodies(
        unit_rows(whole @ whiten).astype(np.float32),
        np.where(bodies.has_lower[:, None], unit_rows(lower @ whiten), 0).astype(np.float32),
        bodies.has_lower,
    )


def _principal(bodies: Bodies) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (dim,) and leading directions (dim, up to 64) of whole and lower vectors together."""
    rows = np.concatenate([bodies.whole, bodies.lower[bodies.has_lower]])
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(np.intp))]
    mean = rows.mean(axis=0)
    centred = (rows - mean).astype(np.float64)
    # Through the small matrix of products between rows: a movie has fewer of them than dimensions.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    kept = np.flatnonzero(values > 1e-9 * max(float(values[-1]), 1e-12))[::-1][:N_DIMENSIONS]
    directions = centred.T @ (vectors[:, kept] / np.sqrt(values[kept]))
    return mean, directions.astype(np.float32)
