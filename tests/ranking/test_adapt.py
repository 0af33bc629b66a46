"""The adaptation to a film against the textbook's steps in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.ranking.adapt import adapted
from castsearch.ranking.affinity import Bodies


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def people(seed: int, n: int = 60, dim: int = 12, n_cast: int = 3):
    """Bodies of a few people, who vary most in a direction that tells nobody."""
    rng = np.random.default_rng(seed)
    who = rng.integers(n_cast, size=n)
    noise = 0.3 * rng.normal(size=(n, dim))
    noise[:, 0] *= 8
    centres = np.concatenate([np.zeros((n_cast, 1)), rng.normal(size=(n_cast, dim - 1))], axis=1)
    has_lower = rng.random(n) < 0.4
    lower = unit(centres[who] + noise + 0.1 * rng.normal(size=(n, dim)))
    whole = unit(centres[who] + noise)
    view = Bodies(whole, np.where(has_lower[:, None], lower, np.float32(0)), has_lower)
    return view, np.where(rng.random(n) < 0.7, who, -1), who


def textbook(view: Bodies, labels, shrinkage: float):
    """Projection to principal directions, shrunk within-class covariance, half a whitening."""
    rows = np.concatenate([view.whole, view.lower[view.has_lower]]).astype(np.float64)
    mean = rows.mean(axis=0)
    _, singular, directions = np.linalg.svd(rows - mean, full_matrices=False)
    directions = directions[singular**2 > 1e-9 * singular[0] ** 2]
    cast = [c for c in set(labels.tolist()) - {-1} if (labels == c).sum() >= 3]
    scatter, count = np.zeros((len(directions),) * 2), 0
    for member in cast:
        own = [view.whole[labels == member], view.lower[(labels == member) & view.has_lower]]
        own = (np.concatenate(own).astype(np.float64) - mean) @ directions.T
        own -= own.mean(axis=0)
        scatter += own.T @ own
        count += len(own)
    within = scatter / count
    labelled = sum((labels == c).sum() for c in cast)
    share = shrinkage / (shrinkage + labelled / len(cast))
    within = (1 - share) * within + share * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    whiten = vectors @ np.diag(values**-0.25) @ vectors.T
    return [unit((part - mean) @ directions.T @ whiten) for part in (view.whole, view.lower)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), shrinkage=st.sampled_from([0.5, 5.0, 100.0]))
def test_cosines_equal_those_of_the_textbook(seed, shrinkage) -> None:
    view, labels, _ = people(seed)
    made = adapted(view, labels, shrinkage=shrinkage)
    assert made is not None
    whole, lower = textbook(view, labels, shrinkage)
    has = view.has_lower
    np.testing.assert_allclose(made.whole @ made.whole.T, whole @ whole.T, atol=1e-4)
    np.testing.assert_allclose(made.lower[has] @ made.whole.T, lower[has] @ whole.T, atol=1e-4)
    assert not made.lower[~has].any()
    np.testing.assert_allclose(np.linalg.norm(made.whole, axis=1), 1, atol=1e-5)
    assert made.whole.dtype == made.lower.dtype == np.float32


def test_people_come_apart() -> None:
    view, labels, who = people(3, n=200)
    made = adapted(view, labels)
    assert made is not None

    def margin(bodies: Bodies) -> float:
        alike = bodies.whole @ bodies.whole.T
        same = who[:, None] == who[None]
        return float((alike[same].mean() - alike[~same].mean()) / alike.std())

    assert margin(made) > 1.2 * margin(view)


@pytest.mark.parametrize(
    ("counts", "is_enough"),
    [
        ([8, 7], True),
        ([7, 7], False),  # 14 labels
        ([20], False),  # one person
        ([18, 2], False),  # two labels are nobody
        ([12, 3], True),
        ([13, 2, 2], False),
        ([], False),
    ],
)
def test_few_labels_teach_nothing(counts, is_enough) -> None:
    view, _, _ = people(0)
    labels = np.full(60, -1)
    labels[: sum(counts)] = np.repeat(np.arange(len(counts)), counts)
    assert (adapted(view, labels) is not None) == is_enough


@pytest.mark.parametrize("value", [0, 1])
def test_bodies_that_are_all_the_same_teach_nothing(value) -> None:
    # Zeros are what a recipe without body encoders has.
    whole = np.full((40, 1), value, np.float32)
    view = Bodies(whole, whole * 0, np.zeros(40, dtype=bool))
    assert adapted(view, np.repeat([0, 1], 20)) is None
