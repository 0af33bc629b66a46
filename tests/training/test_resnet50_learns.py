"""ResNet-50 with batch-hard triplets, from random weights to better embeddings, by the command."""

from __future__ import annotations

import colorsys
import zlib
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from castsearch.cli import main
from castsearch.training.log import read_log


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


def test_loss_falls_and_map_of_unseen_people_rises(figures: Path, tmp_path: Path) -> None:
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
