"""Body vectors beside faces: which regions get them, and that none is made twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from castsearch.features.features import Region
from castsearch.features.recipe import Recipe, recipe_of

from castsearch.cli import main
from castsearch.encoders.stripes import stripes
from castsearch.errors import InputError
from castsearch.features import recipe as recipes
from castsearch.features.extract import extract
from castsearch.features.store import Store
from castsearch.presets import preset
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box

BOTH = "body=efficientnet-lite0,hsv-stripes"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.sqlite")


def face(*settings: str) -> Recipe:
    return recipe_of(preset("face", settings))


@pytest.fixture
def regions(hopper: Path, collins: Path) -> Sequence[Region]:
    return [
        Region("portrait", hopper, role="portrait"),
        Region("crop", collins),
        Region("no face", collins, Box(0, 300, 512, 512)),
        Region("outside", collins, Box(600, 600, 700, 700)),
    ]


def test_candidates_have_a_vector_of_each_encoder_and_portraits_none(
    store: Store, regions: Sequence[Region], collins: Path
) -> None:
    features, work = extract(regions, face(BOTH), store)
    assert features["portrait"].body == {}
    assert features["outside"].problem
    for name in ("crop", "no face"):
        body = features[name].body
        assert set(body) == {"efficientnet-lite0", "hsv-stripes"}
        assert body["efficientnet-lite0"].shape == (1280,)
        assert all(v.dtype == np.float32 for v in body.values())
        assert [np.linalg.norm(v) for v in body.values()] == pytest.approx([1, 1], abs=1e-5)
    assert features["no face"].face is None
    lower = decode(read_bytes(collins), "collins")[300:]
    assert np.array_equal(features["no face"].body["hsv-stripes"], stripes(lower))
    # Portrait and crop have a face, two crops a body; each picture was decoded once.
    assert (work.n_decoded, work.n_embedded, work.n_bodies) == (2, 2, 4)


def test_only_what_is_new_is_embedded(store: Store, regions: Sequence[Region]) -> None:
    def done(*settings: str) -> tuple[int, int, int, int]:
        work = extract(regions[:3], face(*settings), store)[1]
        return work.n_decoded, work.n_detected, work.n_embedded, work.n_bodies

    assert done() == (2, 3, 2, 0)
    assert done("body=hsv-stripes") == (1, 0, 0, 2)
    assert done(BOTH) == (1, 0, 0, 2)
    assert done(BOTH) == (0, 0, 0, 0)
    # Stripes are the same mirrored; the network's vectors are not.
    assert done(BOTH, "flip_body=true") == (1, 0, 0, 2)
    assert done() == (0, 0, 0, 0)


def test_a_preset_of_faces_alone_touches_no_body_encoder(
    store: Store, regions: Sequence[Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("a body was encoded")

    monkeypatch.setattr(recipes, "encode_body", never)
    features, work = extract(regions, face(), store)
    assert features["crop"].body == {}
    assert work.n_bodies == 0


def test_bodies_alone_need_no_face(
    store: Store, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("a face was looked for")

    monkeypatch.setattr("castsearch.detectors.yunet.detect", never)
    monkeypatch.setattr(recipes, "weights", never)
    features, work = extract([Region("a", hopper, role="body")], face("body=hsv-stripes"), store)
    assert features["a"].body["hsv-stripes"].shape == (256,)
    assert features["a"].face is None
    assert (work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 1)


def test_dlib_presets_have_bodies_too(store: Store, collins: Path) -> None:
    recipe = recipe_of(preset("dlib_inverse", ["body=hsv-stripes"]))
    features, _ = extract([Region("a", collins)], recipe, store)
    assert features["a"].body["hsv-stripes"].shape == (256,)
    assert features["a"].vector is not None


def test_rank_takes_body_models(tmp_path: Path, hopper: Path, collins: Path) -> None:
    film = tmp_path / "film"
    for part in ("cast", "candidates"):
        (film / part).mkdir(parents=True)
        shutil.copy(hopper, film / part / "a.jpg")
    shutil.copy(collins, film / "candidates" / "b.png")
    options = ["--body-model", "hsv-stripes", "--out", str(tmp_path / "out"), "--quiet"]
    store = ["--store", str(tmp_path / "s.sqlite")]
    assert main(["rank", str(film), *options, *store]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert set(run["models"]) == {"yunet", "sface", "hsv-stripes"}
    # Both crops show a face, so their lower parts are embedded too.
    assert run["work"]["n_bodies"] == 4
    assert main(["rank", str(film), *options, *store]) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["work"] == dict.fromkeys(run["work"], 0) | {"n_pictures": 3}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["nope"], "There is no body encoder 'nope'; there are .*hsv-stripes"),
        (["sface"], "'sface' is a face encoder, not a body encoder"),
        (["gone.onnx"], "gone.onnx: no such model file"),
        (["hsv-stripes", "hsv-stripes"], "Two body encoders have one name"),
    ],
)
def test_wrong_body_encoders_are_refused(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        recipe_of(preset("face"), body_models=names)


def test_a_file_that_is_no_network_is_refused(store: Store, tmp_path: Path, hopper: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match="onnxruntime cannot run this model"):
        extract([Region("a", hopper)], recipe_of(preset("face"), body_models=[str(path)]), store)


def test_a_file_is_told_from_another_of_the_same_name(tmp_path: Path) -> None:
    keys = []
    for content in (b"first", b"second version"):
        (tmp_path / "mine.onnx").write_bytes(content)
        recipe = recipe_of(preset("face"), body_models=[str(tmp_path / "mine.onnx")])
        keys += recipe.body_keys(role="candidate")
    assert len(set(keys)) == 2
