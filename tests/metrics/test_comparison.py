from __future__ import annotations

import pytest

from castsearch.errors import InputError
from castsearch.metrics.comparison import Ablation, QueryAP, Variant, ablation_of

VARIANTS = [Variant("one", "the first", 0.4, 0.5), Variant("two", "the second")]
QUERIES = [
    QueryAP("set", "m1", "m1_a", (0.2, 0.6), (0.1, 0.5), 3, 1),
    QueryAP("set", "m1", "m1_b", (0.4, 0.4), None, 2, 0),
    QueryAP("other", "m1", "m1_a", (0.9, 0.8), (0.3, 0.3), 3, 2),
]


def table(against: str = "two") -> Ablation:
    return ablation_of(VARIANTS, QUERIES, against=against, n_resamples=50)


def test_means_by_hand() -> None:
    found = table()
    assert [row.mAP.mean for row in found.rows] == pytest.approx([0.5, 0.6])
    assert found.movies == (("set", "m1"), ("other", "m1"))
    assert found.rows[0].by_movie == pytest.approx((0.3, 0.9))
    assert found.rows[1].by_movie == pytest.approx((0.5, 0.8))
    assert found.n_no_face_queries == 2
    blind = [row.no_face for row in found.rows]
    assert [one.mean for one in blind if one] == pytest.approx([0.2, 0.4])


@pytest.mark.parametrize(("against", "differences"), [("two", (-0.1, 0)), ("one", (0, 0.1))])
def test_differences_are_paired(against: str, differences: tuple[float, float]) -> None:
    found = table(against)
    assert [row.difference.mean for row in found.rows] == pytest.approx(differences)
    # A draw is of person a (twice a query), of b, or of both: differences of two less one there
    # are 0.15, 0 and 0.1. Unpaired draws would reach from 0.4 - 0.7 to 0.7 - 0.4.
    other = found.rows[against == "one"].difference
    sign = 1 if against == "one" else -1
    assert sorted((sign * other.low, sign * other.high)) == pytest.approx([0, 0.15], abs=1e-9)
    same = found.rows[against == "two"].difference
    assert (same.mean, same.low, same.high) == (0, 0, 0)


def test_without_faceless_candidates_there_is_no_figure() -> None:
    found = ablation_of(VARIANTS, QUERIES[1:2], against="one", n_resamples=5)
    assert [row.no_face for row in found.rows] == [None, None]
    assert found.n_no_face_queries == 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="'three' is none of the rows compared: one, two"):
        table("three")
    with pytest.raises(InputError, match="nothing to compare"):
        ablation_of(VARIANTS, [], against="one")
