"""PPCC: who is who spread from faces to bodies by competitive consensus (Huang et al., 2018)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

_SMALLEST = 0.001
"""Beliefs of frozen rows below this are dropped, so that few of them have to be looked at."""
_BLOCK = 256
"""Rows whose links are compared at once: at 10,000 candidates 20 MB of float64."""


def ppcc(
    face: NDArray[np.floating[Any]],
    body: Any,
    *,
    phi0: float = 0.5,
    steps: int = 5,
    temperature: float = 0.03,
) -> NDArray[np.float64]:
    """Scores of candidates for each cast by progressive propagation via competitive consensus.

    Huang et al., "Person Search in Videos with One Portrait Through Visual and Temporal Links"
    (ECCV 2018). A candidate takes the strongest link to a labelled row, not the sum of its links.
    After each step the most certain rows are frozen, and only frozen rows speak in the next; the
    portraits are rows like the candidates, as in the published code, and of n rows all but the
    whole part of (1 - phi) n are frozen, equal ones from the last. With one step, phi is ``phi0``.

    One rule is added: a row that believes in all casts alike has nothing to say and is not frozen.
    The published code freezes such rows by the chance of the sorting, and they stay undecided:
    candidates without a face, which are what the propagation is for.

    Args:
        face: Face affinities, shape (n_cast, n_candidates); ``-inf`` (no face) counts as 0.
        body: Body affinities, shape (n_candidates, n_candidates), dense or SciPy sparse; what a
            sparse matrix does not store is an affinity of 0.
        phi0: Share of the rows frozen after the first step; it rises to 1 in the last.
        steps: How many steps.
        temperature: Of the softmax over the cast.

    Returns:
        Face affinity plus belief, shape (n_cast, n_candidates), float64, higher is better.

    Raises:
        InputError: shapes do not fit, a value is NaN, or a parameter is out of its range.
    """
    from scipy.special import softmax

    _check(face, body, phi0, steps, temperature)
    n_cast, n_candidates = face.shape
    n = n_cast + n_candidates
    similarities: NDArray[np.float64] = np.where(np.isneginf(face), 0.0, face).astype(np.float64)
    links = body.tocsr() if hasattr(body, "tocsr") else body
    speaking = np.vstack([np.eye(n_cast), np.zeros((n_candidates, n_cast))])
    belief = speaking
    frozen = np.zeros(n, dtype=bool)
    for step in range(steps):
        rows = np.flatnonzero(~frozen)
        belief = speaking.copy()
        belief[rows] = softmax(
            _strongest(similarities, links, speaking, rows) / temperature, axis=1
        )
        phi = phi0 + step * ((1 - phi0) / (steps - 1)) if steps > 1 else phi0
        certainty = belief.max(axis=1)
        most_certain = np.argsort(certainty, kind="stable")[int(n * (1 - phi)) :]
        decided = certainty[most_certain] > belief.min(axis=1)[most_certain]
        frozen[most_certain[decided]] = True
        speaking = np.where(frozen[:, None] & (belief >= _SMALLEST), belief, 0.0)
    return similarities + belief[n_cast:].T


def _check(face: Any, body: Any, phi0: float, steps: int, temperature: float) -> None:
    if face.ndim != 2 or body.shape != (face.shape[1],) * 2:
        raise InputError(
            f"face affinities of shape {face.shape} do not fit body affinities of shape "
            f"{body.shape}: expected (n_cast, n) and (n, n)"
        )
    if not len(face):
        raise InputError("there is no cast member to propagate from")
    values = body.data if hasattr(body, "tocsr") else body
    if not np.isfinite(values).all():
        raise InputError("the body affinities hold NaN or infinite values; check the embeddings")
    if np.isnan(face).any() or np.isposinf(face).any():
        raise InputError("the face affinities hold NaN or infinite values; check the embeddings")
    if not 0 <= phi0 <= 1 or steps < 1 or temperature <= 0:
        raise InputError(
            "propagation needs a share phi0 from 0 to 1, one step or more and a temperature "
            f"above 0; got {phi0}, {steps} and {temperature}"
        )


def _strongest(
    face: NDArray[np.float64],
    body: Any,
    speaking: NDArray[np.float64],
    rows: NDArray[np.intp],
) -> NDArray[np.float64]:
    """G: the largest affinity times belief over the rows that speak for a cast; 0 if none does.

    ``rows`` are positions among portraits and candidates; shape (len(rows), n_cast).
    """
    n_cast = len(face)
    of_cast, of_candidates = speaking[:n_cast], speaking[n_cast:]
    portraits, people = rows[rows < n_cast], rows[rows >= n_cast] - n_cast
    # Portraits are not compared with one another: an affinity of 0.
    nothing = np.zeros((len(portraits), n_cast))
    best = np.vstack(
        [
            np.maximum(
                _largest_products(nothing, of_cast),
                _largest_products(face[portraits], of_candidates),
            ),
            np.maximum(
                _largest_products(face.T[people], of_cast),
                _largest_products_of_rows(body, people, of_candidates),
            ),
        ]
    )
    return np.where(np.isneginf(best), 0.0, best)


def _largest_products_of_rows(
    links: Any, rows: NDArray[np.intp], beliefs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """:func:`_largest_products` of chosen rows, block by block, for dense or sparse links."""
    best = np.full((len(rows), beliefs.shape[1]), -np.inf)
    speakers = np.flatnonzero(beliefs.any(axis=1))
    if not len(speakers):
        return best
    spoken = beliefs[speakers]
    if hasattr(links, "tocsr"):
        chosen = links[rows].tocsc()[:, speakers]
        for cast, belief in enumerate(spoken.T):
            hot = np.flatnonzero(belief)
            if len(hot):
                products = chosen[:, hot].multiply(belief[hot][None])
                # The maximum of SciPy counts what is not stored as 0, as it should.
                best[:, cast] = products.tocsr().max(axis=1).toarray().ravel()
        return best
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        best[start : start + _BLOCK] = _largest_products(links[np.ix_(block, speakers)], spoken)
    return best


def _largest_products(
    links: NDArray[np.floating[Any]], beliefs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Largest link times belief over the rows of ``beliefs`` that are not 0; ``-inf`` if none."""
    best = np.full((len(links), beliefs.shape[1]), -np.inf)
    columns = np.ascontiguousarray(links.T)
    for cast, belief in enumerate(beliefs.T):
        hot = np.flatnonzero(belief)
        if len(hot):
            best[:, cast] = (columns[hot] * belief[hot, None]).max(axis=0)
    return best
