"""``castsearch train`` from the outside: what it writes, and what becomes of it if things fail."""

from __future__ import annotations

import colorsys
import json
import math
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from castsearch.cli import main
from castsearch.models import config as models
from castsearch.runtime.files import file_sha256
from castsearch.training.budget import Budget
from castsearch.training.log import read_log
from castsearch.training.networks import build, network_options
from castsearch.training.options import Options
from castsearch.training.recipes import RECIPES, recipe_of
from castsearch.training.train import train

SMALL = ["--arch", "resnet18", "--size", "64", "32", "--pad", "4", "--p", "4", "--k", "2"]
# Everything that has a state: the classifier, the running mean, and all that is drawn.
FULL = [*SMALL, "--recipe", "strong", "--ema", "0.5", "--brightness", "0.2", "--gain", "0.1"]
SIX_STEPS = ["--steps", "6", "--validations", "2", "--checkpoint-seconds", "0"]


def read(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


@pytest.fixture(scope="module")
def undisturbed(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert main(["train", str(people), "--out", str(out), "--quiet", *FULL, *SIX_STEPS]) == 0
    return out


def test_what_a_run_writes(undisturbed: Path) -> None:
    rows = read_log(undisturbed / "log.jsonl")
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 3, 4, 5, 6, 6]
    validations = [row for row in rows if "val_mAP" in row]
    assert [row["step"] for row in validations] == [0, 3, 6]
    assert all(0 <= row["val_mAP"] <= 1 and 0 <= row["val_rank1"] <= 1 for row in validations)
    for row in rows:
        if "loss" in row:
            assert {"loss", "active", "spread", "lr", "seconds"} <= row.keys()
            assert row["loss"] == pytest.approx(row["triplet"] + row["identity"], rel=1e-5)
    assert (undisturbed / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((undisturbed / "tensorboard").glob("events.out.tfevents.*"))
    assert not list(undisturbed.glob(".*")), "temporary files were left"


def test_checkpoints_hold_what_export_reads(undisturbed: Path) -> None:
    best, last = read(undisturbed / "best.pt"), read(undisturbed / "last.pt")
    for state in (best, last):
        assert state["options"]["arch"] == "resnet18"
        assert state["options"]["bnneck"] is True
        assert state["size"] == [64, 32]
        assert state["mean"] == pytest.approx([123.675, 116.28, 103.53])
        assert state["std"] == pytest.approx([58.395, 57.12, 57.375])
        assert state["network"]["classifier.weight"].shape == (8, 512)
    assert last["step"] == 6
    assert last["best"] == best["best"]
    assert {"optimizer", "sampler", "rng", "settings"} <= last.keys()
    # The running mean is what is kept; the weights that it follows are kept beside it.
    assert not torch.equal(
        last["raw"]["backbone.conv1.weight"], last["network"]["backbone.conv1.weight"]
    )


def start(people: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    program = str(Path(sys.executable).with_name("castsearch"))
    return subprocess.Popen(
        [program, "train", str(people), "--out", str(out), "--quiet", *options],
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_step(out: Path, step: int) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        log = out / "log.jsonl"
        if log.exists() and any(row["step"] >= step for row in read_log(log)):
            return
        time.sleep(0.01)
    pytest.fail("the run did not come so far")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_that_was_broken_off_ends_with_the_same_weights(
    people: Path, tmp_path: Path, undisturbed: Path, number: signal.Signals, status: int
) -> None:
    process = start(people, tmp_path, *FULL, *SIX_STEPS)
    wait_for_step(tmp_path, 2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    assert read(tmp_path / "last.pt")["step"] < 6, "it was too quick to be broken off"
    assert main(["train", str(people), "--out", str(tmp_path), "--quiet", *FULL, *SIX_STEPS]) == 0
    for name in ("last.pt", "best.pt"):
        ours, theirs = read(tmp_path / name), read(undisturbed / name)
        assert ours["step"] == theirs["step"]
        for key, tensor in theirs["network"].items():
            assert torch.equal(ours["network"][key], tensor), key
    kept = ("step", "loss", "active", "spread", "lr", "val_mAP")
    first, second = (
        [{k: v for k, v in row.items() if k in kept} for row in read_log(out / "log.jsonl")]
        for out in (undisturbed, tmp_path)
    )
    assert second == first


def test_a_finished_run_is_not_trained_on(
    people: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (undisturbed / "last.pt").read_bytes()
    assert main(["train", str(people), "--out", str(undisturbed), "--json", *FULL, *SIX_STEPS]) == 0
    assert (undisturbed / "last.pt").read_bytes() == before
    document = json.loads(capsys.readouterr().out)
    assert document["steps"] == 6
    assert document["best_mAP"] == read(undisturbed / "best.pt")["best"][0]


def test_another_run_in_the_same_folder_is_refused(
    people: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*FULL, *SIX_STEPS, "--lr", "0.5"]
    assert main(["train", str(people), "--out", str(undisturbed), *options]) == 2
    assert "other settings: lr was 0.00035 and is now 0.5" in capsys.readouterr().err


def test_a_loss_that_is_not_a_number_keeps_the_checkpoint(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*SMALL, "--steps", "9", "--lr", "1e30", "--quiet"]
    assert main(["train", str(people), "--out", str(tmp_path), *options]) == 1
    errors = capsys.readouterr().err
    assert "the checkpoint of step 0 is kept" in errors
    assert "lower --lr" in errors
    state = read(tmp_path / "last.pt")
    assert all(tensor.isfinite().all() for tensor in state["network"].values())


def test_a_collapsed_run_is_told(
    tmp_path: Path, draw: Callable[[Path, int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    # People who look alike, and large steps with nothing that normalises: every last ReLU dies.
    source, out = tmp_path / "source", tmp_path / "out"
    for person in range(8):
        for i in range(4):
            draw(source / f"{person:03}" / f"{i}.png", 0)
    wild = ["--lr", "0.03", "--freeze-norm", "--margin", "0.3", "--schedule", "constant"]
    network = ["--arch", "resnet18", "--size", "32", "32", "--pad", "4", "--p", "4", "--k", "2"]
    options = [*network, "--steps", "70", "--validation", "none", *wild]
    assert main(["train", str(source), "--out", str(out), "--quiet", *options]) == 1
    assert capsys.readouterr().err.count("all embeddings are alike") >= 1
    rows = read_log(out / "log.jsonl")
    told = [row for row in rows if row.get("event") == "collapsed"]
    assert told
    assert "stays at 0.3000" in told[0]["message"]
    assert [row["triplet"] for row in rows if "triplet" in row][-1] == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--p", "9"], "P is 9, but there are 8 identities"),
        (["--arch", "resnet19"], "resnet19"),
        (["--recipe", "secret"], "no recipe 'secret'"),
        (["--size", "16", "16"], "at least 32 x 32"),
        (["--steps", "3", "--minutes", "1"], "one of --steps"),
        (["--weights", "nothing.pth"], "no such weight file"),
        (["--freeze-stages", "9"], "resnet18 has 5 stages"),
        (["--accumulate", "0"], "--accumulate"),
    ],
)
def test_input_that_cannot_be_used_is_a_sentence(
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    command = ["train", str(people), "--out", str(tmp_path), *SMALL]
    for option in ("--p", "--arch", "--size"):
        if option in options:
            at = command.index(option)
            del command[at : at + (3 if option == "--size" else 2)]
    assert main([*command, *options]) == 2
    assert words in capsys.readouterr().err


def test_an_unreadable_picture_is_named_and_the_others_are_trained_with(
    tmp_path: Path, draw: Callable[[Path, int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for person in range(5):
        for i in range(3):
            draw(tmp_path / "source" / f"p{person}" / f"{i}.png", person)
    (tmp_path / "source" / "p1" / "1.png").write_bytes(b"no picture")
    (tmp_path / "source" / "lonely").mkdir()
    draw(tmp_path / "source" / "lonely" / "0.png", 7)
    options = [*SMALL, "--steps", "2", "--accumulate", "2", "--validation", "none", "--quiet"]
    out = tmp_path / "out"
    assert main(["train", str(tmp_path / "source"), "--out", str(out), *options]) == 1
    errors = capsys.readouterr().err
    assert "p1/1.png" in errors
    assert "lonely has one picture" in errors
    rows = read_log(out / "log.jsonl")
    assert [row["step"] for row in rows] == [1, 2]
    assert all(math.isfinite(row["loss"]) for row in rows)


def figure(person: int, name: str) -> NDArray[np.uint8]:
    """A person of two colours before a background and in a light that change with each picture.

    What differs most between pictures is no part of who is in them, so that a network with random
    weights, which goes by light and background, is often wrong.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    hues = np.random.default_rng(1000 + person).random(2)
    top, bottom = (np.array(colorsys.hsv_to_rgb(hue, 1, 1)) for hue in hues)
    light, waist = random.uniform(0.12, 1), random.integers(14, 19)
    picture = np.empty((32, 16, 3))
    picture[:] = random.random(3)
    picture[2:waist, 3:13], picture[waist:30, 3:13] = top, bottom
    noise = random.normal(0, 12, picture.shape)
    return (picture * light * 255 + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """32 people to train with and 12 others to validate with, by two cameras, four times each."""
    root = tmp_path / "figures"
    for person in range(44):
        folder = root / ("train" if person < 32 else "val") / f"{person:03}"
        folder.mkdir(parents=True)
        for camera in (1, 2):
            for i in range(4):
                path = folder / f"{camera:02}_{i}.png"
                Image.fromarray(figure(person, str(path.relative_to(root)))).save(path)
    return root


def test_a_resnet50_learns_from_random_weights(figures: Path, tmp_path: Path) -> None:
    """Its loss falls, and the mAP of people whom it never saw rises."""
    out = tmp_path / "run"
    options = "--arch resnet50 --recipe triplet --normalise --scale 10 --lr 1e-3 --steps 60"
    reduced = "--size 64 32 --pad 4 --p 8 --validations 3 --quiet"
    command = ["train", str(figures), "--out", str(out), *options.split(), *reduced.split()]
    assert main(command) == 0
    rows = read_log(out / "log.jsonl")
    losses = [row["loss"] for row in rows if "loss" in row]
    scores = [row["val_mAP"] for row in rows if "val_mAP" in row]
    assert len(losses) == 60
    assert mean(losses[-10:]) < 0.95 * mean(losses[:10])
    assert scores[-1] > scores[0] + 0.03


def test_in_python_with_another_recipe_and_a_value_of_it(people: Path, tmp_path: Path) -> None:
    recipe = recipe_of("finetune", size=(32, 32), p=4, k=2, freeze_stages=0)
    options = Options(arch="resnet18", recipe=recipe, budget=Budget(steps=2), n_validations=1)
    result = train(people, out=tmp_path / "run", options=options, cache=tmp_path / "cache")
    assert (result.out, result.steps, result.skipped) == (tmp_path / "run", 2, ())
    assert result.first_mAP is not None
    assert result.last_mAP is not None
    state = read(tmp_path / "run" / "last.pt")
    assert state["size"] == [32, 32]
    assert state["settings"]["lr"] == 3.5e-4
    # Decoded pictures lie where they were asked to.
    assert list((tmp_path / "cache").glob("pictures-*.npy"))
    assert not list((tmp_path / "run").glob("pictures-*"))


def test_weights_may_be_a_model_of_the_table(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = build(network_options(RECIPES["triplet"], "resnet18"))
    torch.save({"network": weights.state_dict()}, "mine.pt")
    models.add("mine", {"kind": "backbone weights", "file": "mine.pt"})
    recipe = recipe_of("triplet", size=(32, 32), p=4, k=2)
    options = Options(
        arch="resnet18",
        weights=Path("mine"),
        recipe=recipe,
        budget=Budget(steps=1),
        validation="none",
        accumulate=1,
    )
    train(people, out=tmp_path / "run", options=options)
    settings = read(tmp_path / "run" / "last.pt")["settings"]
    assert settings["weights"] == file_sha256(Path("mine.pt"))
