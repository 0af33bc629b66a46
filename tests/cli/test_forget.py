"""``castsearch forget``: says how much was deleted, and what was is worked on again."""

from __future__ import annotations

import json
from pathlib import Path

from castsearch.cli import main


def test_forget_deletes_what_was_kept(folder: Path, tmp_path: Path, capsys) -> None:
    store = ["--store", str(tmp_path / "s.sqlite")]
    main(["rank", str(folder), "--out", str(tmp_path / "out"), "--quiet", *store])
    assert main(["forget", str(folder), *store]) == 0
    assert "of 3 pictures" in capsys.readouterr().out
    main(["rank", str(folder), "--out", str(tmp_path / "out"), "--quiet", *store])
    assert json.loads((tmp_path / "out" / "run.json").read_text())["work"]["n_decoded"] == 5
