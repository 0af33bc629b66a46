"""The encoders by name: built in, of the user's table, of files, and of one line more here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from castsearch.encoders.encoder import BodyEncoder, FaceEncoder, FaceSettings
from castsearch.encoders.table import (
    BODY_ENCODERS,
    FACE_ENCODERS,
    body_encoder_of,
    face_encoder_of,
    models_of_encoders,
)
from castsearch.errors import InputError
from castsearch.features.asked import LookSettings, asked
from castsearch.features.extract import extract
from castsearch.features.region import Region
from castsearch.features.store import Store
from castsearch.models import config as models
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.presets import PRESETS
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Face, FloatArray, ImageArray, Picture

BOTH = [(FACE_ENCODERS, face_encoder_of), (BODY_ENCODERS, body_encoder_of)]


def test_every_encoder_stands_under_the_name_of_its_model() -> None:
    assert list(FACE_ENCODERS) == ["sface", "sface-int8", "dlib-resnet"]
    assert list(BODY_ENCODERS) == ["efficientnet-lite0", "lite0-parts", "hsv-stripes"]
    for built_in, of in BOTH:
        for name, encoder in built_in.items():
            assert encoder.model is models.BY_NAME[name]
            assert of(name) is encoder
    assert models_of_encoders() == {
        name: models.BY_NAME[name] for name in [*FACE_ENCODERS, *BODY_ENCODERS]
    }


def test_every_preset_has_its_encoders_and_the_table_of_models_no_other() -> None:
    for preset in PRESETS.values():
        assert preset.look.encoder in FACE_ENCODERS
        assert set(preset.look.body) <= BODY_ENCODERS.keys()
    of_kind = {
        kind: [m.name for m in models.BUILT_IN if m.kind == kind]
        for kind in ("face encoder", "body encoder")
    }
    assert of_kind == {"face encoder": list(FACE_ENCODERS), "body encoder": list(BODY_ENCODERS)}


def corner_chip(model: Model, image: ImageArray, face: Face) -> ImageArray:
    """The pixels around the middle of a face: no landmarks are asked for."""
    x, y = (face.box.x0 + face.box.x1) / 2, (face.box.y0 + face.box.y1) / 2
    return image[round(y) - 4 : round(y) + 4, round(x) - 4 : round(x) + 4]


def load_bins(model: Model, place: Place) -> int:
    return model.dim


def bins(n: int, crops: Sequence[ImageArray]) -> FloatArray:
    """Histograms of grey levels in ``n`` bins, of length 1."""
    counts = [np.histogram(crop.mean(axis=2), n, (0, 256))[0] for crop in crops]
    rows = np.array(counts, np.float32).reshape(-1, n)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def encode_faces(
    n: int, model: Model, chips: Sequence[ImageArray], settings: FaceSettings
) -> FloatArray:
    return bins(n, chips)


def encode_bodies(n: int, model: Model, crops: Sequence[ImageArray], flip: bool) -> FloatArray:
    return bins(n, crops)


def settings_key(settings: FaceSettings) -> str:
    return "plain"


def own_model(name: str, kind: models.Kind, dim: int) -> Model:
    return Model(name, kind, "no file", sha256="12345678" * 8, dim=dim)


GREY_FACE = FaceEncoder(
    own_model("grey-face", "face encoder", 8), load_bins, corner_chip, encode_faces, settings_key
)
GREY_BODY = BodyEncoder(
    own_model("grey-body", "body encoder", 16), load_bins, encode_bodies, is_mirrored=False
)


@pytest.fixture
def with_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two encoders with preprocessing of their own, each one line in its table."""
    monkeypatch.setitem(FACE_ENCODERS, "grey-face", GREY_FACE)
    monkeypatch.setitem(BODY_ENCODERS, "grey-body", GREY_BODY)


@pytest.mark.usefixtures("with_grey")
def test_an_encoder_of_one_line_in_the_table_encodes(tmp_path: Path, collins: Path) -> None:
    # HOG gives no landmarks; this encoder asks for none.
    look = LookSettings(locator="yunet", encoder="grey-face", body=("grey-body", "hsv-stripes"))
    what = asked(look)
    assert (what.encoder, what.bodies[0]) == (GREY_FACE, GREY_BODY)
    assert [model.name for model in what.models] == [
        "yunet",
        "grey-face",
        "grey-body",
        "hsv-stripes",
    ]
    regions = [Region("crop", Picture(collins)), Region("a", Picture(collins), role="portrait")]
    with Store(tmp_path / "s.sqlite") as store:
        features, work = extract(regions, what, store)
    assert (work.n_detected, work.n_embedded, work.n_bodies) == (2, 2, 2)
    crop = features["crop"]
    image = decode(read_bytes(collins), collins.name)
    np.testing.assert_array_equal(crop.body["grey-body"], bins(16, [image])[0])
    assert crop.face is not None
    chip = corner_chip(GREY_FACE.model, image, crop.face)
    np.testing.assert_array_equal(crop.vector, bins(8, [chip])[0])
    assert features["a"].vector is not None
    # Again nothing is done: what it made is read under its own name.
    with Store(tmp_path / "s.sqlite") as store:
        assert any("|grey-face:1234567812345678:" in name for name in names(store, collins))
        again, work = extract(regions, what, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 0, 0)
    np.testing.assert_array_equal(again["crop"].vector, crop.vector)


def names(store: Store, path: Path) -> list[str]:
    from castsearch.sources.images import content_hash

    return list(store.read(content_hash(path.read_bytes()), ""))


@pytest.mark.usefixtures("with_grey")
def test_an_encoder_of_one_line_in_the_table_is_named_where_names_are_listed() -> None:
    assert models_of_encoders()["grey-body"] is GREY_BODY.model
    with pytest.raises(InputError, match=r"there are .*grey-body.*, or the path of an ONNX file"):
        body_encoder_of("nope")
    with pytest.raises(InputError, match="The model 'grey-face' is a face encoder, not a body enc"):
        body_encoder_of("grey-face")


def test_unknown_names_are_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError) as refusal:
        face_encoder_of("nope")
    assert str(refusal.value) == (
        "There is no face encoder 'nope'; there are sface, sface-int8, dlib-resnet, "
        "or the path of an ONNX file."
    )
    with pytest.raises(InputError) as refusal:
        body_encoder_of("nope")
    assert str(refusal.value) == (
        "There is no body encoder 'nope'; there are efficientnet-lite0, lite0-parts, hsv-stripes, "
        "or the path of an ONNX file."
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("sface", "The model 'sface' is a face encoder, not a body encoder."),
        ("yunet", "The model 'yunet' is a face detector, not a body encoder."),
        ("gone.onnx", "gone.onnx: no such model file."),
    ],
)
def test_wrong_body_encoders_are_refused(name: str, sentence: str) -> None:
    with pytest.raises(InputError) as refusal:
        body_encoder_of(name)
    assert str(refusal.value) == sentence


def test_a_body_encoder_is_no_face_encoder() -> None:
    with pytest.raises(InputError, match="'hsv-stripes' is a body encoder, not a face encoder"):
        face_encoder_of("hsv-stripes")


def test_a_file_is_taken_as_arcface_or_imagenet_has_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"network")
    face = face_encoder_of(str(path)).model
    assert (face.name, face.file, face.kind) == ("mine", str(path), "face encoder")
    assert (face.size, face.mean, face.std) == ((112, 112), (127.5,) * 3, (127.5,) * 3)
    body = body_encoder_of(str(path)).model
    assert (body.name, body.kind, body.size) == ("mine", "body encoder", (0, 0))
    # 255 times (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225).
    np.testing.assert_allclose(body.mean, [123.675, 116.28, 103.53])
    np.testing.assert_allclose(body.std, [58.395, 57.12, 57.375])


def test_a_model_of_the_users_table_is_taken_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(models.CONFIG_VARIABLE, str(tmp_path / "castsearch.toml"))
    (tmp_path / "w.onnx").write_bytes(b"network")
    mine = {"file": "w.onnx", "size": [96, 64], "mean": [1.0, 2.0, 3.0], "precision": "int8"}
    models.add("my-face", {"kind": "face encoder", **mine})
    models.add("my-body", {"kind": "body encoder", **mine})
    face, body = face_encoder_of("my-face").model, body_encoder_of("my-body").model
    for model in (face, body):
        assert (model.size, model.mean, model.precision) == ((96, 64), (1.0, 2.0, 3.0), "int8")
    with pytest.raises(InputError, match="there are sface, sface-int8, dlib-resnet, my-face, or"):
        face_encoder_of("nope")
    with pytest.raises(InputError, match="'my-body' is a body encoder, not a face encoder"):
        face_encoder_of("my-body")
