"""``castsearch ablate``: a line for each preset, and where the page is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from castsearch.cli import main


def test_each_preset_is_a_line(movie: Path, tmp_path: Path, capsys) -> None:
    rows = "face,face:flip=true"
    command = ["ablate", str(movie), "--presets", rows, "--against", "face"]
    out = tmp_path / "ablation"
    assert main([*command, "--out", str(out)]) == 0
    *lines, page = capsys.readouterr().out.splitlines()
    interval = r"[+-]?\d\.\d{3} \([+-]?\d\.\d{3} to [+-]?\d\.\d{3}\)"
    names = []
    for line in lines:
        row = re.fullmatch(rf"(\S+) +mAP {interval}  difference {interval}", line)
        assert row, line
        names.append(row[1])
    assert names == ["face", "face:flip=true"]
    # A row differs from itself by nothing.
    assert lines[0].endswith("difference +0.000 (+0.000 to +0.000)")
    assert page == f"page: {out / 'index.html'}"
    assert (out / "index.html").is_file()

    assert main([*command, "--out", str(out), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main([*command, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["out"], document["skipped"]) == (str(out), 0)
    assert [row["preset"] for row in document["presets"]] == names
