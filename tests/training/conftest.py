"""Small data sets of invented people, drawn as pictures of one colour with noise."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

Draw = Callable[[Path, int], Path]


@pytest.fixture(autouse=True)
def same_weights_every_time() -> None:
    """New networks draw their weights from one seed, so that no test passes by chance."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Writes a picture of 16 x 32 pixels whose colour belongs to a person."""

    def write(path: Path, person: int) -> Path:
        random = np.random.default_rng(zlib.crc32(f"{path.parent.name}/{path.name}".encode()))
        colour = np.random.default_rng(person).integers(40, 216, 3)
        noise = random.integers(-30, 31, (32, 16, 3))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((colour + noise).clip(0, 255).astype(np.uint8)).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory, draw: Draw) -> Path:
    """Eight people to train with and four to validate with, by two cameras, three pictures each."""
    root = tmp_path_factory.mktemp("people")
    for person in range(12):
        split = "train" if person < 8 else "val"
        for camera in (1, 2):
            for i in range(3):
                draw(root / split / f"{person:03}" / f"{camera:02}_{i}.png", person)
    return root
