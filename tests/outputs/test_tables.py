"""Rows of the tables, worked out by hand."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from castsearch.outputs.tables import (
    NAME_COLUMNS,
    NOBODY,
    SCORE_COLUMNS,
    TABLES,
    n_named,
    name_rows,
    score_rows,
    tables_of,
)
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


def test_every_row_by_hand() -> None:
    first = ["1.00", "2.00", "31.50", "42.00", "0.875000"]
    second = ["-3.00", "0.00", "5.00", "6.00", "0.500000"]
    none = [""] * 5
    rows = list(score_rows(small_result()))
    assert rows == [
        ["tt1", "tt1_a", "c1", "0.75", "1", *second, "face", "false"],
        ["tt1", "tt1_a", "c0", "0.5", "2", *first, "face", "true"],
        ["tt1", "tt1_a", "c2", "-inf", "3", *none, "no face", ""],
        ["tt1", "tt1_b", "c0", "", "1", *first, "", "false"],
        ["tt1", "tt1_b", "c1", "", "2", *second, "", "false"],
        ["tt1", "tt1_b", "c2", "", "3", *none, "", ""],
    ]
    assert {len(row) for row in rows} == {len(SCORE_COLUMNS)}


def test_scores_keep_all_their_digits() -> None:
    result = dataclasses.replace(
        small_result(), rankings=(Ranking("tt1_a", ("c0",), (0.1 + 0.2,), ("",)),)
    )
    ((*_, score, _, _, _, _, _, _, _, _),) = score_rows(result)
    assert score == "0.30000000000000004"


def named_result() -> MovieResult:
    return dataclasses.replace(
        small_result(),
        rankings=(
            Ranking("tt1_a", ("c1", "c0", "c2"), (0.75, 0.5, -math.inf), ("x", "face", "unread")),
            Ranking("tt1_b", ("c1", "c0", "c2"), (0.8, 0.2, -math.inf), ("body", "y", "unread")),
        ),
    )


def test_names_by_hand() -> None:
    rows = list(name_rows(named_result()))
    assert rows == [
        ["tt1", "c0", "c0", "tt1_a", "Ada", "0.5000", "face"],
        ["tt1", "c1", "c1", "tt1_b", "Bob", "0.8000", "body"],
        ["tt1", "c2", "c2", NOBODY, "", "0.0000", "unread"],
    ]
    assert {len(row) for row in rows} == {len(NAME_COLUMNS)}
    assert n_named(named_result()) == 2


def test_a_candidate_of_no_list_is_nobody() -> None:
    result = dataclasses.replace(named_result(), rankings=())
    assert [row[3:] for row in name_rows(result)] == [[NOBODY, "", "0.0000", ""]] * 3
    assert n_named(result) == 0


def test_no_id_becomes_a_formula() -> None:
    still = Still("=cmd|x", Path("x.jpg"))
    movie = Movie("+1", (CastMember("@a", "=Ada", ()),), (Candidate("-c", still),))
    result = MovieResult(movie, (Ranking("@a", ("-c",), (0.9,), ("=why",)),), {}, {}, {})
    ((*ids, score, _, _, _, _, _, _, reason, _),) = score_rows(result)
    assert [*ids, score, reason] == ["'+1", "'@a", "'-c", "0.9", "'=why"]
    assert list(name_rows(result)) == [["'+1", "'-c", "'=cmd|x", "'@a", "'=Ada", "0.9000", "'=why"]]


def test_names_are_said_where_scores_are_probabilities() -> None:
    assert list(tables_of(named=False)) == ["scores.csv"]
    assert list(tables_of(named=True)) == ["scores.csv", "names.csv"]


def test_every_table_has_a_cell_for_each_column() -> None:
    for table in TABLES.values():
        assert {len(row) for row in table.rows(named_result())} == {len(table.columns)}
