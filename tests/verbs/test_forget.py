"""What was kept of the pictures of one source is deleted, and of no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.verbs.embed import embed
from castsearch.verbs.forget import Forgotten, forget


@pytest.fixture
def sources(tmp_path: Path, hopper: Path, collins: Path) -> tuple[Path, Path]:
    """Two folders with a picture each."""
    folders = tmp_path / "one", tmp_path / "two"
    for folder, picture in zip(folders, (hopper, collins), strict=True):
        folder.mkdir()
        shutil.copy(picture, folder)
    return folders


def test_only_the_pictures_of_the_source_are_forgotten(
    sources: tuple[Path, Path], tmp_path: Path
) -> None:
    runtime = Runtime(store=tmp_path / "s.sqlite")
    for source in sources:
        embed(source, "hsv-stripes", runtime=runtime)
    deleted = forget(sources[0], runtime=runtime)
    assert deleted.n_pictures == 1
    assert deleted.n_results >= 1
    assert forget(sources[0], runtime=runtime) == Forgotten(1, 0)
    # The first has to be worked on again, the other not.
    work = [embed(source, "hsv-stripes", runtime=runtime).work.n_bodies for source in sources]
    assert work == [1, 0]


def test_a_picture_is_known_by_its_content(sources: tuple[Path, Path], tmp_path: Path) -> None:
    runtime = Runtime(store=tmp_path / "s.sqlite")
    embed(sources[0], "hsv-stripes", runtime=runtime)
    moved = sources[0].rename(tmp_path / "moved")
    assert forget(moved, runtime=runtime).n_results >= 1


def test_an_unreadable_picture_hinders_nobody(sources: tuple[Path, Path], tmp_path: Path) -> None:
    runtime = Runtime(store=tmp_path / "s.sqlite")
    embed(sources[0], "hsv-stripes", runtime=runtime)
    (sources[0] / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert forget(sources[0], runtime=runtime).n_results >= 1


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no-such-folder"):
        forget(tmp_path / "no-such-folder", runtime=Runtime(store=tmp_path / "s.sqlite"))
