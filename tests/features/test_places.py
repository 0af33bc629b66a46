"""Which crops are of one still: told once for a set of crops, then read from the store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from castsearch.features import places as module
from castsearch.features.corners import Corners, corners
from castsearch.features.overlap import Overlap
from castsearch.features.places import places
from castsearch.features.region import Features
from castsearch.features.store import Store, pack, unpack
from castsearch.sources.images import decode, read_bytes
from castsearch.types import ImageArray, PictureInfo

BOXES = [(0, 0, 300, 400), (100, 150, 400, 500), (250, 40, 512, 380)]
"""Left, top, right and bottom of crops of one photograph that overlap."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.sqlite")


@pytest.fixture
def image(collins: Path) -> ImageArray:
    return decode(read_bytes(collins), collins.name)


@pytest.fixture
def other(hopper: Path) -> ImageArray:
    return decode(read_bytes(hopper), hopper.name)


def crop(pixels: ImageArray, key: str = "") -> Features:
    """What is found of a crop file; its key is that of its pixels."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    key = key or hashlib.sha256(pixels.tobytes()).hexdigest()
    return Features(corners=corners(pixels), picture=PictureInfo(key, width, height))


@pytest.fixture
def crops(image: ImageArray, other: ImageArray) -> list[Features]:
    """Three crops of one photograph, and after the first of them one of another."""
    found = [crop(image[top:bottom, left:right]) for left, top, right, bottom in BOXES]
    return [found[0], crop(other[:300, :250]), *found[1:]]


UNREADABLE = Features(problem="unreadable")


def never(crops: Sequence[Corners | None]) -> list[Overlap]:
    raise AssertionError("crops were compared")


def key_of(features: Features) -> str:
    assert features.picture is not None
    return features.picture.key


def test_crops_lie_where_they_were_cut_out(crops: list[Features], store: Store) -> None:
    told = places(crops, store)
    assert told is not None
    assert told.shape == (4, 3)
    assert told.dtype == np.int64
    # By first appearance: the photograph, the other one.
    assert told[:, 0].tolist() == [0, 1, 0, 0]
    shifts = told[[0, 2, 3], 1:] - told[0, 1:]
    assert shifts.tolist() == [[left, top] for left, top, *_ in BOXES]


def test_they_are_told_once_and_then_read(
    crops: list[Features], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = places(crops, store)
    monkeypatch.setattr(module, "overlaps", never)
    again = places(crops, store)
    assert told is not None
    assert again is not None
    assert again.tolist() == told.tolist()
    assert again.dtype == told.dtype
    # Another process reads the same.
    with Store(tmp_path / "s.sqlite") as reopened:
        from_file = places(crops, reopened)
    assert from_file is not None
    assert from_file.tolist() == told.tolist()


def test_what_is_read_is_what_is_stored_and_not_worked_out(
    crops: list[Features], store: Store
) -> None:
    places(crops, store)
    for i, features in enumerate(crops):
        (name,) = store.read(key_of(features), "")
        assert name.startswith("place|1|")
        store.write([(key_of(features), "", name, pack(np.array([7, i, -i])))])
    read = places(crops, store)
    assert read is not None
    assert read.tolist() == [[7, 0, 0], [7, 1, -1], [7, 2, -2], [7, 3, -3]]


@pytest.mark.parametrize("change", ["one less", "one more", "other order", "one changed"])
def test_another_set_of_crops_is_told_anew(
    change: str,
    crops: list[Features],
    store: Store,
    image: ImageArray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = places(crops, store)
    changed = {
        "one less": crops[:3],
        "one more": [*crops, crop(image[200:450, 0:300])],
        "other order": crops[::-1],
        "one changed": [*crops[:3], crop(image[0:200, 0:300])],
    }[change]
    compared: list[int] = []
    compare = module.overlaps

    def remember(corners: Sequence[Corners | None]) -> list[Overlap]:
        compared.append(len(corners))
        return compare(corners)

    monkeypatch.setattr(module, "overlaps", remember)
    told = places(changed, store)
    assert told is not None
    assert compared == [len(changed)]
    stills = {"one less": [0, 1, 0], "one more": [0, 1, 0, 0, 0], "other order": [0, 0, 1, 0]}
    assert told[:, 0].tolist() == stills.get(change, [0, 1, 0, 0])
    # Either set is there from now on.
    monkeypatch.setattr(module, "overlaps", never)
    for these, expected in ((changed, told), (crops, first)):
        again = places(these, store)
        assert expected is not None
        assert again is not None
        assert again.tolist() == expected.tolist()


def test_crops_that_are_compared_otherwise_are_told_anew(
    crops: list[Features], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    places(crops, store)
    monkeypatch.setattr(module, "overlaps", never)
    monkeypatch.setattr(module, "VERSION", 2)
    with pytest.raises(AssertionError, match="crops were compared"):
        places(crops, store)


def test_an_unreadable_crop_stands_alone(
    crops: list[Features], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    these = [UNREADABLE, crops[0], crops[2], UNREADABLE, crops[1]]
    told = places(these, store)
    assert told is not None
    assert told[1, 0] == told[2, 0]
    assert (told[2, 1:] - told[1, 1:]).tolist() == [100, 150]
    assert len(set(told[[0, 1, 3, 4], 0].tolist())) == 4
    # It has no key to be stored under, and the others are read all the same.
    monkeypatch.setattr(module, "overlaps", never)
    again = places(these, store)
    assert again is not None
    assert again.tolist() == told.tolist()
    assert store.read("", "") == {}


def test_unreadable_crops_in_other_places_are_another_set(
    crops: list[Features], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    places([UNREADABLE, *crops], store)
    monkeypatch.setattr(module, "overlaps", never)
    with pytest.raises(AssertionError, match="crops were compared"):
        places([*crops, UNREADABLE], store)


def test_a_film_whose_crops_have_no_corners_is_not_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "overlaps", never)
    in_a_still = Features(picture=PictureInfo("k", 9, 9))
    assert places([], store) is None
    assert places([UNREADABLE], store) is None
    assert places([in_a_still, UNREADABLE], store) is None
    assert store.read("k", "") == {}


def test_one_file_twice_is_one_still_and_both_places_are_told(
    crops: list[Features], store: Store
) -> None:
    for _ in range(2):
        told = places([crops[0], crops[2], crops[0]], store)
        assert told is not None
        assert told[:, 0].tolist() == [0, 0, 0]
        assert (told[1:, 1:] - told[0, 1:]).tolist() == [[100, 150], [0, 0]]


def test_what_is_forgotten_of_one_picture_is_told_again(
    crops: list[Features], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = places(crops, store)
    assert told is not None
    assert store.forget([key_of(crops[2])]) == 1
    assert store.read(key_of(crops[2]), "") == {}
    with monkeypatch.context() as patch:
        patch.setattr(module, "overlaps", never)
        with pytest.raises(AssertionError, match="crops were compared"):
            places(crops, store)
    again = places(crops, store)
    assert again is not None
    assert again.tolist() == told.tolist()
    (row,) = store.read(key_of(crops[2]), "").values()
    assert unpack(row).tolist() == told[2].tolist()
