from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics import market1501
from castsearch.metrics.market1501 import JUNK, MarketScore, score_market

People = list[tuple[int, str, int | None]]
"""Place on a line, identity and camera of each picture."""


def score(queries: People, gallery: People) -> MarketScore:
    def parts(people: People) -> tuple[np.ndarray, list[str], list[int | None]]:
        vectors = np.array([[p, 0] for p, _, _ in people], dtype=np.float32).reshape(-1, 2)
        return vectors, [i for _, i, _ in people], [c for _, _, c in people]

    return score_market(*parts(queries), *parts(gallery))


def test_answers_worked_out_by_hand() -> None:
    gallery: People = [(1, "b", 2), (2, "a", 2), (3, "0000", 2), (4, "a", 3), (5, "c", 1)]
    found = score([(0, "a", 1)], gallery)
    # Right answers at places 2 and 4: precisions 1/2 and 2/4, and just before them 0/1 and 1/3.
    assert found.mAP == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert found.mAP_trapezoid == pytest.approx(((0 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    assert (found.rank1, found.rank5, found.rank10) == (0.0, 1.0, 1.0)
    assert (found.n_queries, found.n_skipped, found.n_gallery) == (1, 0, 5)


def test_a_right_answer_at_the_top_starts_from_precision_one() -> None:
    found = score([(0, "a", 1)], [(1, "a", 2), (2, "b", 2), (3, "b", 2), (4, "a", 2)])
    assert found.mAP == pytest.approx((1 + 2 / 4) / 2)
    assert found.mAP_trapezoid == pytest.approx(((1 + 1) / 2 + (1 / 3 + 2 / 4) / 2) / 2)


def test_own_camera_and_junk_are_taken_out_and_distractors_are_wrong() -> None:
    ignored: People = [(1, "a", 1), (2, JUNK, 2)]
    wrong: People = [(3, "0000", 2), (4, "b", 1)]
    found = score([(0, "a", 1)], [*ignored, *wrong, (5, "a", 2)])
    assert found.mAP == pytest.approx(1 / 3)
    assert found.n_gallery == 4
    assert score([(0, "a", 1)], [*wrong, (5, "a", 2)]).mAP == found.mAP


@pytest.mark.parametrize(("query", "taken"), [(None, 1), (1, None), (None, None)])
def test_no_camera_takes_nothing_out(query: int | None, taken: int | None) -> None:
    assert score([(0, "a", query)], [(1, "a", taken)]).mAP == 1.0


def test_queries_without_a_right_answer_are_counted_and_left_out() -> None:
    gallery: People = [(1, "a", 2), (2, "b", 1), (3, JUNK, 2)]
    found = score([(0, "a", 1), (0, "b", 1), (0, "c", 1), (0, JUNK, 1)], gallery)
    assert (found.mAP, found.n_queries, found.n_skipped) == (1.0, 1, 3)


def test_equal_distances_keep_the_order_of_the_gallery() -> None:
    assert score([(0, "a", 1)], [(1, "b", 2), (-1, "a", 2)]).rank1 == 0.0
    assert score([(0, "a", 1)], [(-1, "a", 2), (1, "b", 2)]).rank1 == 1.0


def by_loop(queries: People, gallery: People) -> list[tuple[float, float, int]] | None:
    """Plain and trapezoid precision and first place per query, step by step down each list."""
    scored = []
    for at, identity, camera in queries:
        if identity == JUNK:
            continue
        places = sorted(range(len(gallery)), key=lambda i: (abs(gallery[i][0] - at), i))
        n_right = 0
        plain = trapezoid = old_recall = 0.0
        old_precision, first = 1.0, -1
        kept = [
            gallery[i]
            for i in places
            if gallery[i][1] != JUNK
            and not (gallery[i][1] == identity and camera is not None and gallery[i][2] == camera)
        ]
        n_good = sum(name == identity for _, name, _ in kept)
        if not n_good:
            continue
        for n_seen, (_, name, _) in enumerate(kept, 1):
            if name == identity:
                n_right += 1
                plain += n_right / n_seen / n_good
                first = n_seen - 1 if first < 0 else first
            recall, precision = n_right / n_good, n_right / n_seen
            trapezoid += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        scored.append((plain, trapezoid, first))
    return scored or None


picture = st.tuples(
    st.integers(-20, 20),
    st.sampled_from(["a", "b", "c", "0000", JUNK]),
    st.sampled_from([1, 2, None]),
)


@given(st.lists(picture, max_size=8), st.lists(picture, max_size=20), st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_equal_to_a_plain_loop(queries: People, gallery: People, at_once: int) -> None:
    expected = by_loop(queries, gallery)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market1501, "QUERIES_AT_ONCE", at_once)
        if expected is None:
            with pytest.raises(InputError, match="No query has a picture"):
                score(queries, gallery)
            return
        found = score(queries, gallery)
    plain, trapezoid, first = (np.array(column) for column in zip(*expected, strict=True))
    assert found.mAP == pytest.approx(plain.mean())
    assert found.mAP_trapezoid == pytest.approx(trapezoid.mean())
    assert found.mAP_trapezoid <= found.mAP + 1e-12
    assert [found.rank1, found.rank5, found.rank10] == pytest.approx(
        [(first < k).mean() for k in (1, 5, 10)]
    )
    assert (found.n_queries, found.n_skipped) == (len(expected), len(queries) - len(expected))


def test_the_size_of_a_part_of_market1501_takes_seconds() -> None:
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((300, 64)).astype(np.float32)
    gallery = rng.standard_normal((19_732, 64)).astype(np.float32)
    who = [str(i) for i in rng.integers(0, 751, len(gallery))]
    start = time.perf_counter()
    found = score_market(queries, who[:300], [1] * 300, gallery, who, [2] * len(gallery))
    assert time.perf_counter() - start < 20
    assert found.n_queries == 300
    # Random order: the precision is about the share of right answers, 1 in 751.
    assert found.mAP == pytest.approx(1 / 751, abs=0.002)


def test_vectors_that_are_no_numbers_are_refused() -> None:
    good = np.ones((1, 2), dtype=np.float32)
    with pytest.raises(InputError, match="A gallery vector holds NaN or infinity"):
        score_market(good, ["a"], [1], good * np.nan, ["a"], [2])
    with pytest.raises(ValueError, match="2 ids"):
        score_market(good, ["a", "b"], [1], good, ["a"], [2])
    with pytest.raises(ValueError, match="gallery of 3"):
        score_market(good, ["a"], [1], np.ones((1, 3), dtype=np.float32), ["a"], [2])
