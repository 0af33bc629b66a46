from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from castsearch.encoders.body import resized
from castsearch.errors import CastsearchError
from castsearch.sources.images import crop, decode
from castsearch.training.cache import load
from castsearch.training.splits import Picture
from castsearch.types import Box

Draw = Callable[[Path, int], Path]
SIZE = (48, 24)


def test_pixels_are_those_that_embedding_sees(tmp_path: Path, draw: Draw) -> None:
    path = draw(tmp_path / "a.png", 1)
    box = Box(2, 3, 12, 30)
    pictures = load([Picture(path, "a"), Picture(path, "a", box=box)], SIZE, tmp_path / "cache")
    image = decode(path.read_bytes(), "a")
    found = pictures.take([1, 0])
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[0], resized(crop(image, box), SIZE))
    np.testing.assert_array_equal(found[1], resized(image, SIZE))
    assert isinstance(pictures.pixels, np.memmap)
    assert not pictures.pixels.flags.writeable


def test_a_second_run_decodes_nothing(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [Picture(draw(tmp_path / f"{i}.png", i), "a") for i in range(3)]
    first = load(listed, SIZE, tmp_path / "cache")

    def refuse(*_: object) -> None:
        raise AssertionError("a picture was decoded again")

    monkeypatch.setattr("castsearch.training.cache.decode", refuse)
    again = load(listed, SIZE, tmp_path / "cache")
    np.testing.assert_array_equal(again.pixels, first.pixels)


def test_other_content_boxes_or_sizes_are_other_files(tmp_path: Path, draw: Draw) -> None:
    path, cache = draw(tmp_path / "a.png", 1), tmp_path / "cache"
    load([Picture(path, "a")], SIZE, cache)
    load([Picture(path, "a", box=Box(0, 0, 5, 5))], SIZE, cache)
    load([Picture(path, "a")], (32, 32), cache)
    status = path.stat()
    path.write_bytes(draw(tmp_path / "b.png", 2).read_bytes())
    # Neither time nor name tells: the content does.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    load([Picture(path, "a")], SIZE, cache)
    assert len(list(cache.glob("*.npy"))) == 4


def test_unreadable_pictures_are_named_and_left_out(tmp_path: Path, draw: Draw) -> None:
    good = [Picture(draw(tmp_path / f"{i}.png", i), str(i)) for i in range(3)]
    (tmp_path / "bad.png").write_bytes(b"no picture")
    listed = [
        good[0],
        Picture(tmp_path / "bad.png", "x"),
        good[1],
        Picture(tmp_path / "no.png", "y"),
        good[2],
    ]
    for _ in range(2):
        pictures = load(listed, SIZE, tmp_path / "cache")
        assert pictures.listed == tuple(good)
        assert [Path(p.where).name for p in pictures.problems] == ["bad.png", "no.png"]
        assert "No such file" in pictures.problems[1].message
        for i, picture in enumerate(good):
            image = decode(picture.path.read_bytes(), "x")
            np.testing.assert_array_equal(pictures.take([i])[0], resized(image, SIZE))
    kept = pictures.only(good[1:])
    assert kept.listed == tuple(good[1:])
    np.testing.assert_array_equal(kept.take([0]), pictures.take([1]))


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, draw: Draw) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(CastsearchError, match="cannot be kept"):
        load([Picture(draw(tmp_path / "a.png", 1), "a")], SIZE, tmp_path / "cache")


def test_a_broken_off_decoding_leaves_nothing(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("castsearch.training.cache.decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load([Picture(draw(tmp_path / "a.png", 1), "a")], SIZE, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
