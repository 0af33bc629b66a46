"""Sources that several commands work on: a composed movie, and a plain folder of few pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from castsearch.verbs.demo import compose


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compose(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def folder(tmp_path: Path, hopper: Path, collins: Path) -> Path:
    """A plain folder: two cast members, three crops."""
    source = tmp_path / "my film"
    (source / "cast").mkdir(parents=True)
    (source / "candidates").mkdir()
    shutil.copy(hopper, source / "cast" / "Grace Hopper.jpg")
    shutil.copy(collins, source / "cast" / "Eileen Collins.png")
    shutil.copy(hopper, source / "candidates" / "a.jpg")
    shutil.copy(collins, source / "candidates" / "b.png")
    with Image.open(collins) as picture:
        picture.crop((0, 320, 512, 512)).save(source / "candidates" / "c.png")
    return source
