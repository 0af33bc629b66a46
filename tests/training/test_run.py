"""The loop: what a step moves and how far, what is kept, and that ResNet-50 learns by it."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from castsearch.cli import main
from castsearch.errors import InputError
from castsearch.training.budget import Budget
from castsearch.training.dataset import load_dataset
from castsearch.training.log import Reporter, read_log
from castsearch.training.options import Options
from castsearch.training.process import start_accelerator
from castsearch.training.recipes import RECIPES
from castsearch.training.run import Run

SMALL = replace(RECIPES["triplet"], size=(32, 32), pad=2, p=3, k=2, schedule="constant")

Start = Callable[..., Run]


@pytest.fixture
def start(people: Path, tmp_path: Path) -> Start:
    """A run of a small network in ``tmp_path``, before its first step."""

    def start(**changes: Any) -> Run:
        options = Options(arch="resnet18", n_validations=1, budget=Budget(steps=1))
        options = replace(options, recipe=SMALL)
        options = replace(options, **changes)
        reporter = Reporter("quiet")
        data = load_dataset(people, options, tmp_path, reporter, "quiet")
        return Run(options, data, tmp_path, start_accelerator(options), reporter)

    return start


def test_a_first_step_moves_weights_by_the_rate_of_their_part(start: Start) -> None:
    recipe = replace(SMALL, lr=1e-3, head_lr=10.0, embedding_dim=8, warm_up=0.5)
    run = start(recipe=recipe)
    before = {name: p.detach().clone() for name, p in run.network.named_parameters()}
    row = run.train_step(0.25)
    # Half of the warm-up from a tenth is done: 0.1 + 0.9 / 2.
    assert row["lr"] == pytest.approx(0.55e-3)
    assert (row["step"], run.step) == (1, 1)
    # Adam's first step is the rate, whatever the gradient; only the bias behind the pooling has
    # none, since it leaves all distances as they are.
    for name, parameter in run.network.named_parameters():
        if name == "embedding.bias":
            continue
        move = float((parameter.detach() - before[name]).abs().max())
        rate = 0.55e-3 if name.startswith("backbone.") else 0.55e-2
        assert move == pytest.approx(rate, rel=0.01), name


def test_several_batches_make_one_step(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(accumulate=3)
    draw, batches = run.batches.draw, []

    def counted() -> list[int]:
        batches.append(draw())
        return batches[-1]

    monkeypatch.setattr(run.batches, "draw", counted)
    run.train_step(0.0)
    assert [len(batch) for batch in batches] == [6, 6, 6]
    assert run.step == 1


def test_only_a_better_network_is_kept_as_the_best(start: Start, tmp_path: Path) -> None:
    run = start()
    # Better than any can be, as an earlier part of the run may say.
    run.best = (1.5, 7)
    result = run.to_the_end()
    assert (result.steps, result.best_mAP, result.best_step) == (1, 1.5, 7)
    assert (tmp_path / "last.pt").is_file()
    assert not (tmp_path / "best.pt").exists()
    # One validation before the first step, and one at the end.
    rows = read_log(tmp_path / "log.jsonl")
    assert [row["step"] for row in rows if "val_mAP" in row] == [0, 1]
    # What is begun again goes on from there, with the same best.
    again = start()
    assert (again.step, again.best) == (1, (1.5, 7))


def test_batches_that_processes_cannot_share_are_refused(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castsearch.training.run.n_processes", lambda: 4)
    with pytest.raises(InputError, match="A batch of 3 x 2 cannot be shared by 4 processes"):
        start()


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


def test_resnet50_learns_to_tell_unseen_people_apart(figures: Path, tmp_path: Path) -> None:
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
