"""Maximal cliques against every subset of the nodes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from castsearch.ranking.factors import maximal_cliques


@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), share=st.floats(0, 1))
def test_cliques_are_those_of_all_subsets(seed, n, share) -> None:
    rng = np.random.default_rng(seed)
    edges = {pair for pair in combinations(range(n), 2) if rng.random() < share}
    subsets = [s for k in range(1, n + 1) for s in combinations(range(n), k)]
    cliques = [set(s) for s in subsets if all(pair in edges for pair in combinations(s, 2))]
    expected = sorted(sorted(c) for c in cliques if not any(c < other for other in cliques))
    pairs = np.array(sorted(edges), dtype=int).reshape(-1, 2)
    assert maximal_cliques(n, pairs) == expected
    assert maximal_cliques(n, np.concatenate([pairs, pairs[:, ::-1]])) == expected


def test_too_many_cliques_are_not_looked_for() -> None:
    # Ten groups of three that know all but each other have 3^10 cliques.
    n = 30
    pairs = [(i, j) for i, j in combinations(range(n), 2) if i // 3 != j // 3]
    assert maximal_cliques(n, np.array(pairs)) is None
    assert maximal_cliques(9, np.array([p for p in pairs if p[1] < 9])) is not None


def test_a_large_still_is_one_clique() -> None:
    n = 300
    pairs = np.argwhere(np.triu(np.ones((n, n), dtype=bool), 1))
    assert maximal_cliques(n, pairs) == [list(range(n))]
