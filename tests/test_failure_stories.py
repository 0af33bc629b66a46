"""Movies in which something is odd: each ends with complete rankings or a clear sentence.

The crops are cut from two public-domain photographs.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from castsearch.cli import main

HOPPER, COLLINS = "Grace Hopper", "Eileen Collins"
FACES = {HOPPER: (140, 20, 400, 330), COLLINS: (140, 30, 320, 230)}
"""Where the faces of the photographs are."""


@pytest.fixture(scope="module")
def pictures(hopper: Path, collins: Path) -> dict[str, Image.Image]:
    with Image.open(hopper) as first, Image.open(collins) as second:
        return {HOPPER: first.convert("RGB"), COLLINS: second.convert("RGB")}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    for part in ("cast", "candidates"):
        (tmp_path / "film" / part).mkdir(parents=True)
    return tmp_path / "film"


@pytest.fixture
def fill(film: Path, pictures: dict[str, Image.Image]):
    """Portraits of the cast, and crops: whole, the shoulders without the head, or scenery."""

    def write(cast: Iterable[str], crops: Iterable[str]) -> None:
        for name in cast:
            pictures.get(name, plain()).save(film / "cast" / f"{name}.png")
        for number, crop in enumerate(crops):
            crop_of(crop).save(film / "candidates" / f"{number}_{crop.replace(' ', '_')}.png")

    def crop_of(crop: str) -> Image.Image:
        name = next((n for n in pictures if crop.startswith(n.split()[0])), None)
        if name is None:
            return plain(seed=len(crop))
        whole = pictures[name]
        if "below" in crop:
            return whole.crop((0, FACES[name][3] + 40, whole.width, whole.height))
        return whole.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if "mirrored" in crop else whole

    return write


def plain(seed: int = 0) -> Image.Image:
    """Scenery: smooth noise."""
    noise = np.random.default_rng(seed).integers(0, 255, (8, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((180, 240), Image.Resampling.BICUBIC)


Lists = dict[str, list[tuple[str, float]]]


def rank(film: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, Lists]:
    """Exit status, what was said, and every list with its scores, checked to be complete."""
    out = film.parent / "out"
    status = main(["rank", str(film), "--out", str(out), "--quiet", *options])
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if status == 2:
        assert not (out / "ranking.csv").exists()
        return status, said, {}
    with (out / "ranking.csv").open() as file:
        ids = {row["Id"]: row["Rank"].split() for row in csv.DictReader(file)}
    lists: Lists = {}
    with (out / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            pairs = lists.setdefault(row["query"], [])
            pairs.append((row["candidate"], float(row["score"])))
            assert int(row["rank"]) == len(pairs)
    assert not any(math.isnan(score) for pairs in lists.values() for _, score in pairs)
    assert {query: [name for name, _ in pairs] for query, pairs in lists.items()} == ids
    document = json.loads((out / "run.json").read_text())
    assert document["counts"]["n_queries"] == len(lists)
    assert {len(row) for row in lists.values()} == {document["counts"]["n_candidates"]}
    assert all(len({i for i, _ in row}) == len(row) for row in lists.values())
    assert (out / "report" / "index.html").is_file()
    return status, said, lists


def of(lists: Lists, name: str) -> list[tuple[str, float]]:
    """The list of one cast member, with the names of the crops."""
    (key,) = [key for key in lists if key.endswith(name.replace(" ", "_")) or key.endswith(name)]
    return [(candidate.removeprefix("film_"), score) for candidate, score in lists[key]]


def test_a_movie_with_one_cast(fill, film: Path, capsys) -> None:
    fill([HOPPER], ["Grace mirrored", "Eileen", "Grace below", "scenery"])
    status, said, lists = rank(film, capsys)
    assert (status, said) == (0, "")
    assert "0_Grace_mirrored" in of(lists, HOPPER)[0][0]


def test_a_portrait_without_a_face_is_named_and_all_is_ranked(fill, film: Path, capsys) -> None:
    fill([HOPPER, "Nobody"], ["Eileen", "Grace mirrored", "scenery"])
    status, said, lists = rank(film, capsys)
    assert status == 1
    (sentence,) = said.splitlines()
    assert "Nobody: no face was found in any portrait of it." in sentence
    assert "Grace_mirrored" in of(lists, HOPPER)[0][0]
    # Whom another cast member has is asked for last.
    assert "Grace_mirrored" in of(lists, "Nobody")[-1][0]


def test_a_cast_never_on_screen_is_unlikely_everywhere(fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace mirrored", "Grace below", "scenery"])
    status, _, lists = rank(film, capsys)
    assert status == 0
    assert max(score for _, score in of(lists, COLLINS)) < 0.5 < of(lists, HOPPER)[0][1]


def test_no_candidate_has_a_face(fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace below", "Eileen below", "scenery"])
    status, _, lists = rank(film, capsys)
    assert status == 0
    assert all(score < 0.5 for row in lists.values() for _, score in row)


@pytest.mark.parametrize("crop", ["Grace mirrored", "scenery"])
def test_one_candidate(crop: str, fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], [crop])
    status, _, lists = rank(film, capsys)
    assert status == 0
    assert (of(lists, HOPPER)[0][1] > 0.5) == (crop != "scenery")
    assert of(lists, COLLINS)[0][1] < 0.5


def test_thirty_casts(fill, film: Path, pictures: dict[str, Image.Image], capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace mirrored", "Eileen mirrored", "scenery"])
    for number in range(28):
        # The same woman by other names, as a list may have her: turned, smaller, in grey.
        other = pictures[COLLINS].crop((60, 0, 400, 340)).rotate(number - 14)
        other.convert("L").convert("RGB").save(film / "cast" / f"role {number}.png")
    status, said, lists = rank(film, capsys)
    assert (status, said) == (0, "")
    assert len(lists) == 30
    assert "Grace_mirrored" in of(lists, HOPPER)[0][0]


def test_one_picture_twice_is_one_person_twice(fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace", "Grace ", "Eileen", "scenery"])
    status, said, lists = rank(film, capsys)
    assert (status, said) == (0, "")
    first, second = of(lists, HOPPER)[:2]
    assert {first[0][:7], second[0][:7]} == {"0_Grace", "1_Grace"}
    assert first[1] == pytest.approx(second[1], abs=1e-3)
    assert second[1] > 0.9


def test_one_box_twice_is_one_person_twice(tmp_path: Path, hopper: Path, capsys) -> None:
    source = tmp_path / "film"
    (source / "val" / "tt1").mkdir(parents=True)
    shutil.copy(hopper, source / "val" / "tt1" / "still.jpg")
    shutil.copy(hopper, source / "val" / "tt1" / "portrait.jpg")
    box = {"img": "tt1/still.jpg", "bbox": [60, 10, 400, 560], "label": "nm1"}
    document = {
        "tt1": {
            "cast": [{"id": "tt1_nm1", "img": "tt1/portrait.jpg", "label": "nm1"}],
            "candidates": [box | {"id": "tt1_0000"}, box | {"id": "tt1_0001"}],
        }
    }
    (source / "val.json").write_text(json.dumps(document))
    status, _, lists = rank(source, capsys)
    assert status == 0
    (row,) = lists.values()
    assert [score > 0.9 for _, score in row] == [True, True]


def nan_network(path: Path, side: int | str) -> Path:
    """A network whose output is the square root of less than nothing."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Abs", ["mean"], ["size"]),
        helper.make_node("Neg", ["size"], ["below"]),
        helper.make_node("Sqrt", ["below"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "nan",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, side, side))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(made, path)
    return path


@pytest.mark.parametrize("preset", ["castsearch", "face"])
@pytest.mark.parametrize(
    ("option", "kind", "side"), [("--body-model", "body", "s"), ("--face-model", "face", 112)]
)
def test_a_network_of_the_users_that_gives_nan(
    option: str, kind: str, side: int | str, preset: str, fill, film: Path, tmp_path: Path, capsys
) -> None:
    fill([HOPPER], ["Eileen", "Grace mirrored"])
    mine = nan_network(tmp_path / "mine.onnx", side)
    status, said, _ = rank(film, capsys, option, str(mine), "--preset", preset)
    assert status == 2
    assert f"The {kind} encoder 'mine' gives NaN or infinity; export it again." in said


def test_bad_crops_among_good_ones_come_last(fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace mirrored", "Eileen", "scenery"])
    (film / "candidates" / "8_empty.png").write_bytes(b"")
    (film / "candidates" / "9_torn.png").write_bytes(
        next((film / "candidates").glob("1_*")).read_bytes()[:3000]
    )
    status, said, lists = rank(film, capsys)
    assert status == 1
    assert sorted(name for name in ("8_empty", "9_torn") if name in said) == ["8_empty", "9_torn"]
    for name in (HOPPER, COLLINS):
        assert {row[0] for row in of(lists, name)[-2:]} == {"8_empty", "9_torn"}
        assert [score for _, score in of(lists, name)[-2:]] == [float("-inf")] * 2
    assert "Grace_mirrored" in of(lists, HOPPER)[0][0]


def test_boxes_without_area_come_last(tmp_path: Path, hopper: Path, capsys) -> None:
    source = tmp_path / "film"
    (source / "val" / "tt1").mkdir(parents=True)
    for name in ("still.jpg", "portrait.jpg"):
        shutil.copy(hopper, source / "val" / "tt1" / name)
    boxes = [[10, 10, 0, 90], [60, 10, 400, 560], [4000, 4000, 10, 10]]
    document = {
        "tt1": {
            "cast": [{"id": "tt1_nm1", "img": "tt1/portrait.jpg", "label": "nm1"}],
            "candidates": [
                {"id": f"tt1_{i:04}", "img": "tt1/still.jpg", "bbox": box, "label": "nm1"}
                for i, box in enumerate(boxes)
            ],
        }
    }
    (source / "val.json").write_text(json.dumps(document))
    status, said, lists = rank(source, capsys)
    assert status == 1
    assert len([line for line in said.splitlines() if line.startswith("skipped: ")]) == 2
    (row,) = lists.values()
    assert row[0][0] == "tt1_0001"
    assert [score for _, score in row[1:]] == [float("-inf")] * 2


@pytest.mark.parametrize(
    ("setting", "is_refused"),
    [
        ("doubt=0", False),
        ("body=", False),
        ("neighbours=0", False),
        ("adapt=0", False),
        ("spread=0", False),
        ("spread=1", True),
    ],
)
def test_settings_at_their_ends(setting: str, is_refused: bool, fill, film: Path, capsys) -> None:
    fill([HOPPER, COLLINS], ["Grace mirrored", "Eileen below", "scenery"])
    status, said, lists = rank(film, capsys, "--set", setting)
    if is_refused:
        assert status == 2
        assert "alpha must lie in 0 to below 1" in said
    else:
        assert status == 0
        assert "Grace_mirrored" in of(lists, HOPPER)[0][0]
