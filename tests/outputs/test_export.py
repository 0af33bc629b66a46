"""The files that people open, made of the saved run alone."""

from __future__ import annotations

import csv
import dataclasses
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from castsearch.errors import CastsearchError
from castsearch.metrics import read_ranking, write_submission_csv
from castsearch.outputs import RunFolder, export, read_run
from castsearch.outputs.tables import NAME_COLUMNS, SCORE_COLUMNS
from castsearch.types import MovieResult

Results = Callable[[str], MovieResult]


@pytest.fixture
def folder(tmp_path: Path, movie_result: Results) -> Path:
    """A finished run of two movies, of a preset whose scores are probabilities."""
    with RunFolder(tmp_path / "run", fingerprint="f", named=True, about={"preset": "x"}) as run:
        run.save(movie_result("tt2"))
        run.save(movie_result("tt1"))
        run.finish(title="Films", report_facts={"source": "/films"})
    return tmp_path / "run"


def test_an_export_is_the_same_files_again(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes((folder / "run.sqlite").read_bytes())
    with read_run(copy) as run:
        names = export(run, tmp_path / "new" / "out")
    before = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert sorted(before) == sorted([*names, "run.sqlite"])
    for name in set(names) - {"run.json"}:
        assert (tmp_path / "new" / "out" / name).read_bytes() == before[name].read_bytes(), name
    document = json.loads((tmp_path / "new" / "out" / "run.json").read_text())
    assert document["preset"] == "x"
    assert "seconds" not in document


def test_rankings_are_those_of_the_scorers_own_writer(
    folder: Path, tmp_path: Path, movie_result: Results
) -> None:
    rankings = [r for name in ("tt2", "tt1") for r in movie_result(name).rankings]
    write_submission_csv(tmp_path / "ranking.csv", rankings)
    assert (folder / "ranking.csv").read_bytes() == (tmp_path / "ranking.csv").read_bytes()
    assert [row.query for row in read_ranking(folder / "ranking.csv").rows] == ["tt2_a", "tt1_a"]


@pytest.mark.parametrize(
    ("name", "columns", "n_rows"),
    [("scores.csv", SCORE_COLUMNS, 4), ("names.csv", NAME_COLUMNS, 4)],
)
def test_tables_are_utf_8_to_a_spreadsheet(
    folder: Path, name: str, columns: tuple[str, ...], n_rows: int
) -> None:
    assert (folder / name).read_bytes().startswith(b"\xef\xbb\xbfmovie,")
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        first, *rows = csv.reader(file)
    assert tuple(first) == columns
    assert len(rows) == n_rows
    assert {len(row) for row in rows} == {len(columns)}
    assert [row[0] for row in rows] == ["tt2", "tt2", "tt1", "tt1"]


def test_an_odd_name_is_written_with_a_question_mark(tmp_path: Path, movie_result: Results) -> None:
    result = movie_result("tt1")
    member = dataclasses.replace(result.movie.cast[0], name="J\udcf6rg")
    movie = dataclasses.replace(result.movie, cast=(member,))
    with RunFolder(tmp_path, fingerprint="f", named=True) as run:
        run.save(dataclasses.replace(result, movie=movie))
        run.finish()
    assert "J?rg" in (tmp_path / "names.csv").read_text("utf-8-sig")
    assert "J?rg" in (tmp_path / "report" / "index.html").read_text("utf-8")


def test_a_folder_that_cannot_be_made_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with read_run(folder) as run, pytest.raises(CastsearchError, match="cannot be made"):
        export(run, tmp_path / "file" / "out")


def test_memory_is_that_of_one_movie(tmp_path: Path, movie_result: Results) -> None:
    """Thumbnails of 1 MB a movie: twelve movies need about what two need."""

    def peak(n_movies: int) -> int:
        out = tmp_path / str(n_movies)
        with RunFolder(out, fingerprint="f") as run:
            for i in range(n_movies):
                result = movie_result(f"tt{i}")
                jpegs = {name: bytes([i]) * 2**20 for name in result.thumbnails}
                run.save(dataclasses.replace(result, thumbnails=jpegs))
            tracemalloc.start()
            run.finish()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # templates and modules are loaded
    assert peak(12) < peak(2) + 2**20
