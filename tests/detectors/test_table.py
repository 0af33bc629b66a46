"""The locators by name, and one more that is added by a line in the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.detectors.detector import Detector, DetectSettings
from castsearch.detectors.table import DETECTORS
from castsearch.errors import InputError
from castsearch.features.asked import LookSettings, asked
from castsearch.features.extract import extract
from castsearch.features.region import Region
from castsearch.features.store import Store
from castsearch.networks.device import Place
from castsearch.presets import PRESETS, preset
from castsearch.types import Box, Face, ImageArray, Picture


def test_every_locator_stands_under_its_name_and_every_preset_has_one() -> None:
    assert list(DETECTORS) == ["yunet", "hog", "mmod", "whole"]
    assert [one.name for one in DETECTORS.values()] == list(DETECTORS)
    assert {p.look.locator for p in PRESETS.values()} <= DETECTORS.keys()
    # dlib keeps the interpreter lock, onnxruntime does not.
    assert {name for name, one in DETECTORS.items() if one.holds_lock} == {"hog", "mmod", "whole"}
    models = {name: one.model.name for name, one in DETECTORS.items() if one.model}
    assert models == {"yunet": "yunet", "mmod": "dlib-mmod"}


def left_half(scale: int, image: ImageArray, settings: DetectSettings) -> list[Face]:
    """A face in the left half of a picture, eyes and mouth where they would be."""
    height, width = image.shape[:2]
    points = ((0.15, 0.3), (0.35, 0.3), (0.25, 0.5), (0.17, 0.7), (0.33, 0.7))
    landmarks = tuple((x * width, y * height) for x, y in points)
    return [Face(Box(0, 0, width / scale, height), settings.min_score, landmarks)]


def nothing(scale: int, image: ImageArray, settings: DetectSettings) -> list[Face]:
    return []


def load(place: Place) -> int:
    return 2


def settings_key(settings: DetectSettings) -> str:
    return f"{settings.min_score}"


LEFT = Detector("left", None, load, left_half, nothing, left_half, settings_key)


def test_a_locator_of_one_line_in_the_table_looks(
    tmp_path: Path, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DETECTORS, "left", LEFT)
    what = asked(LookSettings(locator="left", detect=DetectSettings(min_score=0.25)))
    assert what.detector is LEFT
    assert what.faces_key("candidate") == "faces|left|candidate|0.25"
    assert [model.name for model in what.models] == ["sface"]
    picture = Picture(collins)
    regions = [
        Region("crop", picture, Box(100, 40, 360, 480)),
        Region("portrait", picture, role="portrait"),
        Region("still", picture, role="still"),
    ]
    with Store(tmp_path / "s.sqlite") as store:
        features, work = extract(regions, what, store)
    # In pixels of the picture: the left half of the crop.
    assert features["crop"].face == Face(Box(100, 40, 230, 480), 0.25)
    assert features["crop"].vector is not None
    assert features["crop"].vector.shape == (128,)
    assert features["portrait"].face is None
    assert [face.box for face in features["still"].faces] == [Box(0, 0, 256, 512)]
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 3, 1)


def test_an_unknown_locator_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError) as refusal:
        asked(LookSettings(locator="eyes"))
    assert str(refusal.value) == (
        "The setting locator takes yunet or hog or mmod or whole, not 'eyes'."
    )
    with pytest.raises(InputError, match="locator takes yunet or hog or mmod or whole"):
        preset("face", ["locator=eyes"])
