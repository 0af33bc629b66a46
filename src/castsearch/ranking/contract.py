"""Several candidates of one person as one: what they show is pooled, and told to all of them.

A person who is alone in its node keeps its values to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.affinity import Bodies, Faces
from castsearch.ranking.scale import unit_rows


def is_contracted(nodes: NDArray[np.intp]) -> bool:
    """Whether any two candidates are one person."""
    return bool(len(nodes) and nodes.max() + 1 < len(nodes))


def best_scores(scores: NDArray[np.float64], nodes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The best score of the members of each node, shape (n_cast, n_nodes)."""
    order, starts = _grouped(nodes)
    best: NDArray[np.float64] = np.maximum.reduceat(scores[:, order], starts, axis=1)
    return np.ascontiguousarray(best)


def best_faces(
    faces: Faces, quality: NDArray[np.float64], nodes: NDArray[np.intp]
) -> tuple[Faces, NDArray[np.float64]]:
    """The face of each node and its quality: of the member whose face is seen best."""
    # By node, those with a face first, then by falling quality; equals in their order.
    order = np.lexsort((-quality, ~faces.has_face, nodes))
    _, starts = np.unique(nodes[order], return_index=True)
    chosen = order[starts]
    return Faces(faces.vectors[chosen], faces.has_face[chosen]), quality[chosen]


def pooled_bodies(
    bodies: Bodies, nodes: NDArray[np.intp], weights: NDArray[np.float64] | None = None
) -> Bodies:
    """Mean directions of the bodies of each node; lower ones of those members that have them.

    Args:
        bodies: Unit vectors of the candidates; a row of zeros has no part in a mean.
        nodes: Shape (n,).
        weights: Of each candidate among those of its node, above 0, shape (n,); by default alike.
            The area of a box is one: of a head and the body that it belongs to, the body is what
            other bodies compare with.
    """
    weight = np.ones(len(nodes)) if weights is None else weights
    counted = weight * bodies.has_lower
    has_lower = np.bincount(nodes, weights=counted) > 0
    lower = _mean_directions(bodies.lower, nodes, counted)
    return Bodies(_mean_directions(bodies.whole, nodes, weight), lower, has_lower)


def _mean_directions(
    rows: NDArray[np.float32], nodes: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float32]:
    from scipy import sparse

    sizes = np.bincount(nodes)
    first = np.unique(nodes, return_index=True)[1]
    pooled = rows[first]
    several = np.flatnonzero(sizes > 1)
    members = np.flatnonzero(sizes[nodes] > 1)
    place = np.searchsorted(several, nodes[members])
    shape = (len(several), len(members))
    sums: Any = sparse.csr_array((weights[members], (place, np.arange(len(members)))), shape=shape)
    pooled[several] = unit_rows(sums @ rows[members].astype(np.float64))
    return np.asarray(pooled, dtype=np.float32)


def _grouped(nodes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Candidates sorted by node, and where each node starts among them."""
    order = np.argsort(nodes, kind="stable")
    return order, np.unique(nodes[order], return_index=True)[1].astype(np.intp)
