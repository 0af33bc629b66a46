"""dlib's face locators on portraits whose faces were marked by eye."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from castsearch.detectors.dlib_face import detect, load_dlib
from castsearch.errors import InputError
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, ImageArray

HOPPER = Box(185, 120, 360, 350)
COLLINS = Box(175, 65, 265, 190)
"""From the hair's edge to the chin."""


@pytest.fixture(scope="module")
def pictures(hopper: Path, collins: Path) -> tuple[ImageArray, ImageArray]:
    first, second = (decode(read_bytes(path), path.name) for path in (hopper, collins))
    return first, second


@pytest.mark.parametrize("kind", ["hog", "mmod"])
def test_the_face_lies_where_people_see_it(pictures, kind) -> None:
    for picture, place in zip(pictures, (HOPPER, COLLINS), strict=True):
        (face,) = detect(picture, kind)
        assert face.box.iou(place) > 0.5
        assert face.score > 0.5
        assert face.landmarks == ()


@pytest.mark.parametrize("kind", ["hog", "mmod"])
def test_two_faces_are_two_best_first(pictures, kind) -> None:
    both = np.zeros((600, 1024, 3), np.uint8)
    both[:, :512], both[:512, 512:] = pictures
    faces = detect(both, kind)
    places = [HOPPER, Box(COLLINS.x0 + 512, COLLINS.y0, COLLINS.x1 + 512, COLLINS.y1)]
    # HOG sees a third in her suit, hardly: what is surest comes first.
    assert [max(face.box.iou(place) for face in faces[:2]) > 0.5 for place in places] == [True] * 2
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)
    assert all(face.score < 0.1 for face in faces[2:])


def test_a_small_face_is_found_in_the_doubled_picture(pictures) -> None:
    small = pictures[0][::5, ::5].copy()
    assert detect(small, "hog") == []
    (face,) = detect(small, "hog", upsample=1)
    # In the pixels of the picture as it is given.
    place = Box(*(side / 5 for side in (HOPPER.x0, HOPPER.y0, HOPPER.x1, HOPPER.y1)))
    assert face.box.iou(place) > 0.5


def test_boxes_end_at_the_edges_of_the_picture(pictures) -> None:
    cut = pictures[0][150:, 190:].copy()
    faces = detect(cut, "mmod")
    assert faces
    for face in faces:
        assert min(face.box.x0, face.box.y0) >= 0
        assert face.box.x1 <= cut.shape[1]
        assert face.box.y1 <= cut.shape[0]


def test_a_picture_of_nothing_has_no_face() -> None:
    assert detect(np.full((200, 200, 3), 127, np.uint8), "hog") == []


def test_without_dlib_a_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(InputError, match=r"castsearch\[dlib\], which is not installed: pip instal"):
        load_dlib()
