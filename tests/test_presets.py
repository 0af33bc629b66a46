from __future__ import annotations

import dataclasses

import pytest

from castsearch.errors import InputError
from castsearch.features.asked import LookSettings
from castsearch.presets import DEFAULT, PRESETS, SETTINGS, Preset, preset
from castsearch.ranking.orders import ORDERS


def values(part: object) -> dict[str, object]:
    """Every single value of settings and the settings in them, by its name."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        inner = values(value) if dataclasses.is_dataclass(value) else {field.name: value}
        assert not found.keys() & inner.keys(), "each name stands once"
        found |= inner
    return found


def settings_of(chosen: Preset) -> dict[str, object]:
    """What ``--set`` may change of a preset, by name."""
    every = values(chosen.look) | values(chosen.order)
    return {name: value for name, value in every.items() if name != "all_faces"}


def test_every_preset_has_its_own_name_and_is_frozen() -> None:
    assert list(PRESETS) == [p.name for p in PRESETS.values()]
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["face"].look = LookSettings()  # type: ignore[misc]


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
        ("upsample=2", 2),
        ("max_size=640", 640),
        ("fusion=film", "film"),
        ("relation=inverse", "inverse"),
        ("flip_body=true", True),
    ],
)
def test_single_values_can_be_replaced(setting: str, value: object) -> None:
    name = setting.partition("=")[0]
    changed = preset("face", [setting])
    assert settings_of(changed) == settings_of(PRESETS["face"]) | {name: value}
    assert dataclasses.replace(changed, look=None, order=None) == dataclasses.replace(
        PRESETS["face"], look=None, order=None
    )


def test_every_value_of_every_part_is_a_setting_but_what_the_order_decides() -> None:
    assert sorted(SETTINGS) == sorted(settings_of(PRESETS["face"]))
    assert len(set(SETTINGS)) == len(SETTINGS)
    with pytest.raises(InputError, match="There is no setting 'all_faces'"):
        preset("face", ["all_faces=true"])


def test_the_preset_without_a_name_is_there_and_every_preset_has_its_order() -> None:
    assert DEFAULT in PRESETS
    for chosen in PRESETS.values():
        assert chosen.way is ORDERS[chosen.order.fusion]


def test_values_are_replaced_one_after_another_and_from_a_mapping_too() -> None:
    pairs = preset("castsearch", ["upsample=1", " min_size = 320 ", "fusion=face", "upsample=2"])
    assert (pairs.look.detect.upsample, pairs.look.detect.min_size) == (2, 320)
    assert pairs.order.fusion == "face"
    assert preset("castsearch", {"upsample": "2", "min_size": "320", "fusion": "face"}) == pairs
    assert preset("castsearch") is PRESETS["castsearch"]


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
        ("face", "locator=eyes", "takes yunet or hog or mmod or whole, not 'eyes'"),
        ("face", "fusion=magic", "The setting fusion takes face or clusters or film, not 'magic'"),
        ("face", "detect_sizes=8", "takes numbers >= 16, not '8'"),
    ],
)
def test_wrong_settings_are_refused(name: str, setting: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        preset(name, [setting])
