"""A locator is made ready once, and its faces are stored under its model and its device."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from castsearch.detectors.detector import Detector, DetectSettings, detector_key, loaded
from castsearch.models.config import fingerprint
from castsearch.models.table import BY_NAME
from castsearch.networks.device import CPU, DEVICES, Place
from castsearch.types import Face, ImageArray


def nothing(ready: object, image: ImageArray, settings: DetectSettings) -> list[Face]:
    return []


def detector(name: str, calls: list[Place] | None = None, model: str = "") -> Detector:
    """A locator that finds nothing and remembers where it was made ready."""

    def load(place: Place) -> str:
        if calls is not None:
            calls.append(place)
        return f"{name} on {place.device.name}"

    found = BY_NAME[model] if model else None
    return Detector(name, found, load, nothing, nothing, nothing, lambda settings: "")


def test_a_locator_is_made_ready_once_for_each_place(tmp_path: Path) -> None:
    calls: list[Place] = []
    mine, other = detector("mine", calls), detector("other", calls)
    here, gpu = Place(CPU, tmp_path), Place(DEVICES["cuda"], tmp_path)
    assert [loaded(mine, here), loaded(mine, Place(CPU, tmp_path))] == ["mine on cpu"] * 2
    assert calls == [here]
    assert loaded(mine, gpu) == "mine on cuda"
    assert loaded(other, here) == "other on cpu"
    assert calls == [here, gpu, here]


def test_faces_are_stored_under_the_model_or_the_name_and_the_device(tmp_path: Path) -> None:
    here, gpu = Place(CPU, tmp_path), Place(DEVICES["cuda"], tmp_path)
    with_model = detector("mine", model="yunet")
    print_of_yunet = fingerprint(BY_NAME["yunet"])
    assert print_of_yunet.startswith("yunet:49f000ec501fef24:")
    assert detector_key(with_model, here) == print_of_yunet
    assert detector_key(with_model, gpu) == f"{print_of_yunet}@cuda"
    assert detector_key(detector("mine"), here) == "mine"
    assert detector_key(detector("mine"), gpu) == "mine@cuda"


def test_nothing_is_found_by_a_locator_that_finds_nothing() -> None:
    mine = detector("mine")
    image = np.zeros((4, 4, 3), np.uint8)
    assert mine.in_crop("", image, DetectSettings()) == []
    assert mine.holds_lock is False
