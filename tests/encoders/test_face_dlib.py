"""dlib's face encoder: the same numbers as dlib's own calls, whatever was encoded before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from castsearch.encoders import face_dlib
from castsearch.encoders.encoder import FaceSettings
from castsearch.encoders.face_dlib import DLIB_RESNET
from castsearch.errors import InputError
from castsearch.models.table import BY_NAME
from castsearch.networks.device import CPU, Place
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, Face, ImageArray

FACE = Box(180.4, 65.6, 268, 160)
"""The face of the photograph, by eye."""


@pytest.fixture
def image(collins: Path) -> ImageArray:
    return decode(read_bytes(collins), collins.name)


def dlibs_own(image: ImageArray, points: int, jitters: int) -> Any:
    """What dlib gives when it is called by hand, from a fresh encoder."""
    import dlib
    import face_recognition_models as weights

    file = {
        5: weights.pose_predictor_five_point_model_location,
        68: weights.pose_predictor_model_location,
    }[points]()
    shape = dlib.shape_predictor(file)(image, dlib.rectangle(180, 66, 268, 160))
    encoder = dlib.face_recognition_model_v1(weights.face_recognition_model_location())
    return np.array(encoder.compute_face_descriptor(image, shape, jitters), np.float32)


@pytest.mark.parametrize(("points", "jitters"), [(5, 1), (68, 1), (5, 2)])
def test_a_face_has_dlibs_own_descriptor(points: Any, jitters: int, image: ImageArray) -> None:
    vector = face_dlib.encode(image, FACE, points=points, num_jitters=jitters)
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    np.testing.assert_array_equal(vector, dlibs_own(image, points, jitters))


def test_a_jittered_face_does_not_depend_on_what_was_encoded_before(image: ImageArray) -> None:
    settings = FaceSettings(num_jitters=2)
    chip = DLIB_RESNET.chip(DLIB_RESNET.model, image, Face(FACE, 1.0))
    alone = DLIB_RESNET.encode(None, DLIB_RESNET.model, [chip], settings)
    together = DLIB_RESNET.encode(None, DLIB_RESNET.model, [chip, chip], settings)
    np.testing.assert_array_equal(together, np.concatenate([alone, alone]))
    np.testing.assert_array_equal(alone[0], dlibs_own(image, 5, 2))


def test_settings_reach_dlib(image: ImageArray, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Box, dict[str, int]]] = []

    def encode(image: ImageArray, box: Box, **options: int) -> Any:
        calls.append((box, options))
        return np.full(128, len(calls), np.float32)

    monkeypatch.setattr(face_dlib, "encode", encode)
    other = Box(1, 2, 3, 4)
    rows = DLIB_RESNET.encode(
        None, DLIB_RESNET.model, [(image, FACE), (image, other)], FaceSettings(68, 5, flip=True)
    )
    assert calls == [(box, {"points": 68, "num_jitters": 5}) for box in (FACE, other)]
    assert rows[:, 0].tolist() == [1, 2]


def test_no_faces_have_no_vectors() -> None:
    rows = DLIB_RESNET.encode(None, DLIB_RESNET.model, [], FaceSettings())
    assert rows.shape == (0, 128)
    assert rows.dtype == np.float32


def test_the_names_of_settings_are_those_that_dlib_heeds() -> None:
    assert DLIB_RESNET.settings_key(FaceSettings(5, 2, flip=True)) == "5|2"
    assert DLIB_RESNET.settings_key(FaceSettings(68, 1, flip=False)) == "68|1"
    assert (DLIB_RESNET.metric, DLIB_RESNET.holds_lock) == ("euclidean", True)


def test_without_dlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DLIB_RESNET.load(BY_NAME["dlib-resnet"], Place(CPU, tmp_path))
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(InputError, match=r"pip install 'castsearch\[dlib\]'"):
        DLIB_RESNET.load(BY_NAME["dlib-resnet"], Place(CPU, tmp_path))
