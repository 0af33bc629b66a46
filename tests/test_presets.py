from __future__ import annotations

import dataclasses

import pytest

from castsearch.errors import InputError
from castsearch.presets import PRESETS, SETTINGS, preset


def test_every_preset_has_its_own_name_and_is_frozen() -> None:
    assert list(PRESETS) == [p.name for p in PRESETS.values()]
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["face"].upsample = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("num_jitters=5", 5),
        ("flip=true", True),
        ("flip_cast=0", False),
        ("landmarks=68", 68),
        ("locator=hog", "hog"),
        ("min_score=0.25", 0.25),
        ("detect_sizes=384,640", (384, 640)),
        ("encoder=mine", "mine"),
        ("body=efficientnet-lite0, hsv-stripes", ("efficientnet-lite0", "hsv-stripes")),
        ("body=", ()),
        ("flip_body=true", True),
    ],
)
def test_single_values_can_be_replaced(setting: str, value: object) -> None:
    name = setting.partition("=")[0]
    changed = preset("face", [setting])
    assert getattr(changed, name) == value
    others = [s for s in SETTINGS if s != name]
    assert all(getattr(changed, s) == getattr(PRESETS["face"], s) for s in others)


@pytest.mark.parametrize(
    ("name", "setting", "sentence"),
    [
        ("nope", "flip=true", "There is no preset 'nope'"),
        ("face", "nope=1", "There is no setting 'nope'"),
        ("face", "flip", "not of the form NAME=VALUE"),
        ("face", "flip=maybe", "takes true or false, not 'maybe'"),
        ("face", "upsample=-1", "takes a whole number, 0 or more, not '-1'"),
        ("face", "min_score=nan", "takes a number, 0 or more, not 'nan'"),
        ("face", "landmarks=6", "takes 5 or 68, not '6'"),
        ("face", "landmarks=x", "takes 5 or 68, not 'x'"),
        ("face", "detect_sizes=", "takes numbers >= 16, not ''"),
        ("face", "detect_sizes=8", "takes numbers >= 16, not '8'"),
    ],
)
def test_wrong_settings_are_refused(name: str, setting: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        preset(name, [setting])
