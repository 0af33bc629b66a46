"""``castsearch evaluate``: figures of rankings, of faces and of people, in words or as JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from castsearch.cli import main


def test_evaluate_agrees_with_rank(movie: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    main(["rank", str(movie), "--out", str(out), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert main(["evaluate", str(movie), str(out / "ranking.csv"), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["mAP"] == printed["mAP"]
    assert {"mAP", "rank1", "rank5", "rank10", "movies", "queries"} <= set(scored)


@pytest.fixture
def lists(tmp_path: Path) -> list[str]:
    """A truth and a ranking: one query has its candidate first, the other second."""
    (tmp_path / "GT.json").write_text('{"m_a": ["m_0"], "m_b": ["m_1"]}')
    (tmp_path / "ranking.csv").write_text("Id,Rank\nm_a,m_0 m_1\nm_b,m_0 m_1\n")
    return [str(tmp_path / "GT.json"), str(tmp_path / "ranking.csv")]


def test_figures_of_a_ranking(lists: list[str], capsys) -> None:
    assert main(["evaluate", *lists]) == 0
    printed = capsys.readouterr().out
    assert "mAP 0.750000  (mean over 2 queries" in printed
    assert "rank-1 0.500000  rank-5 1.000000" in printed
    assert main(["evaluate", *lists, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["mAP"], figures["rank1"], figures["n_queries"]) == (0.75, 0.5, 2)
    assert figures["queries"]["m_b"]["AP"] == 0.5


@pytest.fixture
def market(tmp_path: Path) -> list[str]:
    """Two people in one colour each, by two cameras."""
    for part, camera in (("query", 1), ("bounding_box_test", 2), ("bounding_box_train", 1)):
        (tmp_path / part).mkdir()
        for person, colour in ((1, "red"), (2, "blue")):
            crop = Image.new("RGB", (64, 128), colour)
            crop.save(tmp_path / part / f"{person:04}_c{camera}s1_000001_00.jpg")
    store = ["--store", str(tmp_path / "s.sqlite")]
    return [str(tmp_path), "--protocol", "market1501", "--model", "hsv-stripes", *store, "--quiet"]


def test_figures_of_a_model_of_bodies(market: list[str], tmp_path: Path, capsys) -> None:
    assert main(["evaluate", *market]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mAP 1.0000 (trapezoid form 1.0000)",
        "rank-1 1.0000  rank-5 1.0000  rank-10 1.0000",
        "2 queries, 2 pictures in the gallery; 0 queries have no right answer",
    ]
    (tmp_path / "query" / "0002_c1s1_000001_00.jpg").write_bytes(b"no picture")
    assert main(["evaluate", *market, "--json"]) == 1
    out, errors = capsys.readouterr()
    assert json.loads(out) | {"mAP": 1.0, "n_queries": 1, "skipped": 1} == json.loads(out)
    assert "0002_c1s1_000001_00.jpg" in errors


def test_figures_of_pairs_of_faces(hopper: Path, collins: Path, tmp_path: Path, capsys) -> None:
    shutil.copy(hopper, tmp_path / "a.jpg")
    shutil.copy(collins, tmp_path / "b.png")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        "a,b,same,fold\n" + "".join(f"a.jpg,a.jpg,1,{i}\na.jpg,b.png,0,{i}\n" for i in (1, 2))
    )
    options = ["--protocol", "lfw", "--preset", "face", "--store", str(tmp_path / "s.sqlite")]
    assert main(["evaluate", str(pairs), *options, "--quiet"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["accuracy"], figures["n_pairs"], figures["n_unmeasured"]) == (1.0, 4, 0)
