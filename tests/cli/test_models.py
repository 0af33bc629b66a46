"""``castsearch models``: the table, the architectures, a trained network that joins it."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from castsearch.cli import main
from castsearch.models import config as models
from castsearch.training.networks import NetworkOptions, build


def test_the_plain_command_lists_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "yunet" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(models.BY_NAME) <= set(rows)
    packaged = [row for row in rows.values() if row["package"] not in {"", "castsearch"}]
    assert packaged
    assert all(row["present"] and len(row["sha256"]) == 64 for row in packaged)
    assert rows["yunet"]["present"]
    assert not rows["resnet50-imagenet"]["present"]


def test_architectures_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--architectures", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "efficientnet-lite0",
        "vggface",
    ]
    assert rows["resnet50"]["n_parameters"] == 25_557_032
    assert list(rows["resnet50"]["output_sizes"].values()) == [112, 56, 28, 14, 7]
    assert main(["models", "--architectures"]) == 0
    assert "4,089,184,256" in capsys.readouterr().out


def test_export_adds_a_model_that_embed_finds(
    tmp_path: Path,
    hopper: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    options = NetworkOptions("resnet18", embedding_dim=32)
    state = {
        "network": build(options, n_identities=2).state_dict(),
        "options": asdict(options),
        "size": [64, 32],
        "mean": [124.0, 116.0, 104.0],
        "std": [58.0, 57.0, 57.0],
    }
    torch.save(state, "best.pt")
    command = ["models", "export", "best.pt", "--size", "96", "48", "--name", "mine", "--json"]
    assert main([*command, "--out", "mine.onnx"]) == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["name"] == "mine"
    assert entry["size"] == [96, 48]
    assert entry["sha256"] == models.file_sha256(Path("mine.onnx"))
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "a.jpg").write_bytes(hopper.read_bytes())
    assert main(["embed", "people", "--model", "mine", "--out", "v.npz", "--quiet"]) == 0

    assert main([*command, "--out", "again.onnx"]) == 2
    assert "There is a model 'mine' already" in capsys.readouterr().err
    assert not Path("again.onnx").exists()


def test_without_torch_a_sentence_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    for command in (["models", "--architectures"], ["models", "export", "best.pt"]):
        assert main(command) == 2
        assert "pip install 'castsearch[train]'" in capsys.readouterr().err
    assert main(["models", "--json"]) == 0
