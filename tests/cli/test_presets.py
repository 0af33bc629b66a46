"""``castsearch presets``: the table, one line or one entry each."""

from __future__ import annotations

import json

from castsearch.cli import main
from castsearch.presets import PRESETS


def test_every_preset_is_listed_and_the_default_is_marked(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["presets"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "preset"
    assert [row.split()[0] for row in rows] == list(PRESETS)
    assert [row.split()[0] for row in rows if "(default)" in row] == ["castsearch"]


def test_settings_are_in_the_json(capsys) -> None:
    assert main(["presets", "--json"]) == 0
    presets = json.loads(capsys.readouterr().out)
    assert list(presets) == list(PRESETS)
    assert presets["sgbt_hybrid"]["order"]["fusion"] == "clusters"
    assert presets["dlib_allcast"]["published"]
    assert presets["castsearch"]["published"] is None
