"""Which candidates are one person, joined pair by pair as far as nothing else forbids it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALSO_TWO = "{0} and {1} are said to be one person, and to be two; they are taken as two"
TWO_LABELS = "{0} and {1} are said to be one person, but their labels are two's; taken as two"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Facts that cannot all be true: the candidates they are about, and what was made of them.

    ``text`` has a place ``{0}``, ``{1}`` for each of ``candidates``, and maybe ``{label}``, the
    place of a column of the labels.
    """

    text: str
    candidates: tuple[int, ...]
    label: int = -1


class People:
    """Candidates joined to persons, each with what is known of it."""

    def __init__(self, n: int, n_labels: int) -> None:
        self._parents = list(range(n))
        self._n_labels = n_labels
        # Of persons, by their root: those they are told from, their label, what they are not.
        self._strangers: dict[int, set[int]] = {}
        self._label: dict[int, int] = {}
        self._denied: dict[int, set[int]] = {}

    def root(self, candidate: int) -> int:
        """The candidate that stands for a person."""
        parents = self._parents
        while parents[candidate] != candidate:
            parents[candidate] = parents[parents[candidate]]
            candidate = parents[candidate]
        return candidate

    def tell_apart(self, first: int, second: int) -> None:
        """Two persons, who are never joined."""
        one, two = self.root(first), self.root(second)
        self._strangers.setdefault(one, set()).add(two)
        self._strangers.setdefault(two, set()).add(one)

    def label(self, candidate: int, label: int) -> None:
        """A person's label."""
        self._label[self.root(candidate)] = label

    def deny(self, candidate: int, labels: Iterable[int]) -> None:
        """Labels that a person has not."""
        self._denied.setdefault(self.root(candidate), set()).update(labels)

    def join(self, first: int, second: int) -> str:
        """Make one person of two; or say, as the text of a contradiction, why they stay two."""
        one, two = self.root(first), self.root(second)
        if one == two:
            return ""
        if two in self._strangers.get(one, ()):
            return ALSO_TWO
        labels = {root: self._label[root] for root in (one, two) if root in self._label}
        denied = self._denied.get(one, set()) | self._denied.get(two, set())
        if len(set(labels.values())) > 1 or denied & set(labels.values()):
            return TWO_LABELS
        if len(denied) == self._n_labels:
            return TWO_LABELS
        if len(self._strangers.get(one, ())) < len(self._strangers.get(two, ())):
            one, two = two, one
        self._parents[two] = one
        for stranger in self._strangers.pop(two, ()):
            self._strangers[stranger].remove(two)
            self._strangers[stranger].add(one)
            self._strangers.setdefault(one, set()).add(stranger)
        if labels:
            self._label[one] = next(iter(labels.values()))
        if denied:
            self._denied[one] = denied
        return ""

    def numbered(self) -> NDArray[np.intp]:
        """The person of each candidate, numbered by first appearance, shape (n,)."""
        roots = [self.root(i) for i in range(len(self._parents))]
        numbers: dict[int, int] = {}
        return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.intp)
