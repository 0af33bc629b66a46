"""PPCC against its literal form and small graphs worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from castsearch.errors import InputError
from castsearch.ranking.alternatives.ppcc import ppcc


def film(seed: int, n_cast: int, n: int, *, negative: bool = False):
    """Face and body affinities of people in groups; negative ones as cosines have them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_cast + 1, 8))
    who = rng.integers(n_cast + 1, size=n)
    bodies = centres[who] + 0.7 * rng.normal(size=(n, 8))
    bodies /= np.linalg.norm(bodies, axis=1, keepdims=True)
    body = bodies @ bodies.T
    faces = centres[who] + 0.9 * rng.normal(size=(n, 8))
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    portraits = centres[:n_cast] / np.linalg.norm(centres[:n_cast], axis=1, keepdims=True)
    face = portraits @ faces.T
    return (face, body) if negative else (np.maximum(face, 0), np.maximum(body, 0))


@pytest.mark.parametrize(
    ("n_cast", "n", "phi0", "steps", "T"),
    [
        (4, 60, 0.5, 5, 0.03),
        (1, 20, 0.5, 5, 0.03),
        (8, 50, 0.1, 3, 0.1),
        (3, 40, 0.9, 2, 1.0),
        (3, 1, 0.5, 5, 0.03),
        (3, 30, 0.0, 4, 0.05),
    ],
)
@pytest.mark.parametrize("negative", [False, True])
def test_ppcc_equals_the_literal_form(ppcc_loop, n_cast, n, phi0, steps, T, negative) -> None:
    face, body = film(n, n_cast, n, negative=negative)
    slow = ppcc_loop(face, body, phi0, steps, T)
    options = {"phi0": phi0, "steps": steps, "temperature": T}
    np.testing.assert_allclose(ppcc(face, body, **options), slow, rtol=0, atol=1e-12)
    fast = ppcc(face, sparse.csr_array(body), **options)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.4))
def test_ppcc_of_a_sparse_graph_equals_the_literal_form(ppcc_loop, seed, share) -> None:
    face, body = film(seed, 3, 25, negative=True)
    rng = np.random.default_rng(seed)
    body = np.where(rng.random(body.shape) < share, body, 0)
    face = np.where(rng.random(25) < 0.5, face, 0)
    # A temperature at which no belief rounds to 1, where the last bit would decide the order.
    fast = ppcc(face, sparse.csr_array(body), temperature=0.2)
    np.testing.assert_allclose(fast, ppcc_loop(face, body, 0.5, 5, 0.2), rtol=0, atol=1e-12)


def test_ppcc_in_blocks_of_rows() -> None:
    face, body = film(1, 3, 600)
    whole = ppcc(face, body)
    np.testing.assert_allclose(whole, ppcc(face, sparse.csr_array(body)), atol=1e-12)


def test_a_body_without_face_goes_to_the_cast_of_its_nearest_body() -> None:
    # Candidates 0 and 1 have faces of cast 0 and 1; 2 looks like 0 from behind, 3 like 1.
    face = np.array([[0.9, 0.1, -np.inf, -np.inf], [0.1, 0.9, -np.inf, -np.inf]])
    body = np.eye(4)
    body[0, 2] = body[2, 0] = body[1, 3] = body[3, 1] = 0.8
    scores = ppcc(face, body)
    assert scores[0, 2] > 0.99 > 0.01 > scores[1, 2]
    assert scores[1, 3] > 0.99 > 0.01 > scores[0, 3]


def test_a_maximum_not_a_sum_decides() -> None:
    # One strong link to cast 0 against three links to cast 1 that are weaker but more in sum.
    face = np.array([[0.9, 0, 0, 0, -np.inf], [0, 0.9, 0.9, 0.9, -np.inf]])
    body = np.eye(5)
    body[4, :4] = body[:4, 4] = [0.8, 0.5, 0.5, 0.5]
    scores = ppcc(face, body)
    # softmax((0.8, 0.5) / 0.03) = 1 / (1 + exp(-10)); the links' other end is certain to 1e-12.
    assert scores[0, 4] == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-9)


def test_no_face_anywhere_gives_one_score_to_all() -> None:
    scores = ppcc(np.full((2, 6), -np.inf), np.eye(6))
    np.testing.assert_allclose(scores, 0.5)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_ppcc_refuses_nan(make) -> None:
    face, body = film(0, 2, 6)
    body[0, 1] = np.nan
    with pytest.raises(InputError, match="body affinities hold NaN"):
        ppcc(face, make(body))
    face[0, 1] = np.nan
    with pytest.raises(InputError, match="face affinities hold NaN"):
        ppcc(face, np.eye(6))


@pytest.mark.parametrize("options", [{"phi0": 1.5}, {"steps": 0}, {"temperature": 0.0}])
def test_ppcc_refuses_parameters_out_of_range(options) -> None:
    with pytest.raises(InputError, match="temperature above 0"):
        ppcc(np.ones((2, 4)), np.eye(4), **options)


def test_ppcc_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="do not fit"):
        ppcc(np.ones((2, 4)), np.eye(5))
    with pytest.raises(InputError, match="no cast member"):
        ppcc(np.ones((0, 4)), np.eye(4))
