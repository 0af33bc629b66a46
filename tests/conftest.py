"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# What is drawn at random is drawn anew on every desk, and the same way on every landing: a landing
# is not the place to find what an earlier one let through.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the labelled real stills; skipped where absent, an error in CI."""
    folder = Path(os.environ.get("CASTSEARCH_DATA", DEFAULT_DATA))
    if not folder.is_dir():
        message = f"labelled stills not found in {folder}; set CASTSEARCH_DATA to their folder"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the results kept in the user's cache; models are rewritten once."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("CASTSEARCH_HOME", str(home))


@pytest.fixture(scope="session")
def hopper() -> Path:
    """A public-domain portrait (Grace Hopper) out of an installed package."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def collins() -> Path:
    """A public-domain portrait (Eileen Collins) out of an installed package."""
    import skimage

    return Path(skimage.__file__).parent / "data" / "astronaut.png"
