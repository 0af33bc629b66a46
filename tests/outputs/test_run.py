"""A saved run read back, whole and damaged."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from castsearch.errors import InputError
from castsearch.outputs.run import Counts, read_run
from castsearch.outputs.run_folder import RunFolder
from castsearch.types import MovieResult, Problem

Results = Callable[[str], MovieResult]


def bare(result: MovieResult) -> MovieResult:
    return dataclasses.replace(result, evidence={})


@pytest.fixture
def folder(tmp_path: Path, movie_result: Results) -> Path:
    """A finished run of two movies."""
    out = tmp_path / "out"
    with RunFolder(out, fingerprint="f", named=True, about={"preset": "face"}) as run:
        run.save(movie_result("tt2"), seconds=1.5)
        run.save(movie_result("tt1"))
        run.finish(
            title="Films \udcf6",
            report_facts={"a": "b"},
            evaluation={"mAP": 0.5},
            problems=[Problem("tt3", "has no cast")],
        )
    return out


def test_everything_comes_back(folder: Path, movie_result: Results) -> None:
    with read_run(folder) as run:
        assert run.movie_ids == ("tt2", "tt1")
        assert [bare(r) for r in run.movies()] == [bare(movie_result(i)) for i in ("tt2", "tt1")]
        assert bare(run.movie("tt1")) == bare(movie_result("tt1"))
        assert run.movie("tt1").evidence["vectors"].tolist() == np.ones((2, 3)).tolist()
        assert [r.query_id for r in run.rankings()] == ["tt2_a", "tt1_a"]
        assert run.counts() == Counts(2, 2, 4, 2, 4)
        assert run.seconds() == {"tt2": 1.5, "tt1": None}
        assert run.problems == (Problem("tt3", "has no cast"),)
        assert (run.title, run.report_facts, run.named) == ("Films \udcf6", {"a": "b"}, True)
        assert (run.evaluation, run.state) == ({"mAP": 0.5}, "whole")
        assert run.about == {"preset": "face"}


def test_the_file_alone_is_enough_and_a_movie_is_one_at_a_time(folder: Path) -> None:
    copy = folder.parent / "copy.sqlite"
    copy.write_bytes((folder / "run.sqlite").read_bytes())
    with read_run(copy) as run:
        results = run.movies()
        assert next(results).movie.id == "tt2"
        connection = sqlite3.connect(copy)
        connection.execute("DELETE FROM movies WHERE id = 'tt1'")
        connection.execute("UPDATE candidates SET still = 9")
        connection.commit()
        connection.close()
        # The second is read when it is asked for, and not before.
        with pytest.raises(InputError, match="is damaged"):
            next(results)


def test_a_movie_that_is_not_there(folder: Path) -> None:
    with read_run(folder) as run, pytest.raises(InputError, match="holds no movie 'tt9'"):
        run.movie("tt9")


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run folder: it holds no run\.sqlite"):
        read_run(tmp_path)
    with pytest.raises(InputError, match="is no run folder"):
        read_run(tmp_path / "absent")


def test_an_unfinished_run_says_how_it_goes_on(tmp_path: Path, movie_result: Results) -> None:
    with RunFolder(tmp_path, fingerprint="f") as run:
        run.save(movie_result("tt1"))
    with pytest.raises(InputError, match="start it again with the same settings"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE candidates SET still = 77",
        "UPDATE ranked SET score = 'best'",
        "UPDATE crops SET landmarks = '['",
        "UPDATE crops SET landmarks = '[[1]]'",
        "UPDATE crops SET landmarks = 5",
        "UPDATE crops SET thumbnail = 'none of these'",
        "UPDATE crops SET frame_y0 = NULL",
        "UPDATE evidence SET npy = x'00'",
        "UPDATE evidence SET npy = 'text'",
        "UPDATE portraits SET still = 77",
        "UPDATE movies SET id = x'ff' WHERE movie = 1",
        "UPDATE problems SET place = x'ff'",
        "UPDATE rankings SET n_ties = 'many'",
        "UPDATE movies SET id = CAST(x'ff' AS TEXT) WHERE movie = 1",
        "DROP TABLE evidence",
    ],
)
def test_rows_that_no_run_writes_are_one_sentence(folder: Path, change: str) -> None:
    connection = sqlite3.connect(folder / "run.sqlite")
    connection.execute(change)
    connection.commit()
    connection.close()
    with read_run(folder) as run, pytest.raises(InputError, match="is damaged"):
        list(run.movies())


@pytest.mark.parametrize("key", ["about", "report_facts", "evaluation"])
@pytest.mark.parametrize("value", ["{", "[1]", "5"])
def test_what_a_run_says_of_itself_may_be_damaged_too(folder: Path, key: str, value: str) -> None:
    connection = sqlite3.connect(folder / "run.sqlite")
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    connection.commit()
    connection.close()
    with read_run(folder) as run, pytest.raises(InputError, match="is damaged"):
        getattr(run, key)
