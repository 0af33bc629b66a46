"""What is asked of pictures, and the names that answers have had in the store since 0.1.0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castsearch.detectors.detector import DetectSettings
from castsearch.encoders.encoder import FaceSettings
from castsearch.errors import InputError
from castsearch.features import asked as module
from castsearch.features.asked import Asked, LookSettings, asked, load
from castsearch.features.region import Role
from castsearch.models.config import fingerprint
from castsearch.models.table import BY_NAME
from castsearch.networks.device import DEVICES, Place
from castsearch.presets import preset
from castsearch.types import Box, Face

FACE = Face(Box(1, 2.5, 3.1234567, 40), 0.9)
AT = "1.000,2.500,3.123,40.000"

YUNET = "yunet:49f000ec501fef24:ec9cd346"
SFACE = "sface:fb143eea07838aa5:14868e7a"
SFACE_INT8 = "sface-int8:fb143eea07838aa5:7f9a3c91"
MMOD = "dlib-mmod:4cb19393e2fbaf2b:d21245ba"
RESNET = "dlib-resnet:55533b28a95800a5:53b499d8"
PARTS = "lite0-parts:579344248a93e230:037d2625"
LITE0 = "efficientnet-lite0:579344248a93e230:037d2625"
STRIPES = "hsv-stripes:e87d513212cc64df:d21245ba"
"""Models as version 0.1.0 wrote them: name, sha256 of the weights, hash of the preparation."""


def of_preset(name: str, *settings: str) -> Asked:
    chosen = preset(name, settings)
    return asked(chosen.look, all_faces=chosen.way.all_faces)


@pytest.mark.parametrize("written", [YUNET, SFACE, SFACE_INT8, MMOD, RESNET, PARTS, LITE0, STRIPES])
def test_models_are_named_as_version_0_1_0_wrote_them(written: str) -> None:
    assert fingerprint(BY_NAME[written.partition(":")[0]]) == written


@pytest.mark.parametrize("role", ["candidate", "portrait", "still", "body"])
def test_names_of_castsearch_are_those_of_version_0_1_0(role: Role) -> None:
    what = of_preset("castsearch")
    faces = f"faces|{YUNET}|{role}|(320, 512)4.00.50.8True"
    assert what.faces_key(role) == faces
    assert what.vector_key(FACE, role) == f"vector|{SFACE}|True|{AT}"
    assert what.vectors_key(role) == f"vectors|{SFACE}|True|{faces}"
    bodies = [f"body|{PARTS}|False", f"body|{STRIPES}|False"]
    assert list(what.body_keys(role)) == (bodies if role in {"candidate", "body"} else [])
    assert what.encodes_all(role) == (role == "candidate")


@pytest.mark.parametrize("role", ["candidate", "portrait", "still", "body"])
def test_names_of_face_are_those_of_version_0_1_0(role: Role) -> None:
    what = of_preset("face")
    assert what.faces_key(role) == f"faces|{YUNET}|{role}|(448,)4.00.50.8False"
    # Portraits are mirrored, candidates are not.
    flip = role == "portrait"
    assert what.vector_key(FACE, role) == f"vector|{SFACE_INT8}|{flip}|{AT}"
    assert what.body_keys(role) == {}
    assert not what.encodes_all(role)


@pytest.mark.parametrize("role", ["candidate", "portrait", "still", "body"])
def test_names_of_sgbt_hybrid_pro_are_those_of_version_0_1_0(role: Role) -> None:
    what = of_preset("sgbt_hybrid_pro")
    assert what.faces_key(role) == f"faces|{MMOD}|{role}|1|0|640"
    jitters = 1 if role == "portrait" else 2
    assert what.vector_key(FACE, role) == f"vector|{RESNET}|5|{jitters}|{AT}"
    bodies = [f"body|{LITE0}|False"] if role in {"candidate", "body"} else []
    assert list(what.body_keys(role)) == bodies
    assert not what.encodes_all(role)


@pytest.mark.parametrize(
    ("name", "faces"),
    [
        ("dlib_inverse", "faces|hog|candidate|1"),
        ("dlib_force_location", "faces|whole|candidate|0"),
        ("dlib_cnn_location", f"faces|{MMOD}|candidate|0"),
        ("sgbt_hybrid_resize", f"faces|{MMOD}|candidate|0|640|640"),
    ],
)
def test_names_of_faces_of_the_other_rows_are_those_of_version_0_1_0(name: str, faces: str) -> None:
    assert of_preset(name).faces_key("candidate") == faces


def test_mirrored_bodies_have_their_own_name_where_it_makes_a_difference() -> None:
    what = of_preset("castsearch", "body=efficientnet-lite0,lite0-parts,hsv-stripes", "flip_body=1")
    names = [f"body|{LITE0}|True", f"body|{PARTS}|False", f"body|{STRIPES}|False"]
    keys = what.body_keys("candidate")
    assert list(keys) == names
    assert [encoder.model.name for encoder in keys.values()] == [
        "efficientnet-lite0",
        "lite0-parts",
        "hsv-stripes",
    ]
    assert [what.flips(encoder) for encoder in what.bodies] == [True, False, False]


def test_another_device_has_its_own_names(tmp_path: Path) -> None:
    what = of_preset("castsearch")
    gpu = replace(what, place=Place(DEVICES["cuda"], tmp_path))
    faces = f"faces|{YUNET}@cuda|candidate|(320, 512)4.00.50.8True"
    assert gpu.faces_key("candidate") == faces
    assert gpu.vector_key(FACE, "candidate") == f"vector|{SFACE}@cuda|True|{AT}"
    assert gpu.vectors_key("candidate") == f"vectors|{SFACE}@cuda|True|{faces}"
    assert list(gpu.body_keys("body")) == [
        f"body|{PARTS}@cuda|False",
        f"body|{STRIPES}@cuda|False",
    ]
    # The name of the faces is worked out once for each, not once for all.
    assert what.faces_key("candidate") == faces.replace("@cuda", "")


def test_portraits_and_candidates_are_encoded_each_in_their_way() -> None:
    look = LookSettings(landmarks=68, num_jitters=2, num_jitters_cast=5, flip=False, flip_cast=True)
    what = asked(look)
    assert what.face_settings("portrait") == FaceSettings(68, 5, flip=True)
    for role in ("candidate", "still", "body"):
        assert what.face_settings(role) == FaceSettings(68, 2, flip=False)


def test_all_faces_are_asked_of_the_detector_only_where_the_order_wants_them() -> None:
    look = LookSettings(detect=DetectSettings(detect_sizes=(99,)))
    assert asked(look).detect == DetectSettings(detect_sizes=(99,))
    assert asked(look, all_faces=True).detect == DetectSettings(detect_sizes=(99,), all_faces=True)


def test_models_are_the_detector_s_the_face_encoder_s_and_the_bodies_in_this_order() -> None:
    names = [model.name for model in of_preset("castsearch").models]
    assert names == ["yunet", "sface", "lite0-parts", "hsv-stripes"]
    assert [model.name for model in of_preset("dlib_inverse").models] == ["dlib-resnet"]


@pytest.mark.parametrize(
    ("look", "holds"),
    [
        (LookSettings(), False),
        (LookSettings(locator="hog"), True),
        (LookSettings(encoder="dlib-resnet"), True),
        (LookSettings(locator="mmod", encoder="dlib-resnet"), True),
    ],
)
def test_either_network_may_hold_the_interpreter_lock(look: LookSettings, holds: bool) -> None:
    assert asked(look).holds_lock is holds


def test_other_encoders_may_be_asked_in_place_of_the_preset_s() -> None:
    look = preset("castsearch").look
    what = asked(look, face_model="sface-int8", body_models=["hsv-stripes"])
    assert [m.name for m in what.models] == ["yunet", "sface-int8", "hsv-stripes"]
    assert what.look is look


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["nope"], "There is no body encoder 'nope'; there are .*hsv-stripes"),
        (["sface"], "'sface' is a face encoder, not a body encoder"),
        (["gone.onnx"], r"gone\.onnx: no such model file"),
        (["hsv-stripes", "hsv-stripes"], "Two body encoders have one name"),
    ],
)
def test_wrong_body_encoders_are_refused(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        asked(preset("face").look, body_models=names)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"face_model": "nope"}, "There is no face encoder 'nope'; there are sface, "),
        ({"face_model": "hsv-stripes"}, "'hsv-stripes' is a body encoder, not a face encoder"),
        ({"device_name": "gpu"}, "There is no device 'gpu'; there are auto, cuda"),
    ],
)
def test_other_unknown_names_are_refused(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        asked(preset("face").look, **options)  # type: ignore[arg-type]


def test_a_file_is_told_from_another_of_the_same_name(tmp_path: Path) -> None:
    keys = []
    for content in (b"first", b"second version"):
        (tmp_path / "mine.onnx").write_bytes(content)
        what = asked(preset("face").look, body_models=[str(tmp_path / "mine.onnx")])
        keys += what.body_keys("candidate")
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("faces", "wanted"),
    [
        (True, ["lite0-parts", "hsv-stripes", "yunet", "sface"]),
        (False, ["lite0-parts", "hsv-stripes"]),
    ],
)
def test_networks_are_loaded_before_any_work_and_those_of_faces_only_if_asked(
    faces: bool, wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    what = of_preset("castsearch")
    places = set()

    def remember(network: object, place: Place) -> None:
        calls.append(network.model.name)  # type: ignore[attr-defined]
        places.add(place)

    monkeypatch.setattr(module, "network", remember)
    monkeypatch.setattr(module, "loaded", remember)
    load(what, faces=faces)
    assert calls == wanted
    assert places == {what.place}


def test_a_network_that_cannot_run_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"no network")
    what = asked(preset("face").look, body_models=[str(tmp_path / "mine.onnx")])
    with pytest.raises(InputError, match="onnxruntime cannot run this model"):
        load(what, faces=False)
