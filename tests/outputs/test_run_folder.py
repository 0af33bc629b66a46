"""A run saved movie by movie: stopped and taken up, and in place of an earlier one."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from castsearch.errors import CastsearchError, InputError
from castsearch.outputs import read_run
from castsearch.outputs.contents import PART
from castsearch.outputs.run_folder import RunFolder
from castsearch.types import MovieResult

Results = Callable[[str], MovieResult]


def names(folder: Path) -> set[str]:
    """Every file in ``folder``, without thumbnails."""
    paths = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {name for name in paths if "/thumbs/" not in name}


def thumbnails(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.glob("report/thumbs/*")}


def ran(folder: Path, *results: MovieResult, fingerprint: str = "f", named: bool = True) -> None:
    with RunFolder(folder, fingerprint=fingerprint, named=named) as run:
        for result in results:
            run.save(result)
        run.finish()


def test_a_run_leaves_one_file_and_what_is_made_of_it(
    tmp_path: Path, movie_result: Results
) -> None:
    out = tmp_path / "a" / "out"
    with RunFolder(out, fingerprint="f", named=True, about={"preset": "x"}) as run:
        assert run.done == frozenset()
        run.save(movie_result("tt1"))
        assert run.done == {"tt1"}
        assert not (out / "run.sqlite").exists()
        summary = run.finish()
    files = {"ranking.csv", "scores.csv", "names.csv", "run.json", "report/index.html"}
    assert set(summary.files) == files
    assert (summary.without_names, summary.left_alone) == ("", ())
    assert names(out) == {*files, "run.sqlite"}
    assert stat.S_IMODE((out / "run.sqlite").stat().st_mode) == 0o600
    document = json.loads((out / "run.json").read_text())
    assert document["preset"] == "x"
    assert document["seconds"]["write"] >= 0


def test_nobody_else_reads_an_unfinished_run(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with RunFolder(tmp_path, fingerprint="f"):
            assert stat.S_IMODE((tmp_path / PART).stat().st_mode) == 0o700
    finally:
        os.umask(umask)


def test_a_stopped_run_goes_on_with_the_next_movie(tmp_path: Path, movie_result: Results) -> None:
    with RunFolder(tmp_path, fingerprint="f") as run:
        run.save(movie_result("tt1"))
        run.save(movie_result("tt2"))
    with RunFolder(tmp_path, fingerprint="f") as run:
        assert run.done == {"tt1", "tt2"}
        run.save(movie_result("tt3"))
        run.finish()
    with read_run(tmp_path) as saved:
        assert saved.movie_ids == ("tt1", "tt2", "tt3")
    whole = tmp_path / "whole"
    ran(whole, *(movie_result(f"tt{i}") for i in (1, 2, 3)), named=False)
    for name in ("ranking.csv", "scores.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_a_killed_run_keeps_the_movies_before(tmp_path: Path, movie_result: Results) -> None:
    if os.fork() == 0:
        run = RunFolder(tmp_path, fingerprint="f")
        run.save(movie_result("tt1"))
        run._connection.execute("BEGIN")
        run._connection.execute("INSERT INTO movies VALUES (9, 'half', NULL)")
        os.kill(os.getpid(), signal.SIGKILL)
    os.wait()
    with RunFolder(tmp_path, fingerprint="f") as run:
        assert run.done == {"tt1"}


def test_killed_before_anything_was_saved(tmp_path: Path, movie_result: Results) -> None:
    (tmp_path / PART).mkdir()
    (tmp_path / PART / "run.sqlite").touch()
    ran(tmp_path, movie_result("tt1"))
    assert read_run(tmp_path).movie_ids == ("tt1",)


@pytest.mark.parametrize(("fingerprint", "named"), [("g", False), ("f", True)])
def test_other_settings_begin_anew(
    tmp_path: Path, movie_result: Results, fingerprint: str, named: bool
) -> None:
    with RunFolder(tmp_path, fingerprint="f") as run:
        run.save(movie_result("tt1"))
    with RunFolder(tmp_path, fingerprint=fingerprint, named=named) as run:
        assert run.done == frozenset()
        assert run.movie_ids == ()


def test_a_finished_run_is_made_anew(tmp_path: Path, movie_result: Results) -> None:
    ran(tmp_path, movie_result("tt1"))
    with RunFolder(tmp_path, fingerprint="f", named=True) as run:
        assert run.done == frozenset()


def test_until_the_end_the_earlier_result_stays(tmp_path: Path, movie_result: Results) -> None:
    ran(tmp_path, movie_result("tt1"))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with RunFolder(tmp_path, fingerprint="g") as run:
        run.save(movie_result("tt2"))
    assert {p: p.read_bytes() for p in before} == before
    assert read_run(tmp_path).movie_ids == ("tt1",)


def test_nothing_of_an_earlier_run_stays(tmp_path: Path, movie_result: Results) -> None:
    """Names and thumbnails of another film, pages of its movies, names of another preset."""
    (tmp_path / "notes.txt").write_text("mine")
    ran(tmp_path, *(movie_result(f"tt{i}") for i in (1, 2, 3)))
    assert len(thumbnails(tmp_path)) == 3
    assert "report/movies/0003-tt3/index.html" in names(tmp_path)
    ran(tmp_path, movie_result("tt9"), fingerprint="g", named=False)
    files = {"ranking.csv", "scores.csv", "run.json", "report/index.html", "run.sqlite"}
    assert names(tmp_path) == {*files, "notes.txt"}
    assert thumbnails(tmp_path) == {b"jpeg of tt9"}
    texts = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    assert not any(b"tt1" in text or b"tt3" in text for text in texts)


def test_files_of_others_are_left_alone_and_named(tmp_path: Path, movie_result: Results) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("mine")
    (tmp_path / "report" / "thumbs").mkdir(parents=True)
    (tmp_path / "report" / "thumbs" / "holiday.jpg").write_text("mine")
    (tmp_path / "names.csv").write_text("mine")
    with RunFolder(tmp_path, fingerprint="f", named=False) as run:
        run.save(movie_result("tt1"))
        summary = run.finish()
    assert summary.left_alone == ("names.csv", "report/thumbs/holiday.jpg", "sub/")
    assert summary.without_names == (
        "the scores of this preset are no probabilities, so it says no names"
    )
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["left_alone"] == list(summary.left_alone)
    assert document["without_names"] == summary.without_names
    for name in ("names.csv", "sub/a.txt", "report/thumbs/holiday.jpg"):
        assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(InputError, match=r"names\.csv was not written by castsearch"):
        RunFolder(tmp_path, fingerprint="f", named=True)


def test_what_version_0_1_0_wrote_is_replaced(tmp_path: Path, movie_result: Results) -> None:
    (tmp_path / "report" / "thumbs").mkdir(parents=True)
    old = ["ranking.csv", "scores.parquet", "names.csv", "report/index.html"]
    for name in (*old, f"report/thumbs/{'0' * 32}.jpg", "mine.csv"):
        (tmp_path / name).write_text("old")
    (tmp_path / "run.json").write_text('{"castsearch": "0.1.0"}')
    ran(tmp_path, movie_result("tt1"), named=False)
    files = {"ranking.csv", "scores.csv", "run.json", "report/index.html", "run.sqlite"}
    assert names(tmp_path) == {*files, "mine.csv"}
    assert thumbnails(tmp_path) == {b"jpeg of tt1"}


def test_a_run_stopped_at_its_very_end_is_put_in_place_by_the_next(
    tmp_path: Path, movie_result: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(tmp_path, movie_result("tt1"))
    calls = iter(range(3))
    replace = Path.replace

    def stopping(path: Path, target: Path) -> Path:
        # The files of the page are written by renaming too; those put in place lie in PART.
        if path.parent.name == PART and target.parent == tmp_path and next(calls, None) is None:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", stopping)
        ran(tmp_path, movie_result("tt2"), fingerprint="g")
    # The database is whole already, and says so to whoever reads it.
    with read_run(tmp_path) as run:
        assert (run.movie_ids, run.state) == (("tt2",), "moving")
    with RunFolder(tmp_path, fingerprint="h"):
        assert b"tt2" in (tmp_path / "ranking.csv").read_bytes()
        assert thumbnails(tmp_path) == {b"jpeg of tt2"}
        assert read_run(tmp_path).state == "whole"


def test_a_failure_at_the_end_keeps_both_results(tmp_path: Path, movie_result: Results) -> None:
    ran(tmp_path, movie_result("tt1"))
    odd = movie_result("tt2")
    ranking = dataclasses.replace(odd.rankings[0], candidate_ids=("a b", "c"))
    with (
        RunFolder(tmp_path, fingerprint="g") as run,
        pytest.raises(InputError, match="'a b' cannot stand in a submission"),
    ):
        run.save(dataclasses.replace(odd, rankings=(ranking,)))
        run.finish()
    assert read_run(tmp_path).movie_ids == ("tt1",)
    assert b"tt1" in (tmp_path / "ranking.csv").read_bytes()
    with RunFolder(tmp_path, fingerprint="g") as run:
        assert run.done == {"tt2"}
        run.save(odd)
        run.finish()
    assert read_run(tmp_path).movie_ids == ("tt2",)


def test_two_runs_in_one_folder_at_once(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path, fingerprint="f"),
        pytest.raises(CastsearchError, match="is in use by another castsearch"),
    ):
        RunFolder(tmp_path, fingerprint="f")


@pytest.mark.parametrize("place", ["run.sqlite", f"{PART}/run.sqlite"])
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE letters (text TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="is a database of another program and was left alone"):
        RunFolder(tmp_path, fingerprint="f")
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CastsearchError, match="cannot be made"):
        RunFolder(tmp_path / "file" / "out", fingerprint="f")


def test_odd_words_of_a_run_come_back(tmp_path: Path, movie_result: Results) -> None:
    with RunFolder(tmp_path, fingerprint="\udcf6\0", about={"source": "\udcf6"}) as run:
        run.save(movie_result("tt1"))
    with RunFolder(tmp_path, fingerprint="\udcf6\0", about={"source": "\udcf6"}) as run:
        assert run.done == {"tt1"}
        assert run.about == {"source": "\udcf6"}
