"""Crops in, unit vectors out; reads as examples."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from castsearch.cli import main
from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.verbs.demo import compose
from castsearch.verbs.embed import embed, score_identities, write_vectors


@pytest.fixture
def crops(tmp_path: Path, hopper: Path, collins: Path) -> Path:
    """A folder of folders with pictures."""
    folder = tmp_path / "crops"
    (folder / "hopper").mkdir(parents=True)
    shutil.copy(hopper, folder / "hopper" / "1.jpg")
    shutil.copy(collins, folder / "collins.png")
    return folder


@pytest.fixture
def two_cameras(tmp_path: Path) -> Path:
    """Four people in plain colours, seen by two cameras, one of them a little darker."""
    colours = {"001": (200, 30, 30), "002": (30, 200, 30), "003": (30, 30, 200), "004": (90, 90, 9)}
    for name, colour in colours.items():
        (tmp_path / "set" / "val" / name).mkdir(parents=True)
        for camera, light in ((1, 1.0), (2, 0.9)):
            with Image.new("RGB", (48, 128), tuple(int(light * c) for c in colour)) as picture:
                picture.save(tmp_path / "set" / "val" / name / f"{camera:02}_1.png")
    return tmp_path / "set"


def test_embed_a_folder_of_pictures(crops: Path, tmp_path: Path) -> None:
    made = embed(crops, "efficientnet-lite0", runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert made.ids == ("collins.png", "hopper/1.jpg")
    assert made.vectors.shape == (2, 1280)
    assert made.vectors.dtype == np.float32
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert (made.work.n_decoded, made.work.n_detected, made.work.n_bodies) == (2, 0, 2)
    again = embed(crops, "efficientnet-lite0", runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert np.array_equal(again.vectors, made.vectors)
    assert (again.work.n_decoded, again.work.n_bodies) == (0, 0)


def test_mirrored_crops_have_the_same_vector_with_flip(
    crops: Path, tmp_path: Path, hopper: Path
) -> None:
    with Image.open(hopper) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(crops / "mirrored.png")
        picture.save(crops / "same.png")
    store = tmp_path / "s.sqlite"

    def similarity(*, flip: bool) -> float:
        made = embed(crops, "efficientnet-lite0", flip=flip, runtime=Runtime(store=store))
        a, b = (made.vectors[made.ids.index(name)] for name in ("mirrored.png", "same.png"))
        return float(a @ b)

    assert similarity(flip=True) == pytest.approx(1, abs=1e-3)
    assert similarity(flip=False) < 0.999


def test_embed_the_candidates_of_a_movie(tmp_path: Path) -> None:
    movie = compose(tmp_path / "demo")
    document = json.loads((movie / "demo.json").read_text())["tt0000001"]
    made = embed(movie, "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert sorted(made.ids) == sorted(c["id"] for c in document["candidates"])
    assert made.vectors.shape == (len(made.ids), 256)


def test_candidates_numbered_alike_have_their_movie_before_them(
    tmp_path: Path, hopper: Path
) -> None:
    wider = {}
    for movie in ("tt1", "tt2"):
        (tmp_path / "val" / movie).mkdir(parents=True)
        shutil.copy(hopper, tmp_path / "val" / movie / "a.jpg")
        wider[movie] = {
            "cast": [{"id": f"{movie}_nm1", "img": f"{movie}/a.jpg", "label": "nm1"}],
            "candidates": [
                {"id": "1", "img": f"{movie}/a.jpg", "bbox": [0, 0, 99, 99], "label": "nm1"}
            ],
        }
    (tmp_path / "val.json").write_text(json.dumps(wider))
    made = embed(tmp_path, "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert made.ids == ("tt1/1", "tt2/1")


@pytest.mark.parametrize("model", ["sface", "dlib-resnet"])
def test_face_encoders_see_the_face_and_crops_without_one_are_named(
    model: str, crops: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 128), "green").save(crops / "empty.png")
    made = embed(crops, model, runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert made.ids == ("collins.png", "hopper/1.jpg")
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert [p.message for p in made.problems] == ["empty.png: no face was found in it."]


def test_whole_stills_are_left_out_and_named(tmp_path: Path, hopper: Path) -> None:
    for part in ("cast", "stills", "candidates"):
        (tmp_path / "film" / part).mkdir(parents=True)
        shutil.copy(hopper, tmp_path / "film" / part / "a.jpg")
    made = embed(tmp_path / "film", "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert len(made.ids) == 1
    assert "1 whole stills without boxes" in made.problems[0].message


def test_embed_writes_npz_and_parquet(crops: Path, tmp_path: Path, capsys) -> None:
    options = ["--model", "hsv-stripes", "--store", str(tmp_path / "s.sqlite")]
    assert main(["embed", str(crops), "--out", str(tmp_path / "v.npz"), *options, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["n_vectors"], facts["dim"], facts["work"]["n_bodies"]) == (2, 256, 2)
    assert main(["embed", str(crops), "-o", str(tmp_path / "v.parquet"), *options]) == 0
    assert "wrote 2 vectors of 256 numbers" in capsys.readouterr().out
    arrays = np.load(tmp_path / "v.npz", allow_pickle=False)
    table = pl.read_parquet(tmp_path / "v.parquet")
    assert arrays["ids"].tolist() == table["id"].to_list() == ["collins.png", "hopper/1.jpg"]
    assert arrays["vectors"].dtype == np.float32
    assert np.array_equal(arrays["vectors"], table["vector"].to_numpy())


def test_without_polars_a_sentence_names_the_extra_before_any_work(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "polars" else find(name)
    )
    store = tmp_path / "s.sqlite"
    options = ["--model", "hsv-stripes", "--store", str(store)]
    assert main(["embed", str(crops), "--out", str(tmp_path / "v.parquet"), *options]) == 2
    assert "pip install 'castsearch[parquet]'" in capsys.readouterr().err
    assert not store.exists()
    assert main(["embed", str(crops), "--out", str(tmp_path / "v.npz"), *options]) == 0


@pytest.mark.parametrize(
    ("model", "out", "sentence"),
    [
        ("nope", "v.npz", "There is no body encoder 'nope'"),
        ("yunet", "v.npz", "'yunet' is a face detector"),
        ("hsv-stripes", "v.csv", "is to end in .npz or .parquet"),
    ],
)
def test_what_cannot_be_embedded_is_refused(
    model: str, out: str, sentence: str, crops: Path, tmp_path: Path, capsys
) -> None:
    options = ["--model", model, "--out", str(tmp_path / out)]
    assert main(["embed", str(crops), *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / out).exists()


def test_nothing_but_broken_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"no crop in it has a vector\. a\.jpg"):
        embed(tmp_path, "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite"))


def test_vectors_are_written_whole_or_not_at_all(crops: Path, tmp_path: Path) -> None:
    made = embed(crops, "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite"))
    with pytest.raises(InputError, match="is to end in"):
        write_vectors(tmp_path / "v.txt", made)
    write_vectors(tmp_path / "new" / "v.npz", made)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["v.npz"]
    assert (tmp_path / "new" / "v.npz").stat().st_mode & 0o777 == 0o600


def test_what_embed_kept_is_forgotten(crops: Path, tmp_path: Path, capsys) -> None:
    store = ["--store", str(tmp_path / "s.sqlite")]
    options = ["--model", "hsv-stripes", "--out", str(tmp_path / "v.npz"), "--quiet"]
    assert main(["embed", str(crops), *options, *store]) == 0
    assert main(["forget", str(crops), *store]) == 0
    assert "deleted 2 results of 2 pictures" in capsys.readouterr().out
    work = embed(crops, "hsv-stripes", runtime=Runtime(store=tmp_path / "s.sqlite")).work
    assert work.n_bodies == 2


def test_the_market1501_protocol(two_cameras: Path, tmp_path: Path, capsys) -> None:
    command = ["evaluate", "--protocol", "market1501", str(two_cameras), "--model", "hsv-stripes"]
    store = ["--store", str(tmp_path / "s.sqlite")]
    assert main([*command, *store]) == 0
    shown = capsys.readouterr().out
    assert "mAP 1.0000 (trapezoid form 1.0000)" in shown
    assert "4 queries, 4 pictures in the gallery" in shown
    assert main([*command, *store, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rank1"] == 1.0


@pytest.mark.parametrize(
    ("part", "options", "sentence"),
    [
        ("", [], "needs --model"),
        ("", ["--model", "sface"], "is a face encoder, not a body encoder"),
        ("val", ["--model", "hsv-stripes"], "no queries with a gallery"),
        ("none", ["--model", "hsv-stripes"], "is no folder"),
    ],
)
def test_what_the_protocol_cannot_score_is_refused(
    part: str, options: list[str], sentence: str, two_cameras: Path, capsys
) -> None:
    command = ["evaluate", "--protocol", "market1501", str(two_cameras / part)]
    assert main([*command, *options]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(("model", "least"), [("hsv-stripes", 0.35), ("efficientnet-lite0", 0.36)])
def test_descriptors_on_the_real_set_of_two_cameras(
    model: str, least: float, data_dir: Path, tmp_path: Path
) -> None:
    runtime = Runtime(store=tmp_path / "s.sqlite")
    result = score_identities(data_dir / "reid-pku", model, runtime=runtime)
    score = result.market
    assert result.problems == ()
    assert (score.n_queries, score.n_gallery, score.n_skipped) == (96, 96, 0)
    assert least < score.mAP < 0.5
