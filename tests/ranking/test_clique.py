"""Different people of one still, against all assignments one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from castsearch.ranking.clique import clique_marginals, clique_messages, likeliest_members


def dirichlet(seed: int, shape: tuple[int, int, int]) -> np.ndarray:
    n_cliques, n_boxes, n_labels = shape
    rows = np.random.default_rng(seed).dirichlet([0.5] * n_labels, size=(n_cliques, n_boxes))
    return (rows + 1e-3) / (1 + 1e-3 * n_labels)


Shapes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(2, 4))


@given(seed=st.integers(0, 10_000), shape=Shapes)
def test_marginals_are_all_assignments(exclusive_loop, seed, shape) -> None:
    beliefs = dirichlet(seed, shape)
    got = clique_marginals(beliefs, likeliest_members(beliefs, 8))
    for one, expected in zip(got, beliefs, strict=True):
        everyone = ~np.eye(len(expected), dtype=bool)
        np.testing.assert_allclose(one, exclusive_loop(expected, everyone), atol=1e-12)


@given(seed=st.integers(0, 10_000), shape=Shapes)
def test_messages_are_all_assignments_of_the_others(seed, shape) -> None:
    beliefs = dirichlet(seed, shape)
    got = clique_messages(beliefs, likeliest_members(beliefs, 8))
    n_cliques, n_boxes, n_labels = shape
    for clique, box in product(range(n_cliques), range(n_boxes)):
        others = [i for i in range(n_boxes) if i != box]
        expected = np.zeros(n_labels)
        for label in range(n_labels):
            for labels in product(range(n_labels), repeat=len(others)):
                named = [c for c in (label, *labels) if c < n_labels - 1]
                if len(named) == len(set(named)):
                    chosen = [beliefs[clique, i, c] for i, c in zip(others, labels, strict=True)]
                    expected[label] += np.prod(chosen)
        message = got[clique, box]
        np.testing.assert_allclose(message / message.sum(), expected / expected.sum(), atol=1e-12)


def test_who_is_not_told_apart_is_like_nobody() -> None:
    beliefs = np.array([[[0.5, 0.1, 0.4], [0.2, 0.05, 0.75]]])
    members = likeliest_members(beliefs, 1)
    assert members.tolist() == [[0]]
    # The other is the member with 0.2: this one may be it where that is not.
    message = clique_messages(beliefs, members)[0, 0]
    np.testing.assert_allclose(message / message[2], [0.8, 1, 1], atol=1e-12)
