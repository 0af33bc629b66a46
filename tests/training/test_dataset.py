"""What a run learns from: decoded pictures, numbered identities, and what is left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.training.dataset import Dataset, load_dataset
from castsearch.training.log import Reporter
from castsearch.training.options import Options
from castsearch.training.recipes import recipe_of

OPTIONS = Options(recipe=recipe_of("triplet", size=(32, 32), p=4, k=2))


def load(source: Path, cache: Path, options: Options = OPTIONS) -> Dataset:
    return load_dataset(source, options, cache, Reporter("quiet"), "quiet")


def test_identities_are_numbered_in_the_order_of_their_names(people: Path, tmp_path: Path) -> None:
    data = load(people, tmp_path)
    assert data.n_identities == 8
    names = sorted({picture.identity for picture in data.train.listed})
    for picture, label, camera in zip(data.train.listed, data.labels, data.cameras, strict=True):
        assert names[label] == picture.identity
        assert camera == picture.camera
    assert data.problems == ()
    # Of four people to validate with the first camera asks: three pictures each.
    assert (len(data.query.listed), len(data.gallery.listed)) == (12, 12)


def test_a_person_left_with_one_picture_is_left_out_and_named(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "people"
    shutil.copytree(people, source)
    files = sorted((source / "train" / "003").iterdir())
    for file in files[1:]:
        file.write_bytes(b"no picture")
    data = load(source, tmp_path / "cache")
    assert data.n_identities == 7
    assert "003" not in {picture.identity for picture in data.train.listed}
    assert max(data.labels) == 6
    assert len(data.problems) == len(files)
    told = capsys.readouterr().err
    assert told.count("skipped: ") == len(files)
    assert "003 has one picture" in told


def test_a_camera_that_is_not_known_is_minus_one(
    tmp_path: Path, draw: Callable[[Path, int], Path]
) -> None:
    for person in range(3):
        for i in range(2):
            draw(tmp_path / "source" / f"p{person}" / f"{i}.png", person)
    options = replace(OPTIONS, validation="none")
    assert set(load(tmp_path / "source", tmp_path / "cache", options).cameras) == {-1}


def test_nothing_that_can_be_read_is_a_sentence(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "people"
    shutil.copytree(people, source)
    for file in (source / "train").rglob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no training picture can be read"):
        load(source, tmp_path / "cache")


def test_pictures_smaller_than_the_networks_can_take_are_refused(
    people: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="at least 32 x 32"):
        load(people, tmp_path, Options(recipe=recipe_of("triplet", size=(64, 31))))


def test_settings_hold_a_hash_of_the_data_and_of_the_weights(people: Path, tmp_path: Path) -> None:
    data = load(people, tmp_path / "cache")
    before = data.settings(OPTIONS)
    assert before["lr"] == 3e-4
    assert before["weights"] is None
    file = tmp_path / "w.pth"
    file.write_bytes(b"abc")
    # sha256("abc"), FIPS 180-2, appendix B.1.
    assert data.settings(replace(OPTIONS, weights=file))["weights"].startswith("ba7816bf8f01cfea")
    fewer = replace(data, train=data.train.only(data.train.listed[1:]))
    assert fewer.settings(OPTIONS)["data"] != before["data"]
    assert load(people, tmp_path / "other").settings(OPTIONS) == before
