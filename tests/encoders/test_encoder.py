"""A network is loaded once, and vectors are stored under its model and the device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from castsearch.encoders.encoder import BodyEncoder, FaceEncoder, FaceSettings, network, vector_key
from castsearch.models.config import fingerprint
from castsearch.models.table import BY_NAME, Model
from castsearch.networks.device import CPU, DEVICES, Place
from castsearch.types import Face, FloatArray, ImageArray


def encode_body(ready: str, model: Model, crops: Sequence[ImageArray], flip: bool) -> FloatArray:
    return np.ones((len(crops), 1), np.float32)


def encode_face(
    ready: str, model: Model, chips: Sequence[ImageArray], settings: FaceSettings
) -> FloatArray:
    return np.ones((len(chips), 1), np.float32)


def chip(model: Model, image: ImageArray, face: Face) -> ImageArray:
    return image


def encoder(kind: str, calls: list[tuple[str, Place]]) -> FaceEncoder | BodyEncoder:
    """An encoder that remembers what was loaded where."""

    def load(model: Model, place: Place) -> str:
        calls.append((model.name, place))
        return f"{model.name} on {place.device.name}"

    if kind == "body":
        return BodyEncoder(BY_NAME["hsv-stripes"], load, encode_body)
    return FaceEncoder(BY_NAME["sface"], load, chip, encode_face, lambda settings: "")


@pytest.mark.parametrize(("kind", "name"), [("body", "hsv-stripes"), ("face", "sface")])
def test_a_network_is_loaded_once_for_each_place(kind: str, name: str, tmp_path: Path) -> None:
    calls: list[tuple[str, Place]] = []
    mine = encoder(kind, calls)
    here, gpu = Place(CPU, tmp_path), Place(DEVICES["cuda"], tmp_path)
    assert [network(mine, here), network(mine, Place(CPU, tmp_path))] == [f"{name} on cpu"] * 2
    assert network(mine, gpu) == f"{name} on cuda"
    assert calls == [(name, here), (name, gpu)]


def test_vectors_are_stored_under_the_model_and_the_device(tmp_path: Path) -> None:
    here, gpu = Place(CPU, tmp_path), Place(DEVICES["cuda"], tmp_path)
    for kind, name in (("body", "hsv-stripes"), ("face", "sface")):
        mine = encoder(kind, [])
        print_of_model = fingerprint(BY_NAME[name])
        assert print_of_model.startswith(f"{name}:{BY_NAME[name].sha256[:16]}:")
        assert vector_key(mine, here) == print_of_model
        assert vector_key(mine, gpu) == f"{print_of_model}@cuda"


def test_an_encoder_is_compared_by_cosine_and_runs_in_threads_unless_it_says_otherwise() -> None:
    mine = encoder("face", [])
    assert isinstance(mine, FaceEncoder)
    assert (mine.metric, mine.holds_lock) == ("cosine", False)
    body = encoder("body", [])
    assert isinstance(body, BodyEncoder)
    assert (body.is_mirrored, body.split) == (True, None)
