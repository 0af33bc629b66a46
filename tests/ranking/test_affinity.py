"""Links between candidates against literal dense forms and small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from castsearch.errors import InputError
from castsearch.ranking.affinity import Bodies, Faces, LinkSettings, bodies, link_weights
from castsearch.ranking.constraints import constraints


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def random_bodies(rng, n, dim=6, share=0.5):
    has_lower = rng.random(n) < share
    lower = np.where(has_lower[:, None], unit(rng.normal(size=(n, dim))), np.float32(0))
    return Bodies(unit(rng.normal(size=(n, dim))), lower, has_lower)


def random_faces(rng, n, share=0.6, n_people=3):
    has_face = rng.random(n) < share
    centres = rng.normal(size=(n_people, 8))
    vectors = unit(centres[rng.integers(n_people, size=n)] + 0.7 * rng.normal(size=(n, 8)))
    return Faces(np.where(has_face[:, None], vectors, np.float32(0)), has_face)


def apart(stills):
    """Which candidates are two people: those that share a still."""
    return constraints(stills, 1).apart


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12), share=st.sampled_from([0, 0.5, 1]))
def test_a_likeness_is_the_best_of_four_products(likeness_loop, seed, n, share) -> None:
    rng = np.random.default_rng(seed)
    view = random_bodies(rng, n, share=share)
    expected = [[likeness_loop(view, i, j) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(view.similarity(slice(None)), expected, atol=1e-6)
    some = rng.permutation(n)[: max(n // 2, 1)]
    np.testing.assert_allclose(view.similarity(some), np.array(expected)[some], atol=1e-6)


def test_a_headless_crop_is_like_the_lower_part_of_a_whole_one() -> None:
    # 0 is whole: as a whole like nobody, below like 1, which shows no head.
    view = Bodies(
        np.float32([[1, 0], [0, 1]]), np.float32([[0, 1], [0, 0]]), np.array([True, False])
    )
    np.testing.assert_allclose(view.similarity(slice(None)), [[1, 1], [1, 1]])
    alone = Bodies(view.whole, view.lower, np.array([False, False]))
    np.testing.assert_allclose(alone.similarity(slice(None)), np.eye(2))


def test_descriptors_are_centred_and_count_alike_by_hand() -> None:
    # Centred on (2, 0) and (0, 5): +-(1, 0) and +-(0, 5), so both descriptors say +-1.
    first, second = np.float32([[3, 0], [1, 0]]), np.float32([[0, 10], [0, 0.001]])
    no_lower = np.array([False, False])
    joined = bodies([first, second], [first * 0, second * 0], no_lower)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(joined.whole, [[half, 0, 0, half], [-half, 0, 0, -half]], atol=1e-6)
    np.testing.assert_allclose(joined.whole @ joined.whole.T, [[1, -1], [-1, 1]], atol=1e-6)
    assert joined.whole.dtype == joined.lower.dtype == np.float32
    assert not joined.lower.any()


def test_lower_parts_are_centred_on_the_mean_of_the_whole_crops() -> None:
    whole = np.float32([[2, 0], [0, 0.5], [1, 1]])
    lower = np.float32([[1, 3], [9, 9], [9, 9]])
    made = bodies([whole], [lower], np.array([True, False, False]))
    # Mean (1, 0.5): (1, 3) becomes (0, 2.5).
    np.testing.assert_allclose(made.lower, [[0, 1], [0, 0], [0, 0]], atol=1e-6)


def test_an_unreadable_picture_is_like_nothing_and_moves_no_mean() -> None:
    readable = np.float32([[1, 0], [0, 1], [1, 1]])
    nothing = np.zeros((2, 2), np.float32)
    none = np.zeros(5, dtype=bool)
    with_gaps = np.concatenate([readable, nothing])
    made = bodies([with_gaps], [with_gaps * 0], none)
    alone = bodies([readable], [readable * 0], none[:3])
    np.testing.assert_array_equal(made.whole[:3], alone.whole)
    assert not made.whole[3:].any()
    assert not bodies([nothing], [nothing], none[:2]).whole.any()


@pytest.mark.parametrize("where", ["whole", "lower"])
def test_nan_in_a_body_is_refused(where) -> None:
    whole, lower = np.ones((3, 2), np.float32), np.ones((3, 2), np.float32)
    (whole if where == "whole" else lower)[1, 0] = np.nan
    with pytest.raises(InputError, match="body vectors hold NaN"):
        bodies([whole], [lower], np.array([False, True, False]))


def test_what_is_no_lower_part_is_not_looked_at() -> None:
    lower = np.full((2, 2), np.nan, np.float32)
    made = bodies([np.float32([[1, 0], [0, 1]])], [lower], np.array([False, False]))
    assert np.isfinite(made.lower).all()


def n_pairs(strangers) -> int:
    """Pairs that may be linked; one alone has no spread but that of its last bits."""
    n = strangers.shape[0]
    return (n * (n - 1) - strangers.nnz) // 2


def rise(value: float, at: float, width: float) -> float:
    return 1 / (1 + np.exp(-(value - at) / width))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 16),
    neighbours=st.sampled_from([0, 1, 3, 20]),
    n_views=st.sampled_from([1, 2]),
)
def test_links_equal_the_dense_form(links_loop, seed, n, neighbours, n_views) -> None:
    rng = np.random.default_rng(seed)
    views = [(random_bodies(rng, n), weight) for weight in (0.7, 0.3)[:n_views]]
    faces, stills = random_faces(rng, n), rng.integers(max(n // 2, 1), size=n)
    chosen = LinkSettings(neighbours=neighbours, link_at=0.8, face_weight=0.4)
    strangers = apart(stills)
    assume(n_pairs(strangers) != 1)
    links = link_weights(views, faces, strangers, chosen).toarray()
    expected = links_loop(views, faces, strangers.toarray(), chosen)
    np.testing.assert_allclose(links, expected, atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 14), share=st.floats(0, 1))
def test_links_are_masked_by_a_graph_that_is_no_partition(links_loop, seed, n, share) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.triu(rng.random((n, n)) < share, 1)
    strangers = sparse.csr_array(pairs | pairs.T)
    assume(n_pairs(strangers) != 1)
    views, faces = [(random_bodies(rng, n), 1.0)], random_faces(rng, n)
    chosen = LinkSettings(neighbours=3, link_at=0.5, face_weight=0.4)
    links = link_weights(views, faces, strangers, chosen).toarray()
    assert not links[strangers.toarray()].any()
    expected = links_loop(views, faces, strangers.toarray(), chosen)
    np.testing.assert_allclose(links, expected, atol=2e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30))
def test_links_are_symmetric_shares_and_never_inside_a_still(seed, n) -> None:
    rng = np.random.default_rng(seed)
    stills = rng.integers(max(n // 3, 1), size=n)
    views = [(random_bodies(rng, n), 1.0)]
    links = link_weights(
        views, random_faces(rng, n), apart(stills), LinkSettings(link_at=0.5)
    ).toarray()
    np.testing.assert_allclose(links, links.T, atol=1e-9)
    assert (links >= 0).all()
    assert (links <= 1).all()
    assert not links[stills[:, None] == stills[None]].any()


def test_blocks_of_rows_make_no_difference(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    n = 40
    arguments = (
        [(random_bodies(rng, n), 1.0)],
        random_faces(rng, n),
        apart(rng.integers(20, size=n)),
        LinkSettings(link_at=1.0),
    )
    whole = link_weights(*arguments).toarray()
    monkeypatch.setattr("castsearch.ranking.affinity._BLOCK", 7)
    monkeypatch.setattr("castsearch.ranking.affinity._PAIRS", 3)
    np.testing.assert_allclose(link_weights(*arguments).toarray(), whole, atol=1e-6)
    assert whole.any()


def test_faces_link_and_differing_faces_loosen_by_hand() -> None:
    # Bodies of 0 and 1 are one, those of 2 and 3 as well; across they are opposite.
    whole = np.float32([[1, 0], [1, 0], [-1, 0], [-1, 0]])
    view = Bodies(whole, whole * 0, np.zeros(4, dtype=bool))
    nobody = Faces(np.zeros((4, 2), np.float32), np.zeros(4, dtype=bool))
    chosen = LinkSettings(neighbours=1, link_at=1.0, link_width=0.4)
    stills = np.arange(4)
    # Of the twelve pairs four have cosine 1 and eight -1: mean -1/3, deviation sqrt(8)/3, so
    # likeness 1 stands sqrt(2) above the mean.
    body = rise(np.sqrt(2), 1.0, 0.4)
    links = link_weights([(view, 1.0)], nobody, apart(stills), chosen).toarray()
    expected = np.zeros((4, 4))
    expected[[0, 1, 2, 3], [1, 0, 3, 2]] = body
    np.testing.assert_allclose(links, expected, atol=1e-5)
    # 0 and 1 show two people, 0 and 2 one face.
    faces = Faces(np.float32([[1, 0], [0, 1], [1, 0], [0, 0]]), np.array([True, True, True, False]))
    links = link_weights([(view, 1.0)], faces, apart(stills), chosen).toarray()
    assert links[0, 1] == pytest.approx(body * rise(0, 0.12, 0.05), abs=1e-5)
    assert links[2, 3] == pytest.approx(body, abs=1e-5)
    assert links[0, 2] == pytest.approx(0.2 * rise(1, 0.45, 0.04), abs=1e-5)


def test_faces_link_where_bodies_are_left_out() -> None:
    faces = Faces(np.float32([[1, 0], [1, 0]]), np.array([True, True]))
    view = Bodies(np.eye(2, dtype=np.float32), np.zeros((2, 2), np.float32), np.zeros(2, bool))
    links = link_weights([(view, 1.0)], faces, apart(np.arange(2)), LinkSettings(neighbours=0))
    assert links.toarray()[0, 1] == pytest.approx(0.2, abs=1e-4)
