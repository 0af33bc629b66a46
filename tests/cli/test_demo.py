"""``castsearch demo``: composed, ranked and told."""

from __future__ import annotations

from pathlib import Path

from castsearch.cli import main


def test_the_report_and_what_the_pictures_are_is_told(tmp_path: Path, capsys) -> None:
    assert main(["demo", "--out", str(tmp_path), "--preset", "face"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("The stills are composed at run time from public-domain photographs")
    assert "ranked 2 queries in 1 movies" in printed
    report = tmp_path / "results" / "report" / "index.html"
    assert printed.endswith(f"report: {report}\n")
    assert report.is_file()
    assert (tmp_path / "movie" / "demo.json").is_file()
    assert main(["demo", "--out", str(tmp_path), "--preset", "face", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_preset_is_refused(tmp_path: Path, capsys) -> None:
    assert main(["demo", "--out", str(tmp_path), "--preset", "nope", "--quiet"]) == 2
    assert "There is no preset 'nope'" in capsys.readouterr().err
