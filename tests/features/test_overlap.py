"""Crops of one still are found by their shared pixels, at the exact shift, and nothing else is."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.features.corners import Corners, corners
from castsearch.features.overlap import Overlap, _Places, overlaps, places_of
from castsearch.sources.images import decode, read_bytes

SETS = [
    ("ntu-mini", "tt0120338", "wider-mini", 13),
    ("ntu-mini", "tt9400000", "wider-mini", 22),
    ("ntu-parts", "tt0120338", "wider-mini", 10),
    ("ntu-parts", "tt9400000", "wider-mini", 20),
    ("ntu-parts", "tt9500000", "wider-scenes", 5),
    ("ntu-parts", "tt9501000", "wider-scenes", 28),
    ("ntu-parts", "tt9502000", "wider-scenes", 5),
]


def picture(path: Path) -> np.ndarray:
    return decode(read_bytes(path), path.name)


def texture(seed: int, height: int = 400, width: int = 500) -> np.ndarray:
    """Smooth shapes of many sizes with fine noise on them, as photographs have."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for sigma in (2, 6, 20):
        layer = rng.standard_normal((height, width, 3)).astype(np.float32)
        total += cv2.GaussianBlur(layer, (0, 0), sigma) * sigma * 60
    total += rng.normal(0, 2, total.shape)
    return np.clip(total + 128, 0, 255).astype(np.uint8)


def saved(crop: np.ndarray, quality: int = 90) -> Corners:
    """The corners of a crop that went through a JPEG file."""
    _, file = cv2.imencode(".jpg", crop[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return corners(cv2.imdecode(file, cv2.IMREAD_COLOR)[:, :, ::-1])


def stills_of(n: int, found: list[Overlap]) -> np.ndarray:
    """The still of every crop alone."""
    return places_of(n, found)[:, 0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    dx=st.integers(-90, 90),
    dy=st.integers(-90, 90),
    qualities=st.tuples(st.integers(75, 98), st.integers(75, 98)),
)
def test_the_exact_shift_is_recovered(
    seed: int, dx: int, dy: int, qualities: tuple[int, int]
) -> None:
    image = texture(seed)
    first = saved(image[100:290, 120:310], qualities[0])
    second = saved(image[100 + dy : 290 + dy, 120 + dx : 310 + dx], qualities[1])
    assert overlaps([first, second]) == [Overlap(0, 1, dx, dy)]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_other_pictures_do_not_overlap(seed: int) -> None:
    assert overlaps([saved(texture(seed)), saved(texture(seed + 1))]) == []


def test_crops_of_two_portraits_fall_into_two_stills(hopper: Path, collins: Path) -> None:
    one, two = picture(hopper), picture(collins)
    crops = [
        saved(one[:300, :250]),
        saved(two[:300, :300], 80),
        saved(one[150:450, 100:400]),
        saved(two[80:380, 100:400]),
        saved(two[300:500, 250:500]),
    ]
    found = overlaps(crops)
    assert Overlap(0, 2, 100, 150) in found
    assert Overlap(1, 3, 100, 80) in found
    assert Overlap(3, 4, 150, 220) in found
    assert stills_of(5, found).tolist() == [0, 1, 0, 1, 1]


def test_one_box_given_twice_is_one_still_whatever_it_was_saved_with(collins: Path) -> None:
    crop = picture(collins)[:400, 100:400]
    crops = [corners(crop), corners(crop), saved(crop, 75)]
    assert set(overlaps(crops)) == {Overlap(i, j, 0, 0) for i, j in combinations(range(3), 2)}


def test_a_crop_inside_another(collins: Path) -> None:
    image = picture(collins)
    assert overlaps([saved(image[100:250, 150:290]), saved(image)]) == [Overlap(0, 1, -150, -100)]


@pytest.mark.parametrize("change", ["scaled", "mirrored", "brighter", "turned"])
def test_what_is_not_the_same_pixels_is_no_overlap(change: str, collins: Path) -> None:
    crop = picture(collins)[:400, 100:400]
    changed = {
        "scaled": cv2.resize(crop, None, fx=1.15, fy=1.15),
        "mirrored": crop[:, ::-1],
        "brighter": np.clip(crop.astype(int) + 12, 0, 255).astype(np.uint8),
        "turned": np.rot90(crop),
    }[change]
    assert overlaps([corners(crop), corners(changed)]) == []


def test_one_background_with_somebody_else_before_it_is_no_overlap(collins: Path) -> None:
    one = texture(5)
    two = one.copy()
    two[150:250, 200:280] = picture(collins)[50:150, 180:260]
    assert overlaps([saved(one[50:350, 100:400]), saved(two[50:350, 120:420])]) == []


def test_a_shared_background_joins_no_stills_whose_people_differ(collins: Path) -> None:
    one = texture(6)
    two = one.copy()
    two[100:200, 100:180] = picture(collins)[50:150, 180:260]
    person, left_of_it = np.s_[60:300, 60:260], np.s_[60:350, 160:420]
    # Both crops on the right show the background alone from x = 220 on: they agree there.
    background = np.s_[100:350, 220:480]
    crops = [
        saved(one[person]),
        saved(one[left_of_it]),
        saved(two[person]),
        saved(two[left_of_it]),
    ]
    stills = stills_of(4, overlaps(crops))
    assert stills[0] == stills[1]
    assert stills[2] == stills[3]
    assert stills[0] != stills[2]
    # The background by itself belongs to whichever still it fits best, and joins no two.
    stills = stills_of(5, overlaps([*crops, saved(one[background])]))
    assert stills[0] != stills[2]


def test_a_pattern_that_repeats_in_a_crop_is_no_overlap_with_itself() -> None:
    wall = np.tile(texture(7, 60, 60), (3, 3, 1))
    found = overlaps([saved(wall), saved(wall[10:, 15:])])
    assert [(o.first, o.second) for o in found] == [(0, 1)]
    assert (found[0].dx % 60, found[0].dy % 60) == (15, 10)


@pytest.mark.parametrize(("n_squares", "n_found"), [(1, 0), (2, 1)])
def test_four_corners_on_black_are_too_few_and_eight_are_enough(
    n_squares: int, n_found: int
) -> None:
    black = np.zeros((160, 160, 3), np.uint8)
    for k in range(n_squares):
        black[30 + 50 * k : 60 + 50 * k, 30 + 50 * k : 70 + 50 * k] = 255
    assert len(overlaps([corners(black), corners(black)])) == n_found


@pytest.mark.parametrize(("n", "linked"), [(30, True), (31, False)])
def test_what_more_than_thirty_crops_show_ties_nothing(n: int, linked: bool) -> None:
    crop = corners(texture(9, 80, 80))
    stills = stills_of(n, overlaps([crop] * n))
    assert stills.tolist() == ([0] * n if linked else list(range(n)))


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.full((300, 200, 3), 90, np.uint8),
        np.zeros((10, 300, 3), np.uint8),
    ],
    ids=["1x1", "flat", "narrow"],
)
def test_crops_without_corners_stand_alone(crop: np.ndarray, hopper: Path) -> None:
    real = corners(picture(hopper))
    found = overlaps([corners(crop), None, corners(crop), real, None, real])
    assert found == [Overlap(3, 5, 0, 0)]
    assert stills_of(6, found).tolist() == [0, 1, 2, 3, 4, 3]


def test_an_empty_film() -> None:
    assert overlaps([]) == []
    assert overlaps([None, None]) == []
    assert places_of(0, []).shape == (0, 3)


def test_stills_are_joined_through_others_and_numbered_by_first_appearance() -> None:
    links = [Overlap(4, 5, 1, 1), Overlap(1, 3, 10, 0), Overlap(3, 5, -4, 2)]
    assert stills_of(6, links).tolist() == [0, 1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("last", "wanted"),
    [
        (Overlap(0, 3, 31, 6), [0, 0, 0, 0]),  # 10 + 20 + 1, 0 + 5 + 1: as the others say
        (Overlap(0, 3, 31, 7), [0, 0, 0, 0]),  # it contradicts them, and nothing hangs on it
    ],
)
def test_a_circle_of_links(last: Overlap, wanted: list[int]) -> None:
    chain = [Overlap(0, 1, 10, 0), Overlap(1, 2, 20, 5), Overlap(2, 3, 1, 1)]
    assert stills_of(4, [*chain, last]).tolist() == wanted


def test_crops_lie_in_their_still_as_the_links_say_by_hand() -> None:
    links = [Overlap(1, 3, 10, -2), Overlap(3, 4, 5, 1), Overlap(0, 5, -7, 3)]
    places = places_of(6, links)
    assert places.dtype == np.int64
    assert places.shape == (6, 3)
    assert places[:, 0].tolist() == [0, 1, 2, 1, 1, 0]
    # Relative to the first crop of each still: p of the second is p + (dx, dy) of the first.
    for first, second, shift in [(1, 3, [10, -2]), (1, 4, [15, -1]), (0, 5, [-7, 3])]:
        assert (places[second, 1:] - places[first, 1:]).tolist() == shift
    # One crop of each still is its corner.
    for still in range(3):
        assert [0, 0] in places[places[:, 0] == still, 1:].tolist()


def test_a_link_that_contradicts_stronger_ones_moves_nothing() -> None:
    chain = [Overlap(0, 1, 10, 0), Overlap(1, 2, 20, 5)]
    assert np.array_equal(places_of(3, [*chain, Overlap(0, 2, 99, 9)]), places_of(3, chain))


def test_joined_stills_say_where_their_other_crops_would_lie() -> None:
    # Crops 0, 1, 2 lie at x = 0, 10, 30 of one still, crops 3, 4 at x = 0, 7 of another.
    places = _Places(5)
    assert places.join(Overlap(1, 2, 20, 0))
    assert places.join(Overlap(0, 1, 10, 0))
    assert places.join(Overlap(3, 4, 7, 1))
    wanted = {
        Overlap(0, 3, 100, 0),
        Overlap(0, 4, 107, 1),
        Overlap(1, 3, 90, 0),
        Overlap(2, 3, 70, 0),
        Overlap(2, 4, 77, 1),
    }
    assert set(places.implied(Overlap(1, 4, 97, 1))) == wanted
    assert places.join(Overlap(1, 4, 97, 1))
    assert places.implied(Overlap(0, 3, 100, 0)) == []
    assert places.join(Overlap(0, 3, 100, 0))
    assert not places.join(Overlap(0, 3, 100, 1))


@pytest.mark.parametrize(("folder", "movie", "source", "least"), SETS)
def test_on_real_stills_no_pair_is_wrong(
    folder: str, movie: str, source: str, least: int, data_dir: Path
) -> None:
    truth = json.loads((data_dir / source / "val.json").read_text())[movie]
    still = {c["id"]: c["img"] for c in truth["candidates"]}
    files = sorted((data_dir / folder / "val" / movie / "candidates").glob("*.jpg"))
    found = overlaps([corners(picture(file)) for file in files])
    wrong = [o for o in found if still[files[o.first].stem] != still[files[o.second].stem]]
    assert len(files) == len(still)
    assert wrong == []
    assert len(found) >= least
