"""Several rankings of the same queries side by side: means, intervals, paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.metrics.bootstrap import N_RESAMPLES, Interval, interval, resampled_means


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of an ablation: a preset, maybe with settings of its own, and what it is.

    ``reference_val`` and ``reference_test`` are mAP that the reference published for its row, on
    other data.
    """

    name: str
    note: str
    reference_val: float | None = None
    reference_test: float | None = None


@dataclass(frozen=True, slots=True)
class QueryAP:
    """AP of one query under each variant, in their order.

    ``AP_no_face`` is that of the same lists without the candidates that show a face; ``None``
    where no right candidate is left.
    """

    source: str
    movie: str
    query: str
    AP: tuple[float, ...]
    AP_no_face: tuple[float, ...] | None
    n_positives: int
    n_no_face: int


@dataclass(frozen=True, slots=True)
class AblationRow:
    """What one variant scores.

    ``by_movie`` is parallel to :attr:`Ablation.movies`. ``no_face`` is mAP over candidates without
    a face. ``difference`` is mAP less that of the variant compared with.
    """

    variant: Variant
    mAP: Interval
    no_face: Interval | None
    difference: Interval
    by_movie: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ablation:
    """The table; ``movies`` are pairs of source and movie id."""

    rows: tuple[AblationRow, ...]
    movies: tuple[tuple[str, str], ...]
    queries: tuple[QueryAP, ...]
    against: str
    n_no_face_queries: int
    n_resamples: int
    seed: int


def ablation_of(
    variants: Sequence[Variant],
    queries: Sequence[QueryAP],
    *,
    against: str,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Ablation:
    """The table of all variants; mAP is cast-macro, as of :func:`castsearch.metrics.evaluate`.

    Raises:
        InputError: there is no query, or ``against`` is the name of no variant.
    """
    names = [variant.name for variant in variants]
    if against not in names:
        raise InputError(f"{against!r} is none of the rows compared: {', '.join(names)}.")
    if not queries:
        raise InputError("No query has a right candidate, so there is nothing to compare.")
    values = np.array([query.AP for query in queries], dtype=np.float64).T
    means = resampled_means(values, [q.query for q in queries], n_resamples=n_resamples, seed=seed)
    blind = [query for query in queries if query.AP_no_face is not None]
    no_face = _intervals(blind, len(variants), n_resamples, seed)
    movies = tuple(dict.fromkeys((query.source, query.movie) for query in queries))
    of_movie = [
        np.array([(query.source, query.movie) == movie for query in queries]) for movie in movies
    ]
    base = names.index(against)
    rows = tuple(
        AblationRow(
            variant,
            interval(values[i], means[i]),
            no_face[i],
            interval(values[i] - values[base], means[i] - means[base]),
            tuple(float(values[i][own].mean()) for own in of_movie),
        )
        for i, variant in enumerate(variants)
    )
    return Ablation(rows, movies, tuple(queries), against, len(blind), n_resamples, seed)


def _intervals(
    queries: Sequence[QueryAP], n_variants: int, n_resamples: int, seed: int
) -> list[Interval | None]:
    """Mean AP over candidates without a face, for each variant."""
    if not queries:
        return [None] * n_variants
    values: NDArray[np.float64] = np.array([q.AP_no_face for q in queries], dtype=np.float64).T
    means = resampled_means(values, [q.query for q in queries], n_resamples=n_resamples, seed=seed)
    return [interval(row, drawn) for row, drawn in zip(values, means, strict=True)]
