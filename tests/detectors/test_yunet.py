from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.detectors import yunet
from castsearch.detectors.detector import DetectSettings, loaded
from castsearch.detectors.yunet import NMS_IOU, YUNET, decode, detect, suppress
from castsearch.networks.device import CPU, Place
from castsearch.networks.session import Session
from castsearch.sources import images
from castsearch.types import Box, Face, ImageArray


def test_decode_by_hand() -> None:
    # A 32x32 picture: 16, 4 and 1 cells. One face in the cell of row 1, column 2 of stride 8, a
    # better one in the cell of row 1, column 0 of stride 16; the others are far from a face.
    rows = np.full((21, 16), -20, np.float32)
    rows[6, [0, 5]] = np.log(0.81 / 0.19), 20
    rows[6, 1:5] = [0.5, 0.25, np.log(2), np.log(3)]
    rows[6, 6:] = np.arange(10) / 10
    rows[16 + 2, [0, 5]] = 20, 20
    rows[16 + 2, 1:5] = rows[16 + 2, 6:10] = 0
    boxes, scores, points = decode(rows, 32, 0.5)
    # Centre (2.5, 1.25) cells, size (2, 3) cells, times the stride; centre (0, 1), size (1, 1).
    np.testing.assert_allclose(boxes, [[12, -2, 28, 22], [-8, 8, 8, 24]], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9, 1], atol=1e-6)
    np.testing.assert_allclose(points[0][[0, 4]], [[16, 8.8], [22.4, 15.2]], atol=1e-5)
    np.testing.assert_allclose(points[1][0], [0, 16], atol=1e-5)
    assert len(decode(rows, 32, 0.95)[0]) == 1
    assert len(decode(rows, 32, 0.0)[0]) == 21


corner = st.integers(0, 20)


@given(st.lists(st.tuples(corner, corner, st.integers(1, 9), st.integers(1, 9)), max_size=12))
def test_suppression_equals_the_plain_loop(rows: list[tuple[int, int, int, int]]) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in rows], float).reshape(-1, 4)
    scores = np.linspace(1, 0.5, len(rows))
    kept: list[int] = []
    for i in range(len(rows)):
        if all(Box(*boxes[i]).iou(Box(*boxes[j])) <= NMS_IOU for j in kept):
            kept.append(i)
    assert suppress(boxes, scores) == kept


@pytest.fixture
def network(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The packaged network, rewritten once for all tests."""
    session = loaded(YUNET, Place(CPU, tmp_path_factory.getbasetemp() / "networks"))
    assert isinstance(session, Session)
    return session


def test_the_face_of_a_photograph_is_found_with_its_landmarks(
    network: Session, collins: Path
) -> None:
    image = images.decode(images.read_bytes(collins), collins.name)
    (face,) = detect(network, image, longer_side=448)
    # By eye.
    assert face.box.iou(Box(180, 65, 268, 180)) > 0.6
    assert face.score > 0.8
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert right_mouth[0] < left_mouth[0]


class Looks:
    """In place of ``detect``: faces by the longer side, and how it was asked."""

    def __init__(self, faces: dict[int, list[Face]]) -> None:
        self.faces = faces
        self.asked: list[tuple[tuple[int, int], int]] = []
        self.options: list[dict[str, float]] = []

    def __call__(
        self, session: object, image: ImageArray, *, longer_side: int, **options: float
    ) -> list[Face]:
        self.asked.append((image.shape[:2], longer_side))
        self.options.append(options)
        return self.faces.get(longer_side, [])


def face(score: float, x: float = 0) -> Face:
    return Face(Box(x, 0, x + 10, 10), score, ((x, 1),) * 5)


IMAGE = np.zeros((100, 60, 3), np.uint8)
SIZES = DetectSettings(detect_sizes=(320, 512, 640), sure_score=0.8, min_score=0.4, max_enlarge=3)


def test_a_sure_face_ends_the_search_in_a_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks({320: [face(0.7)], 512: [face(0.8), face(0.5)], 640: [face(0.99)]})
    monkeypatch.setattr(yunet, "detect", looks)
    assert YUNET.in_crop(None, IMAGE, SIZES) == [face(0.8), face(0.5)]
    assert [size for _, size in looks.asked] == [320, 512]
    assert looks.options == [{"max_enlarge": 3, "min_score": 0.4}] * 2


def test_without_a_sure_face_all_sizes_count_best_first(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks({320: [face(0.5)], 512: [face(0.79)], 640: [face(0.6)]})
    monkeypatch.setattr(yunet, "detect", looks)
    assert [f.score for f in YUNET.in_crop(None, IMAGE, SIZES)] == [0.79, 0.6, 0.5]


def test_where_all_faces_are_wanted_no_face_ends_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks({320: [face(0.9)], 640: [face(0.95)]})
    monkeypatch.setattr(yunet, "detect", looks)
    found = YUNET.in_crop(None, IMAGE, replace(SIZES, all_faces=True))
    assert [f.score for f in found] == [0.95, 0.9]
    assert [size for _, size in looks.asked] == [320, 512, 640]


def test_a_portrait_is_looked_at_at_three_sizes_and_then_with_a_border(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks({})
    monkeypatch.setattr(yunet, "detect", looks)
    assert YUNET.in_portrait(None, IMAGE, SIZES) == []
    sides = [(100, 60), (200, 160), (300, 260)]
    assert looks.asked == [(side, size) for side in sides for size in (512, 320, 1024)]
    assert looks.options == [{"min_score": 0.6}] * 9


def test_a_face_of_a_bordered_portrait_lies_in_the_portrait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class WithBorder(Looks):
        def __call__(
            self, session: object, image: ImageArray, *, longer_side: int, **options: float
        ) -> list[Face]:
            super().__call__(session, image, longer_side=longer_side, **options)
            return [face(0.7, x=90)] if image.shape[:2] == (200, 160) else []

    looks = WithBorder({})
    monkeypatch.setattr(yunet, "detect", looks)
    (found,) = YUNET.in_portrait(None, IMAGE, SIZES)
    # The border is half of the longer side: 50 pixels.
    assert found == Face(Box(40, -50, 50, -40), 0.7, ((40, -49),) * 5)
    assert len(looks.asked) == 4


def test_a_still_is_looked_at_in_full_and_enlarged_twice_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks({1280: [face(0.7)]})
    monkeypatch.setattr(yunet, "detect", looks)
    assert YUNET.in_still(None, IMAGE, SIZES) == [face(0.7)]
    assert looks.options == [{"max_enlarge": 2.0, "min_score": 0.6}]


def test_a_small_picture_is_enlarged_no_further_than_it_may_be() -> None:
    shapes: list[tuple[int, ...]] = []

    class Shapes(Session):
        """A network that finds nothing, and remembers what it was given."""

        def __init__(self) -> None: ...

        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            shapes.append(batch.shape)
            return [np.full((1, batch.shape[2] * batch.shape[3] // 1024 * 21, 16), -20.0)]

    for longer_side, enlarge in ((1000, 2.0), (128, 9.0), (50, 9.0)):
        assert detect(Shapes(), IMAGE, longer_side=longer_side, max_enlarge=enlarge) == []
    # 200 x 120, 128 x 77 and 50 x 30 pixels, to multiples of 32.
    assert shapes == [(1, 3, 224, 128), (1, 3, 128, 96), (1, 3, 64, 32)]


def test_every_setting_of_yunet_is_in_the_name_and_no_other() -> None:
    settings = DetectSettings((320, 512), 4.0, 0.5, 0.8, all_faces=True)
    assert YUNET.settings_key(settings) == "(320, 512)4.00.50.8True"
    changes: list[dict[str, object]] = [
        {"detect_sizes": (320,)},
        {"max_enlarge": 2.0},
        {"min_score": 0.6},
        {"sure_score": 0.9},
        {"all_faces": False},
    ]
    keys = {YUNET.settings_key(replace(settings, **change)) for change in changes}  # type: ignore[arg-type]
    assert len(keys) == 5
    ignored = replace(settings, upsample=3, min_size=7, max_size=9)
    assert YUNET.settings_key(ignored) == YUNET.settings_key(settings)
