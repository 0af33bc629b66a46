"""Pairs of faces, from pictures to figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.verbs.verify import verify

PAIRS = """a,b,same,fold
hopper.jpg,mirrored.png,1,1
hopper.jpg,collins.png,0,1
collins.png,small.png,1,2
mirrored.png,small.png,0,2
"""


@pytest.fixture
def pairs(tmp_path: Path, hopper: Path, collins: Path) -> Path:
    """Two people, each as they are and changed."""
    shutil.copy(hopper, tmp_path / "hopper.jpg")
    shutil.copy(collins, tmp_path / "collins.png")
    with Image.open(hopper) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    with Image.open(collins) as picture:
        picture.resize((384, 384)).save(tmp_path / "small.png")
    (tmp_path / "pairs.csv").write_text(PAIRS)
    return tmp_path / "pairs.csv"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(store=tmp_path / "s.sqlite", n_jobs=1)


@pytest.mark.parametrize("face_model", [None, "dlib-resnet"])
def test_two_people_are_told_apart(pairs: Path, runtime: Runtime, face_model: str | None) -> None:
    figures = verify(pairs, preset="face", face_model=face_model, runtime=runtime)
    assert (figures.accuracy, figures.auc, figures.eer) == (1.0, 1.0, 0.0)
    assert (figures.n_pairs, figures.n_unmeasured) == (4, 0)
    # A distance d is the similarity -d; cosines of different people lie about 0.
    assert -1 < figures.threshold < 1
    assert (figures.threshold < 0) == (face_model == "dlib-resnet")


def test_a_picture_without_a_face_is_answered_different(pairs: Path, runtime: Runtime) -> None:
    Image.new("RGB", (200, 200), "green").save(pairs.with_name("green.png"))
    pairs.write_text(f"{PAIRS}hopper.jpg,green.png,1,2\n")
    figures = verify(pairs, preset="face", runtime=runtime)
    assert figures.n_unmeasured == 1
    # The first fold has both pairs right, the second two of three.
    assert figures.accuracy == pytest.approx((1 + 2 / 3) / 2)


def test_what_cannot_be_read_is_refused(tmp_path: Path, runtime: Runtime) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        verify(tmp_path / "none.csv", runtime=runtime)
    with pytest.raises(InputError, match="There is no preset 'nope'"):
        verify(tmp_path / "none.csv", preset="nope", runtime=runtime)
