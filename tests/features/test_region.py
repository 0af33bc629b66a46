"""The name of a region in the store: its box as numbers, or nothing for the whole picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.features.region import Features, Region
from castsearch.types import Box, Picture

PICTURE = Picture(Path("a.jpg"))


@pytest.mark.parametrize(
    ("box", "key"),
    [
        (None, ""),
        (Box(0, 0, 0, 0), "0,0,0,0"),
        (Box(1, 2, 30, 40), "1,2,30,40"),
        (Box(1.0, 2.5, 30.25, 4000), "1,2.5,30.25,4000"),
        (Box(-1, 0.1 + 0.2, 1234567, 1e-9), "-1,0.3,1.23457e+06,1e-09"),
    ],
)
def test_the_key_of_a_region_is_its_box(box: Box | None, key: str) -> None:
    assert Region("a", PICTURE, box).key == key
    # Neither the id nor the role is part of it.
    assert Region("b", Picture(Path("b.jpg"), 3, 0.5), box, "portrait").key == key


def test_a_region_is_a_candidate_unless_it_says_otherwise() -> None:
    assert Region("a", PICTURE).role == "candidate"


def test_features_of_nothing_are_empty_and_share_nothing() -> None:
    one, two = Features(), Features()
    one.body["x"] = None  # type: ignore[assignment]
    assert two.body == {}
    assert (two.face, two.vector, two.frame, two.problem, two.picture) == (None,) * 5
    assert (two.faces, two.hits, two.lower, two.corners) == ((), (), {}, None)
