"""dlib's locators: at which size they look, where they look again, and faces in own pixels."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from castsearch.detectors import dlib_face
from castsearch.detectors.detector import DetectSettings
from castsearch.detectors.dlib_face import HOG, MMOD, WHOLE
from castsearch.errors import InputError
from castsearch.features.asked import asked
from castsearch.features.gather import find_faces
from castsearch.features.region import Role
from castsearch.presets import PRESETS, preset
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, Face, ImageArray


class FakeLocator:
    """Finds the lower right quarter of whatever it is shown, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, int], int]] = []

    def __call__(self, image: ImageArray, kind: str, *, upsample: int = 0) -> list[Face]:
        height, width = image.shape[:2]
        self.asked.append(((width, height), upsample))
        return [Face(Box(width / 2, height / 2, width, height), 1.0)]


@pytest.mark.parametrize(
    ("name", "role", "wanted"),
    [
        ("sgbt_hybrid", "candidate", ((300, 160), 0)),
        ("sgbt_hybrid_pro", "candidate", ((300, 160), 1)),
        ("sgbt_hybrid_resize", "candidate", ((640, 341), 0)),
        ("sgbt_hybrid", "portrait", ((300, 160), 0)),
        ("sgbt_hybrid_pro", "portrait", ((300, 160), 0)),
        ("sgbt_hybrid_resize", "portrait", ((640, 341), 0)),
        ("dlib_inverse", "portrait", ((300, 160), 1)),
    ],
)
def test_each_row_looks_at_its_size(
    name: str, role: Role, wanted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    locator = FakeLocator()
    monkeypatch.setattr(dlib_face, "detect", locator)
    image = np.zeros((160, 300, 3), np.uint8)
    (face,) = find_faces(asked(PRESETS[name].look), image, role=role)
    assert locator.asked == [wanted]
    found = (face.box.x0, face.box.y0, face.box.x1, face.box.y1)
    assert found == pytest.approx((150, 80, 300, 160))


@pytest.mark.parametrize("row", ["sgbt_hybrid", "sgbt_hybrid_pro", "sgbt_hybrid_resize"])
def test_large_crops_are_not_doubled_as_they_are(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    locator = FakeLocator()
    monkeypatch.setattr(dlib_face, "detect", locator)
    what = asked(PRESETS[row].look)
    find_faces(what, np.zeros((1000, 500, 3), np.uint8), role="candidate")
    size = (500, 1000) if row == "sgbt_hybrid" else (320, 640)
    assert locator.asked == [(size, PRESETS[row].look.detect.upsample)]


def test_sizes_are_part_of_the_stored_name() -> None:
    keys = {
        asked(preset("sgbt_hybrid", settings).look).faces_key("candidate")
        for settings in ([], ["min_size=640"], ["max_size=640"], ["min_size=320"], ["upsample=1"])
    }
    assert len(keys) == 5
    shared = {
        asked(PRESETS[n].look).faces_key("candidate") for n in ("dlib_allcast", "sgbt_hybrid")
    }
    assert len(shared) == 1


class Blind:
    """Finds a face once it has looked so often, and remembers how it was asked."""

    def __init__(self, n_looks: int) -> None:
        self.n_looks = n_looks
        self.asked: list[tuple[tuple[int, int], int]] = []

    def __call__(self, image: ImageArray, kind: str, *, upsample: int = 0) -> list[Face]:
        self.asked.append((image.shape[:2], upsample))
        return [Face(Box(110, 120, 130, 160), 0.5)] if len(self.asked) == self.n_looks else []


@pytest.mark.parametrize(
    ("kind", "upsample", "looks"),
    [
        # Plain, doubled, then the same with borders of 0.5 and 1 longer side (100 pixels).
        ("mmod", 1, [(0, 0), (0, 1), (50, 0), (50, 1), (100, 0), (100, 1)]),
        ("mmod", 0, [(0, 0), (0, 1), (50, 0), (50, 1), (100, 0), (100, 1)]),
        ("hog", 1, [(0, 1), (50, 1), (100, 1)]),
        ("hog", 0, [(0, 0), (0, 1), (50, 0), (50, 1), (100, 0), (100, 1)]),
        ("hog", 2, [(0, 1), (0, 2), (50, 1), (50, 2), (100, 1), (100, 2)]),
    ],
)
def test_a_portrait_is_looked_at_again_until_it_shows_a_face(
    kind: Any, upsample: int, looks: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((100, 80, 3), np.uint8)
    settings = DetectSettings(upsample=upsample)
    for n in range(1, len(looks) + 1):
        locator = Blind(n)
        monkeypatch.setattr(dlib_face, "detect", locator)
        (face,) = HOG.in_portrait(kind, image, settings)
        assert locator.asked == [((100 + 2 * b, 80 + 2 * b), up) for b, up in looks[:n]]
        border = looks[n - 1][0]
        expected = (110 - border, 120 - border, 130 - border, 160 - border)
        assert face.box.xyxy == pytest.approx(expected)
    monkeypatch.setattr(dlib_face, "detect", Blind(0))
    assert HOG.in_portrait(kind, image, settings) == []


def test_a_still_is_looked_at_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    locator = FakeLocator()
    monkeypatch.setattr(dlib_face, "detect", locator)
    settings = DetectSettings(upsample=2, min_size=640, max_size=640)
    for detector in (HOG, MMOD, WHOLE):
        detector.in_still("hog", np.zeros((160, 300, 3), np.uint8), settings)
    assert locator.asked == [((300, 160), 0)] * 3


def test_whole_takes_the_picture_for_the_face() -> None:
    what = asked(preset("dlib_force_location").look)
    image = np.zeros((160, 300, 3), np.uint8)
    assert find_faces(what, image, role="candidate") == [Face(Box(0, 0, 300, 160), 1.0)]


@pytest.mark.parametrize("kind", ["hog", "mmod"])
def test_the_face_of_a_photograph_is_found(kind: Any, collins: Path) -> None:
    image = decode(read_bytes(collins), collins.name)
    (face,) = dlib_face.detect(image, kind)
    # By eye.
    assert face.box.iou(Box(180, 65, 268, 180)) > 0.5
    assert face.landmarks == ()
    assert dlib_face.detect(image[300:, 300:], kind) == []


@pytest.mark.parametrize("kind", ["hog", "mmod"])
def test_faces_are_cut_at_the_edges_of_the_picture_best_first(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dlib = dlib_face.load_dlib()
    places = [(-5, -8, 20, 30), (200, 10, 220, 30), (90, 60, 130, 99)]
    rectangles, scores = [dlib.rectangle(*place) for place in places], [0.5, 0.9, 1.5]

    class Locator:
        def run(self, image: ImageArray, upsample: int, threshold: float) -> Any:
            return rectangles, scores, [0, 0, 0]

        def __call__(self, image: ImageArray, upsample: int) -> Any:
            pairs = zip(rectangles, scores, strict=True)
            return [SimpleNamespace(rect=r, confidence=s) for r, s in pairs]

    monkeypatch.setattr(dlib_face, "_locator", lambda kind: Locator())
    # The second lies outside the picture altogether.
    assert dlib_face.detect(np.zeros((80, 100, 3), np.uint8), kind) == [
        Face(Box(90, 60, 100, 80), 1.5),
        Face(Box(0, 0, 20, 30), 0.5),
    ]


def test_the_names_of_settings_are_those_that_a_locator_heeds() -> None:
    plain = DetectSettings(upsample=1, detect_sizes=(99,), min_score=0.9)
    scaled = DetectSettings(upsample=1, min_size=320, max_size=640)
    assert HOG.settings_key(plain) == MMOD.settings_key(plain) == "1"
    assert HOG.settings_key(scaled) == MMOD.settings_key(scaled) == "1|320|640"
    assert WHOLE.settings_key(scaled) == "1"


def test_without_dlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(InputError, match=r"pip install 'castsearch\[dlib\]'"):
        dlib_face.load_dlib()
