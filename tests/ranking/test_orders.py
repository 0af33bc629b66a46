"""The table of orders: every one takes the evidence of any movie, however little there is."""

from __future__ import annotations

import numpy as np
import pytest

from castsearch.ranking.constraints import free
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.order import UNREADABLE, OrderSettings, People
from castsearch.ranking.orders import ORDERS


def nothing(n: int, *, is_readable: bool) -> Evidence:
    """A movie of two cast members in whose pictures nothing was found."""
    return Evidence(
        n_cast=2,
        portraits=np.zeros((0, 1), np.float32),
        portrait_cast=np.zeros(0, np.intp),
        hits=np.zeros((0, 1), np.float32),
        hit_candidate=np.zeros(0, np.intp),
        hit_boxes=np.zeros((0, 5)),
        hit_suitability=np.zeros(0),
        has_body=np.zeros(n, bool),
        has_lower=np.zeros(n, bool),
        whole={"body": np.zeros((0, 1), np.float32)},
        lower={"body": np.zeros((0, 1), np.float32)},
        stills=np.zeros(n, np.intp),
        boxes=np.full((n, 4), np.nan),
        shifts=np.zeros((n, 2)),
        is_readable=np.full(n, is_readable),
    )


def test_the_orders_there_are() -> None:
    assert list(ORDERS) == ["face", "clusters", "film"]


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("name", ORDERS)
def test_unreadable_pictures_alone_have_a_list(name: str, n: int) -> None:
    people = People([f"c{i}" for i in range(n)], ["Ann", "Bob"])
    result = ORDERS[name].rank(
        nothing(n, is_readable=False), OrderSettings(name), free(n, 2), people
    )
    np.testing.assert_array_equal(result.scores, np.full((2, n), -np.inf))
    assert result.reasons == [[UNREADABLE] * n] * 2
    assert result.faces == {}


@pytest.mark.parametrize("name", ORDERS)
def test_where_nothing_was_found_no_score_is_a_nan(name: str) -> None:
    people = People(["c0", "c1"], ["Ann", "Bob"])
    result = ORDERS[name].rank(
        nothing(2, is_readable=True), OrderSettings(name), free(2, 2), people
    )
    assert result.scores.shape == (2, 2)
    assert not np.isnan(result.scores).any()
    assert (result.scores < 0.5).all()
    assert all(reason for row in result.reasons for reason in row)
