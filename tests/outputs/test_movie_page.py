"""What the page of a movie is drawn from, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from castsearch.outputs.movie_page import face_box, number_at, page_data
from castsearch.types import (
    OTHERS,
    Box,
    Candidate,
    CastMember,
    Face,
    Movie,
    MovieResult,
    Problem,
    Ranking,
    Still,
)


def small_result(name: str = "Ada") -> MovieResult:
    def candidate(number: int, label: str | None, problem: str | None = None) -> Candidate:
        still = Still(f"c{number}", Path(f"c{number}.jpg"))
        return Candidate(still.id, still, label=label, problem=problem)

    portrait = Still("p", Path("p.jpg"))
    movie = Movie(
        "tt1",
        (CastMember("tt1_a", name, (portrait,)), CastMember("tt1_b", "Bob", ())),
        (
            candidate(0, "tt1_b"),
            candidate(1, OTHERS),
            candidate(2, None, "zero bytes"),
            candidate(3, "tt9_z"),
        ),
        problems=(Problem("c2.jpg", "has zero bytes"),),
    )
    order = ("c3", "c0", "c1", "c2")
    return MovieResult(
        movie,
        (Ranking("tt1_a", order, (0.5, 0.25, math.nan, -math.inf), ("x", "y", "x", "x")),),
        {"c0": Face(Box(20, 40, 70, 80), 0.9), "c3": Face(Box(0, 0, 9, 9), 0.9)},
        {"c0": b"jpeg one", "c1": b"jpeg one", "p": b"jpeg two"},
        {"c0": Box(10, 20, 110, 220)},
        (Problem("c2.jpg", "has zero bytes"), Problem("p.jpg", "no face found")),
    )


def test_data_by_hand() -> None:
    evaluation = {
        "mAP": 0.4166667,
        "movies": {"tt1": {"mAP": 0.5}},
        "queries": {"tt1_a": {"AP": 0.25}, "tt1_b": {}},
    }
    data, thumbnails = page_data(small_result(), evaluation)
    movie = data["movie"]
    assert movie["ids"] == ["c0", "c1", "c2", "c3"]
    assert movie["labels"] == [1, -2, -1, "tt9_z"]
    assert movie["faces"] == "1001"
    # The face is 10,20 .. 60,60 of a 100 x 200 region; c3 has a face but no known region.
    assert movie["boxes"] == [[100, 100, 500, 200], None, None, None]
    assert movie["aspects"] == [500, 0, 0, 0]
    assert movie["problems"] == {2: "zero bytes"}
    assert movie["mAP"] == 0.5
    ada, bob = movie["cast"]
    assert (ada["order"], ada["scores"]) == ([3, 0, 1, 2], [0.5, 0.25, None, None])
    assert [data["reasons"][r] for r in ada["reasons"]] == ["x", "y", "x", "x"]
    assert (ada["ap"], bob["ap"], bob["order"]) == (0.25, None, [])
    # c0 and c1 look the same and are one picture; c2 and c3 have none.
    assert movie["thumbs"][0] == movie["thumbs"][1] != ada["portraits"][0][0]
    assert movie["thumbs"][2:] == [-1, -1]
    assert [thumbnails[name] for name in data["thumbs"]] == [b"jpeg two", b"jpeg one"]


def test_a_number_is_finite_and_no_truth_value() -> None:
    mapping = {"a": {"b": 0.12345678, "c": True, "d": math.nan, "e": "1"}}
    values = [number_at(mapping, "a", key) for key in ("b", "c", "d", "e", "f")]
    assert values == [0.123457, None, None, None, None]
    assert number_at(mapping, "a", "b", "c") is None


@pytest.mark.parametrize(
    ("face", "frame", "expected"),
    [
        (Box(0, 0, 100, 200), Box(0, 0, 100, 200), [0, 0, 1000, 1000]),
        (Box(-10, 50, 25, 300), Box(0, 100, 100, 200), [0, 0, 250, 1000]),
        (Box(300, 300, 400, 400), Box(0, 0, 100, 100), None),
        (Box(0, 0, 10, 10), Box(5, 5, 5, 9), None),
    ],
    ids=["whole", "cut at the edge", "outside", "region without area"],
)
def test_face_box(face: Box, frame: Box, expected: list[int] | None) -> None:
    movie = Movie("tt", (), ())
    result = MovieResult(movie, (), {"c": Face(face, 1.0)}, {}, {"c": frame})
    assert face_box(result, "c") == expected
