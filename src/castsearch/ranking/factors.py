"""The maximal cliques of a small graph: groups of boxes that all are different people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WORK = 50
"""Steps of the search per node; graphs of tracks that overlap in time need about one, and a graph
may hold exponentially many cliques."""


def maximal_cliques(n: int, pairs: NDArray[np.integer], work: int = WORK) -> list[list[int]] | None:
    """All maximal cliques of a graph without loops; ``None`` where they are too many to look for.

    Bron and Kerbosch (1973) with the pivot of Tomita et al. (2006), over bit sets.

    Args:
        n: Number of nodes.
        pairs: Edges, shape (n_edges, 2), in either or both directions.
        work: Steps per node after which the search is given up.
    """
    neighbours = [0] * n
    for i, j in pairs.tolist():
        neighbours[i] |= 1 << j
        neighbours[j] |= 1 << i
    cliques: list[list[int]] = []
    steps = 0
    for node in range(n):
        later = neighbours[node] >> node << node
        # Members, nodes that may join them, and nodes whose cliques were listed before.
        stack = [([node], later, neighbours[node] ^ later)]
        while stack:
            members, joining, listed = stack.pop()
            steps += 1
            if steps > work * n:
                return None
            if not joining:
                if not listed:
                    cliques.append(members)
                continue
            pivot = max(
                _bits(joining | listed), key=lambda u: (joining & neighbours[u]).bit_count()
            )
            for one in _bits(joining & ~neighbours[pivot]):
                stack.append(([*members, one], joining & neighbours[one], listed & neighbours[one]))
                joining ^= 1 << one
                listed |= 1 << one
    return sorted(sorted(clique) for clique in cliques)


def _bits(number: int) -> Iterator[int]:
    """Positions of the bits that are set, from the lowest."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
