"""``castsearch embed``: how many vectors were written, and what was skipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castsearch.cli import main


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Two crops of one colour each are embedded into a file."""
    (tmp_path / "crops").mkdir()
    for colour in ("red", "blue"):
        Image.new("RGB", (64, 128), colour).save(tmp_path / "crops" / f"{colour}.png")
    options = ["--model", "hsv-stripes", "--out", str(tmp_path / "v.npz")]
    return ["embed", str(tmp_path / "crops"), *options, "--store", str(tmp_path / "s.sqlite")]


def test_what_is_printed(command: list[str], tmp_path: Path, capsys) -> None:
    out = tmp_path / "v.npz"
    assert main([*command, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    work = facts.pop("work")
    assert (work["n_pictures"], work["n_bodies"]) == (2, 2)
    assert facts == {
        "out": str(out),
        "model": "hsv-stripes",
        "n_vectors": 2,
        "dim": 256,
        "skipped": 0,
    }
    assert main(command) == 0
    assert capsys.readouterr().out == f"wrote 2 vectors of 256 numbers to {out}\n"
    assert main([*command, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_skipped_is_named_and_the_status_says_so(
    command: list[str], tmp_path: Path, capsys
) -> None:
    (tmp_path / "crops" / "broken.jpg").write_bytes(b"no picture")
    assert main([*command, "--quiet"]) == 1
    assert "skipped: broken.jpg" in capsys.readouterr().err
    assert np.load(tmp_path / "v.npz")["ids"].tolist() == ["blue.png", "red.png"]


@pytest.mark.parametrize("option", ["--model", "--out"])
def test_a_model_and_a_file_are_asked_for(command: list[str], option: str, capsys) -> None:
    at = command.index(option)
    assert main(command[:at] + command[at + 2 :]) == 2
    assert option in capsys.readouterr().err
