"""Corners of crops: the same place gives the same descriptors, and what was packed comes back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from castsearch.features.corners import N_CORNERS, corners, pack_corners, unpack_corners
from castsearch.sources.images import decode, read_bytes


def picture(path: Path) -> np.ndarray:
    return decode(read_bytes(path), path.name)


def noise(seed: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def test_a_portrait_has_many_corners_inside_it_in_reading_order(collins: Path) -> None:
    image = picture(collins)
    found = corners(image)
    x, y = found.points.T
    assert 100 < len(found.points) <= N_CORNERS
    assert found.points.dtype == np.int16
    assert found.words.shape == (len(x), 8)
    assert found.words.dtype == np.uint32
    assert x.min() > 0
    assert x.max() < image.shape[1] - 1
    assert y.min() > 0
    assert y.max() < image.shape[0] - 1
    assert (np.diff(y.astype(int) * image.shape[1] + x) > 0).all()


def test_a_part_of_a_picture_has_the_descriptors_of_the_whole(collins: Path) -> None:
    image = picture(collins)
    whole, part = corners(image), corners(image[100:400, 60:360])
    at = {tuple(p): w for p, w in zip(whole.points.tolist(), whole.words, strict=True)}
    same = [
        (at[x + 60, y + 100] == w).all()
        for (x, y), w in zip(part.points.tolist(), part.words, strict=True)
        if (x + 60, y + 100) in at
    ]
    assert len(same) >= 40
    assert all(same)


def test_equal_pixels_give_equal_corners(hopper: Path) -> None:
    image = picture(hopper)
    assert pack_corners(corners(image)) == pack_corners(corners(image[:, ::-1][:, ::-1]))


def test_a_crop_full_of_corners_gets_no_more_than_the_limit_and_has_them_spread() -> None:
    found = corners(noise(0, 900, 600))
    assert N_CORNERS // 4 < len(found.points) <= N_CORNERS
    quarters = (found.points[:, 0] >= 300) * 2 + (found.points[:, 1] >= 450)
    assert np.bincount(quarters, minlength=4).min() >= len(found.points) // 8


def test_the_limit_holds_where_a_pattern_makes_all_corners_equally_strong() -> None:
    # 33 x 33 equal spots, 90 pixels apart: no window of the list thins them out.
    image = np.zeros((3000, 3000, 3), np.uint8)
    image[45::90, 45::90] = 255
    image = cv2.dilate(image, np.ones((3, 3), np.uint8))
    found = corners(image)
    assert len(found.points) == N_CORNERS


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 500), (500, 1), (18, 18), (19, 19), (23, 300)], ids=str
)
def test_tiny_and_narrow_crops_are_no_problem(size: tuple[int, int]) -> None:
    found = corners(noise(1, *size))
    assert found.words.shape == (len(found.points), 8)
    grey = cv2.imdecode(np.frombuffer(found.grey, np.uint8), cv2.IMREAD_UNCHANGED)
    assert grey.shape == size


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_flat_crop_has_no_corner(level: int) -> None:
    assert len(corners(np.full((200, 100, 3), level, np.uint8)).points) == 0


def test_a_straight_edge_is_no_corner() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[:, 60:] = 255
    assert len(corners(image).points) == 0


def test_a_square_has_its_four_corners() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[40:80, 30:90] = 255
    found = corners(image).points.astype(int)
    wanted = [(30, 40), (89, 40), (30, 79), (89, 79)]
    assert len(found) == 4
    for corner in wanted:
        assert np.abs(found - corner).max(axis=1).min() <= 2


def test_the_grey_picture_is_close_to_the_crop(collins: Path) -> None:
    image = picture(collins)
    grey = cv2.imdecode(np.frombuffer(corners(image).grey, np.uint8), cv2.IMREAD_UNCHANGED)
    exact = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    assert grey.shape == exact.shape
    assert cv2.absdiff(grey, exact).mean() < 2


@pytest.mark.parametrize("size", [(1, 1), (200, 150)], ids=str)
def test_packed_corners_come_back(size: tuple[int, int]) -> None:
    found = corners(noise(2, *size))
    back = unpack_corners(pack_corners(found))
    np.testing.assert_array_equal(back.points, found.points)
    np.testing.assert_array_equal(back.words, found.words)
    assert back.points.dtype == np.int16
    assert back.words.dtype == np.uint32
    assert back.grey == found.grey
    assert len(pack_corners(found)) == 2 + 36 * len(found.points) + len(found.grey)


@pytest.mark.parametrize("kept", [0, 1, 2, 40, -1])
def test_bytes_cut_short_are_refused(kept: int) -> None:
    found = corners(noise(3, 100, 100))
    blob = pack_corners(found)[: 2 + 36 * len(found.points)][:kept]
    assert len(found.points) > 1
    with pytest.raises(ValueError, match="cut short"):
        unpack_corners(blob)
