"""Who is one person, who are two, and who somebody is: what the order must not contradict.

Facts are of three kinds. Candidates that are one person become one *node*. Nodes that are two
people are joined by an edge of a sparse graph; boxes of one still are. Labels say who a node is or
is not. What boxes suggest gives way to what a person said, and of two things that a person said
the one that tells people apart, or names them, holds: a wrong join spoils two, a missing one none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from castsearch.errors import InputError
from castsearch.ranking.people import Contradiction, People

Pairs = Iterable[tuple[int, int]]

UNKNOWN = -1
"""The label of a node that nobody has named."""
ITSELF = "{0} is said not to be the same person as itself; that is left aside"
NOT_ITS_LABEL = "{0} is said to be {label}, and not to be; it is taken for {label}"
NOBODY_LEFT = "{0} is said to be none of the cast, and not nobody; that is left aside"
TWICE = "{0} and {1} are said to be two people, and both {label}; both are taken for {label}"


@dataclass(frozen=True, slots=True)
class Constraints:
    """Facts about the candidates of a movie, as arrays.

    Columns of labels are the cast, then "nobody of the cast".

    ``nodes``: the person of each candidate, numbered by first appearance, shape (n,).
    ``apart``: which nodes are two people, SciPy CSR of bool, symmetric, shape (n_nodes, n_nodes),
    nothing on its diagonal.
    ``given``: the label that is known of each node, or -1, shape (n_nodes,).
    ``denied``: labels that a node is said not to have, shape (n_nodes, n_cast + 1).
    ``contradictions``: facts that could not all hold, so that they can be said.
    """

    nodes: NDArray[np.intp]
    apart: Any
    given: NDArray[np.intp]
    denied: NDArray[np.bool_]
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def first(self) -> NDArray[np.intp]:
        """The first candidate of each node, shape (n_nodes,)."""
        return np.unique(self.nodes, return_index=True)[1].astype(np.intp)

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Whether the label of a node is known, shape (n_nodes,)."""
        return self.given >= 0

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Cast members that a node cannot be since one it is apart from is, (n_nodes, n_cast)."""
        n_cast = self.denied.shape[1] - 1
        members = (self.given[:, None] == np.arange(n_cast)).astype(np.int32)
        return np.asarray(self.apart.astype(np.int32) @ members > 0)

    @property
    def impossible(self) -> NDArray[np.bool_]:
        """Labels that a node cannot have, by all facts together, shape (n_nodes, n_cast + 1).

        Of a node whose label is known all others are impossible, and no node is without a label:
        where nothing would be left, only what is said of the node itself counts.
        """
        impossible = self.denied.copy()
        impossible[:, :-1] |= self.taken
        no_way = impossible.all(axis=1)
        impossible[no_way] = self.denied[no_way]
        known = np.flatnonzero(self.certain)
        impossible[known] = True
        impossible[known, self.given[known]] = False
        return impossible

    @property
    def undecided(self) -> Any:
        """``apart`` without the nodes whose label is known: what they take is settled."""
        from scipy import sparse

        pairs = self.apart.tocoo()
        open_pairs = ~(self.certain[pairs.row] | self.certain[pairs.col])
        places = pairs.row[open_pairs], pairs.col[open_pairs]
        return sparse.csr_array((pairs.data[open_pairs], places), shape=pairs.shape)

    def sentences(self, ids: Iterable[str], cast_names: Iterable[str]) -> tuple[str, ...]:
        """The contradictions in words."""
        candidates, labels = list(ids), [*cast_names, "nobody of the cast"]
        return tuple(
            one.text.format(*(candidates[i] for i in one.candidates), label=labels[one.label])
            for one in self.contradictions
        )


def constraints(
    stills: ArrayLike,
    n_cast: int,
    *,
    same: Pairs = (),
    suggested: Pairs = (),
    different: Pairs = (),
    labels: Mapping[int, int] | None = None,
    denied: Pairs = (),
) -> Constraints:
    """Facts about the candidates of a movie, brought together.

    Candidates are positions, 0 to n - 1; labels are positions in the cast, or ``n_cast`` for nobody
    of it.

    Args:
        stills: The still of each candidate, shape (n,): any numbers. Two of one still are two
            people unless they are joined, or both said to be the same cast member.
        n_cast: Cast members of the movie.
        same: Pairs that somebody said to be one person. Where that cannot be, with what tells them
            apart or with their labels, they stay two, and the contradiction is reported.
        suggested: Pairs that look like one person: boxes that lie in one another, the boxes of a
            track. Joined after ``same``, in the order given (the surest first), where nothing that
            was said forbids it; that is no contradiction. Chains join: a pair is for boxes that are
            surely one person.
        different: Pairs that are two people, wherever they stand.
        labels: Who a candidate is, by its position.
        denied: Pairs of a candidate and a label that it has not.

    Raises:
        InputError: a position or label is out of range.
    """
    numbers = np.unique(np.asarray(stills), return_inverse=True)[1]
    n = len(numbers)
    known = {_in_range(i, n): _in_range(c, n_cast + 1) for i, c in dict(labels or {}).items()}
    strangers = [(_in_range(i, n), _in_range(j, n)) for i, j in different]
    against = [(_in_range(i, n), _in_range(c, n_cast + 1)) for i, c in denied]
    people = People(n, n_cast + 1)
    found = [Contradiction(ITSELF, (i,)) for i, j in strangers if i == j]
    strangers = [(i, j) for i, j in strangers if i != j]
    against, wrong = _possible(known, against, n_cast)
    found += wrong
    for i, j in strangers:
        people.tell_apart(i, j)
    for i, label in known.items():
        people.label(i, label)
    for i, label in against:
        people.deny(i, [label])
    for i, j in same:
        refused = people.join(_in_range(i, n), _in_range(j, n))
        found += [Contradiction(refused, (i, j))] if refused else []
    for i, j in suggested:
        people.join(_in_range(i, n), _in_range(j, n))
    nodes = people.numbered()
    n_nodes = int(nodes.max(initial=-1)) + 1
    given = np.full(n_nodes, UNKNOWN, dtype=np.intp)
    for i, label in known.items():
        given[nodes[i]] = label
    is_not = np.zeros((n_nodes, n_cast + 1), dtype=bool)
    for i, label in against:
        is_not[nodes[i], label] = True
    for i, j in strangers:
        if 0 <= given[nodes[i]] == given[nodes[j]] < n_cast:
            found.append(Contradiction(TWICE, (i, j), int(given[nodes[i]])))
    apart = _graph(numbers, nodes, given, n_cast, strangers)
    return Constraints(nodes, apart, given, is_not, tuple(found))


def free(n: int, n_cast: int) -> Constraints:
    """Constraints of ``n`` candidates of whom nothing is known."""
    return constraints(np.arange(n), n_cast)


def _in_range(position: int, n: int) -> int:
    if not 0 <= position < n:
        raise InputError(f"a fact names number {position}, but there are only {n}")
    return int(position)


def _possible(
    known: Mapping[int, int], denied: list[tuple[int, int]], n_cast: int
) -> tuple[list[tuple[int, int]], list[Contradiction]]:
    """What is denied, as far as something is left for each candidate; and what is not."""
    wrong = [
        Contradiction(NOT_ITS_LABEL, (i,), c) for i, c in dict.fromkeys(denied) if known.get(i) == c
    ]
    # What a labelled candidate is not goes without saying.
    rest = [(i, c) for i, c in dict.fromkeys(denied) if i not in known]
    counts: dict[int, int] = {}
    for i, _ in rest:
        counts[i] = counts.get(i, 0) + 1
    nobody_left = {i for i, count in counts.items() if count == n_cast + 1}
    wrong += [Contradiction(NOBODY_LEFT, (i,)) for i in sorted(nobody_left)]
    return [(i, c) for i, c in rest if i not in nobody_left], wrong


def _graph(
    stills: NDArray[np.intp],
    nodes: NDArray[np.intp],
    given: NDArray[np.intp],
    n_cast: int,
    different: list[tuple[int, int]],
) -> Any:
    """Which nodes are two people: those that share a still, and those told apart."""
    from scipy import sparse

    n = len(given)
    shape = (int(stills.max(initial=-1)) + 1, n)
    stands = sparse.csr_array((np.ones(len(nodes), dtype=np.int32), (stills, nodes)), shape=shape)
    shared = (stands.T @ stands).tocoo()
    one, two = shared.row, shared.col
    # Boxes of one still that somebody called by one name are one person, boxed twice.
    twice = (given[one] == given[two]) & (given[one] >= 0) & (given[one] < n_cast)
    mates = (one != two) & ~twice
    told = nodes[np.array(different, dtype=np.intp).reshape(-1, 2)].T
    rows = np.concatenate([one[mates], told[0], told[1]])
    columns = np.concatenate([two[mates], told[1], told[0]])
    apart = sparse.csr_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    apart.sort_indices()
    return apart
