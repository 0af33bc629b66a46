"""Two people of one still are two: beliefs made to agree with that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.clique import clique_marginals, likeliest_members
from castsearch.ranking.consensus import consensus
from castsearch.ranking.factors import maximal_cliques

MAX_CAST = 8
"""Cast members of one still that are told apart exactly: the likeliest ones. The sums run over all
subsets of them, and beyond eight likely people a still hardly decides anything."""
MAX_CELLS = 1 << 20
"""Boxes times subsets of all groups of a component that are worked on in one round of messages;
of a component with more, only pairs of boxes are looked at."""
_BLOCK = 256
"""Stills worked on at once: at 2^8 subsets and ten boxes 10 MB."""


def exclusive(
    beliefs: NDArray[np.float64], apart: Any, *, max_cast: int = MAX_CAST
) -> NDArray[np.float64]:
    """Beliefs after nobody was allowed to be two people at once.

    The beliefs of the nodes are taken as independent, all assignments that name a cast member twice
    among nodes that are apart are struck out, and what is left is normalised. Where nodes that hang
    together are all apart from each other, as the boxes of a still are, that is exact; it is as
    well where the largest such groups hang together like a tree, and an approximation elsewhere
    (:mod:`castsearch.ranking.consensus`). A box that loses a member to its still-mate gains on the
    others, and on "others".

    Args:
        beliefs: Shape (n, n_cast + 1), rows sum to 1; the last column is "others", which any
            number of boxes may be.
        apart: Which rows are two people, SciPy CSR of bool, symmetric, shape (n, n).
        max_cast: Of more cast members than this the likeliest of each group are told apart, the
            rest keeps its share.

    Returns:
        Shape and meaning as ``beliefs``. A group whose every assignment is struck out (two boxes
        certain of one member) keeps its beliefs.
    """
    from scipy.sparse.csgraph import connected_components

    result = beliefs.astype(np.float64, copy=True)
    if not len(beliefs):
        return result
    _, component = connected_components(apart, directed=False)
    sizes = np.bincount(component)
    n_ends = np.bincount(component, weights=np.diff(apart.indptr))
    is_clique = n_ends == sizes * (sizes - 1)
    order = np.argsort(component, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[is_clique & (sizes > 1)]):
        boxes = order[starts[is_clique & (sizes == size)][:, None] + np.arange(size)]
        for block in range(0, len(boxes), _BLOCK):
            chosen = boxes[block : block + _BLOCK]
            members = likeliest_members(beliefs[chosen], max_cast)
            result[chosen] = clique_marginals(beliefs[chosen], members)
    rows = np.flatnonzero(~is_clique[component])
    if len(rows):
        _, part = np.unique(component[rows], return_inverse=True)
        n_subsets = 1 << min(beliefs.shape[1] - 1, max_cast)
        groups = _groups(apart[rows][:, rows], part, n_subsets)
        result[rows] = consensus(beliefs[rows], groups, part, max_cast=max_cast)
    return result


def _groups(apart: Any, part: NDArray[np.intp], n_subsets: int) -> list[NDArray[np.intp]]:
    """The largest groups of rows that are all apart, an array (n_groups, size) for each size."""
    pairs = apart.tocoo()
    edges = np.stack([pairs.row, pairs.col], axis=1)[pairs.row < pairs.col].astype(np.intp)
    edges = edges[np.argsort(part[edges[:, 0]], kind="stable")]
    ends = np.cumsum(np.bincount(part[edges[:, 0]]))
    by_size: dict[int, list[list[int]]] = {}
    for number, own in enumerate(np.split(edges, ends[:-1])):
        rows = np.flatnonzero(part == number)
        local = np.searchsorted(rows, own)
        cliques = maximal_cliques(len(rows), local)
        n_boxes = sum(len(clique) for clique in cliques or () if len(clique) > 2)
        if cliques is None or n_boxes * n_subsets > MAX_CELLS:
            cliques = local.tolist()
        for clique in cliques:
            by_size.setdefault(len(clique), []).append(rows[clique].tolist())
    return [np.array(groups, dtype=np.intp) for _, groups in sorted(by_size.items())]
