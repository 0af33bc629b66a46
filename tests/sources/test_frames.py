"""Against OpenCV, which counts, decodes and turns frames by itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from castsearch.errors import ImageError, InputError
from castsearch.sources.frames import frames, picture_key
from castsearch.types import ImageArray, Picture

TITANIC = "titanic-clip.mp4"
TURNED = "clips/issue-134-rotate.mp4"


def by_opencv(path: Path, numbers: set[int]) -> dict[int, ImageArray]:
    film = cv2.VideoCapture(str(path))
    pictures = {}
    for number in range(max(numbers) + 1):
        is_there, picture = film.read()
        assert is_there
        if number in numbers:
            pictures[number] = picture[..., ::-1]
    return pictures


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (TITANIC, (240, 426, 3)),
        # Stored as 1280 x 544, to be shown turned to the right.
        (TURNED, (1280, 544, 3)),
        # Frames are not shown at equal distances.
        ("clips/goldeneye-vfr-drop3.mp4", (544, 1280, 3)),
    ],
)
def test_frames_are_counted_and_turned_as_opencv_does(
    data_dir: Path, name: str, shape: tuple[int, int, int]
) -> None:
    path = data_dir / name
    numbers = {0, 1, 7, 40}
    expected = by_opencv(path, numbers)
    pictures = list(frames(path, [40, 1, 0, 7, 1]))
    assert [number for number, _ in pictures] == [0, 1, 7, 40]
    for number, picture in pictures:
        assert (picture.shape, picture.dtype) == (shape, np.uint8)
        assert picture.flags.c_contiguous
        np.testing.assert_array_equal(picture, expected[number])


def test_the_last_frame_and_the_one_after_it(data_dir: Path) -> None:
    path = data_dir / TITANIC
    ((number, picture),) = frames(path, [481])
    assert number == 481
    np.testing.assert_array_equal(picture, by_opencv(path, {481})[481])
    rest = frames(path, [480, 482])
    assert next(rest)[0] == 480
    with pytest.raises(InputError, match=r"titanic-clip\.mp4 has 482 frames, .* no frame 482; was"):
        next(rest)


def test_no_frames_open_no_film(tmp_path: Path) -> None:
    assert list(frames(tmp_path / "none.mp4", [])) == []


def test_a_number_below_zero(data_dir: Path) -> None:
    with pytest.raises(InputError, match=r"has no frame -1; frames are counted from 0\.$"):
        list(frames(data_dir / TITANIC, [3, -1]))


def test_a_film_that_is_too_large_is_refused_before_it_is_decoded(data_dir: Path) -> None:
    with pytest.raises(ImageError) as caught:
        next(frames(data_dir / TITANIC, [0], max_megapixels=0.1))
    assert str(caught.value) == (
        f"{data_dir / TITANIC} has 426 x 240 pixels (0.10224 megapixels), above the limit of 0.1; "
        "make it smaller or raise the limit."
    )
    assert len(list(frames(data_dir / TITANIC, [0], max_megapixels=0.10224))) == 1


def test_what_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot be read \(No such file or directory\); check"):
        list(frames(tmp_path / "none.mp4", [0]))
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4"):
        with pytest.raises(ImageError, match="is not a file; give a picture or a film"):
            list(frames(path, [0]))
    for content in (b"", b"no film", b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 100):
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(ImageError, match=r"a\.mp4 is no film, or is damaged after 0 frames"):
            list(frames(tmp_path / "a.mp4", [0]))


def test_a_film_that_was_cut_off(data_dir: Path, tmp_path: Path) -> None:
    content = (data_dir / "tears-of-steel-clip.webm").read_bytes()
    path = tmp_path / "cut.webm"
    path.write_bytes(content[: len(content) // 2])
    whole = [picture for _, picture in frames(data_dir / "tears-of-steel-clip.webm", [0, 100])]
    half = [picture for _, picture in frames(path, [0, 100])]
    for one, other in zip(whole, half, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises((InputError, ImageError), match=r"cut\.webm"):
        list(frames(path, [1690]))


def test_a_name_is_never_taken_for_an_address(data_dir: Path, tmp_path: Path) -> None:
    for name in ("concat:a|b.mp4", "http:x.mp4", os.fsdecode(b"caf\xe9.mp4")):
        shutil.copy(data_dir / TITANIC, tmp_path / name)
        ((_, picture),) = frames(tmp_path / name, [3])
        assert picture.shape == (240, 426, 3)


def test_a_film_that_names_another_file_does_not_open_it(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / TITANIC, tmp_path / "secret.mp4")
    listing = tmp_path / "list.mp4"
    listing.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(ImageError, match=r"list\.mp4"):
        list(frames(listing, [0]))


def test_without_pyav(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"^Reading films needs av, .*castsearch\[film\]"):
        list(frames(data_dir / TITANIC, [0]))


def test_the_key_of_a_picture_is_that_of_its_content(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.jpg", tmp_path / "b.mp4"
    content = os.urandom(3_000_000)
    path.write_bytes(content)
    copy.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert picture_key(path) == picture_key(copy) == picture_key(Picture(path)) == digest
    assert picture_key(Picture(copy, 0, 0.0)) == f"{digest}:0"
    assert picture_key(Picture(copy, 12, 0.5)) == f"{digest}:12"
    path.write_bytes(content + b"x")
    assert picture_key(path) == hashlib.sha256(content + b"x").hexdigest()


def test_the_key_of_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ImageError, match="is not a file; give a picture or a film"):
            picture_key(path)
    with pytest.raises(ImageError, match=r"cannot be read \(No such file"):
        picture_key(Picture(tmp_path / "none", 3))
