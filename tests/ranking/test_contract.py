"""What the candidates of one person show together, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from castsearch.ranking.affinity import Bodies, Faces
from castsearch.ranking.contract import best_faces, best_scores, is_contracted, pooled_bodies

NODES = np.array([0, 1, 0, 2, 1])


def test_who_is_contracted() -> None:
    assert is_contracted(NODES)
    assert not is_contracted(np.arange(3))
    assert not is_contracted(np.arange(0))


def test_the_best_score_of_each_cast_member() -> None:
    scores = np.array([[0.1, -np.inf, 0.3, 0.2, -np.inf], [0.5, 0.2, -np.inf, 0.1, 0.4]])
    np.testing.assert_array_equal(
        best_scores(scores, NODES), [[0.3, -np.inf, 0.2], [0.5, 0.4, 0.1]]
    )


def test_the_face_that_is_seen_best() -> None:
    vectors = np.arange(5, dtype=np.float32)[:, None]
    has_face = np.array([True, False, True, False, True])
    # The second has no face, whatever is said of its quality.
    quality = np.array([0.6, 0.99, 0.8, 0.0, 0.5])
    faces, best = best_faces(Faces(vectors, has_face), quality, NODES)
    np.testing.assert_array_equal(faces.vectors[:, 0], [2, 4, 3])
    np.testing.assert_array_equal(faces.has_face, [True, True, False])
    np.testing.assert_array_equal(best, [0.8, 0.5, 0.0])


def test_of_equal_faces_the_first() -> None:
    vectors = np.float32([[1], [2]])
    faces, _ = best_faces(Faces(vectors, np.ones(2, bool)), np.ones(2), np.zeros(2, np.intp))
    assert faces.vectors.tolist() == [[1]]


def test_bodies_are_mean_directions_and_zeros_have_no_part() -> None:
    whole = np.float32([[1, 0], [0.6, 0.8], [0, 1], [0, 0], [0, 0]])
    lower = np.float32([[0, 1], [0, 0], [7, 7], [0, 0], [1, 0]])
    view = Bodies(whole, lower, np.array([True, False, False, False, True]))
    half = np.sqrt(0.5)
    pooled = pooled_bodies(view, NODES)
    np.testing.assert_allclose(pooled.whole, [[half, half], [0.6, 0.8], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(pooled.lower, [[0, 1], [1, 0], [0, 0]], atol=1e-6)
    np.testing.assert_array_equal(pooled.has_lower, [True, True, False])
    assert pooled.whole.dtype == pooled.lower.dtype == np.float32


def test_a_larger_box_weighs_more() -> None:
    whole = np.float32([[1, 0], [0, 1]])
    view = Bodies(whole, whole * 0, np.zeros(2, dtype=bool))
    pooled = pooled_bodies(view, np.zeros(2, np.intp), np.array([3.0, 4.0]))
    np.testing.assert_allclose(pooled.whole, [[0.6, 0.8]], atol=1e-6)


def test_who_is_alone_keeps_its_values_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(5, 7)).astype(np.float32)
    view = Bodies(whole, whole[::-1], np.ones(5, dtype=bool))
    pooled = pooled_bodies(view, NODES)
    np.testing.assert_array_equal(pooled.whole[2], view.whole[3])
    np.testing.assert_array_equal(pooled.lower[2], view.lower[3])


@pytest.mark.parametrize("times", [2, 5])
def test_one_picture_several_times_is_that_picture(times: int) -> None:
    row = np.float32([[0.6, 0.8]])
    view = Bodies(row.repeat(times, 0), row.repeat(times, 0), np.ones(times, dtype=bool))
    pooled = pooled_bodies(view, np.zeros(times, np.intp))
    np.testing.assert_allclose(pooled.whole, row, atol=1e-6)
    np.testing.assert_allclose(pooled.lower, row, atol=1e-6)
