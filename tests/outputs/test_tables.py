"""scores.parquet, against rows worked out by hand."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import polars as pl
import pytest

from castsearch.errors import CastsearchError
from castsearch.outputs.tables import NOBODY, write_names, write_scores
from castsearch.types import (
    OTHERS,
    Box,
    Candidate,
    CastMember,
    Face,
    Movie,
    MovieResult,
    Ranking,
    Still,
)


def small_result() -> MovieResult:
    def candidate(name: str, label: str | None) -> Candidate:
        return Candidate(name, Still(name, Path(f"{name}.jpg")), label=label)

    movie = Movie(
        "tt1",
        (CastMember("tt1_a", "Ada", ()), CastMember("tt1_b", "Bob", ())),
        (candidate("c0", "tt1_a"), candidate("c1", OTHERS), candidate("c2", None)),
    )
    rankings = (
        Ranking("tt1_a", ("c1", "c0", "c2"), (0.75, 0.5, -math.inf), ("face", "face", "no face")),
        Ranking("tt1_b", ("c0", "c1", "c2")),
    )
    faces = {"c0": Face(Box(1, 2, 31.5, 42), 0.875), "c1": Face(Box(-3, 0, 5, 6), 0.5)}
    return MovieResult(movie, rankings, faces, {}, {})


def test_every_row_by_hand(tmp_path: Path) -> None:
    path = write_scores(tmp_path / "new" / "scores.parquet", [small_result()])
    table = pl.read_parquet(path)
    assert table.rows() == [
        ("tt1", "tt1_a", "c1", 0.75, 1, -3.0, 0.0, 5.0, 6.0, 0.5, "face", False),
        ("tt1", "tt1_a", "c0", 0.5, 2, 1.0, 2.0, 31.5, 42.0, 0.875, "face", True),
        ("tt1", "tt1_a", "c2", -math.inf, 3, None, None, None, None, None, "no face", None),
        ("tt1", "tt1_b", "c0", None, 1, 1.0, 2.0, 31.5, 42.0, 0.875, None, False),
        ("tt1", "tt1_b", "c1", None, 2, -3.0, 0.0, 5.0, 6.0, 0.5, None, False),
        ("tt1", "tt1_b", "c2", None, 3, None, None, None, None, None, None, None),
    ]
    assert dict(table.schema) == {
        "movie": pl.String,
        "query": pl.String,
        "candidate": pl.String,
        "score": pl.Float64,
        "rank": pl.UInt32,
        "face_x0": pl.Float32,
        "face_y0": pl.Float32,
        "face_x1": pl.Float32,
        "face_y1": pl.Float32,
        "face_score": pl.Float32,
        "decided_by": pl.String,
        "label_correct": pl.Boolean,
    }


def test_no_movies_give_the_same_columns_and_no_rows(tmp_path: Path) -> None:
    full = pl.read_parquet(write_scores(tmp_path / "full.parquet", [small_result()] * 2))
    none = pl.read_parquet(write_scores(tmp_path / "none.parquet", []))
    assert none.schema == full.schema
    assert (none.height, full.height) == (0, 12)


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    path.mkdir()
    with pytest.raises(CastsearchError, match=r"scores\.parquet cannot be written"):
        write_scores(path, [small_result()])
    assert list(tmp_path.iterdir()) == [path]


def test_a_parent_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(CastsearchError, match=r"scores\.parquet cannot be written .*; choose"):
        write_scores(tmp_path / "out" / "scores.parquet", [small_result()])


def test_writing_again_replaces_the_file(tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.parquet", [small_result()])
    write_scores(path, [])
    assert pl.read_parquet(path).height == 0
    assert list(tmp_path.iterdir()) == [path]


def test_names_by_hand(tmp_path: Path) -> None:
    result = dataclasses.replace(
        small_result(),
        rankings=(
            Ranking("tt1_a", ("c1", "c0", "c2"), (0.75, 0.5, -math.inf), ("x", "face", "unread")),
            Ranking("tt1_b", ("c1", "c0", "c2"), (0.8, 0.2, -math.inf), ("body", "y", "unread")),
        ),
    )
    with write_names(tmp_path / "names.csv", [result]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1:] == [
        ["tt1", "c0", "c0", "tt1_a", "Ada", "0.5000", "face"],
        ["tt1", "c1", "c1", "tt1_b", "Bob", "0.8000", "body"],
        ["tt1", "c2", "c2", NOBODY, "", "0.0000", "unread"],
    ]
