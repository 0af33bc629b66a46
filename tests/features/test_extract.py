from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from castsearch.features.features import Region
from castsearch.features.recipe import recipe_of
from PIL import Image

from castsearch.features import extract as extracting
from castsearch.features import recipe as recipes
from castsearch.features.extract import PER_TASK, _tasks, extract
from castsearch.features.store import Store
from castsearch.presets import preset
from castsearch.types import Box


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.sqlite")


def test_the_same_face_mirrored_is_near_and_another_is_far(
    store: Store, tmp_path: Path, hopper: Path, collins: Path
) -> None:
    mirrored = tmp_path / "mirrored.png"
    with Image.open(hopper) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored)
    regions = [
        Region("hopper", hopper, role="portrait"),
        Region("mirrored", mirrored),
        Region("collins", collins),
        Region("no face", collins, Box(0, 300, 512, 512)),
        Region("outside", collins, Box(600, 600, 700, 700)),
    ]
    features, work = extract(regions, recipe_of(preset("face")), store)
    vectors = [features[i].vector for i in ("hopper", "mirrored", "collins")]
    assert all(v is not None and v.shape == (128,) for v in vectors)
    same, other = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert same > 0.8
    assert other < 0.3
    assert features["no face"].face is None
    assert features["no face"].problem is None
    assert features["outside"].problem is not None
    face = features["collins"].face
    assert face is not None
    # The face of the photograph, by eye.
    assert face.box.iou(Box(180, 65, 268, 180)) > 0.6
    assert (work.n_pictures, work.n_decoded) == (3, 3)


def test_nothing_is_done_twice_and_a_changed_picture_is(
    store: Store, tmp_path: Path, hopper: Path
) -> None:
    recipe = recipe_of(preset("face"))
    path = tmp_path / "copy.jpg"
    shutil.copy(hopper, path)
    regions = [Region("a", path)]
    first, work = extract(regions, recipe, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 1, 1)
    again, work = extract(regions, recipe, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (0, 0, 0)
    assert np.array_equal(first["a"].vector, again["a"].vector)
    flipped = recipe_of(preset("face", ["flip=true"]))
    _, work = extract(regions, flipped, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 0, 1)
    with Image.open(path) as picture:
        small = picture.resize((256, 300))
    small.save(path)
    _, work = extract(regions, recipe, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 1, 1)


def test_an_unreadable_picture_stops_nothing(store: Store, tmp_path: Path, hopper: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(hopper.read_bytes()[:2000])
    regions = [Region("broken", broken), Region("fine", hopper), Region("none", tmp_path / "x.jpg")]
    features, _ = extract(regions, recipe_of(preset("face")), store)
    assert "broken.jpg" in (features["broken"].problem or "")
    assert "x.jpg" in (features["none"].problem or "")
    assert features["fine"].vector is not None


def test_a_portrait_that_fills_its_frame_is_found(
    store: Store, tmp_path: Path, collins: Path
) -> None:
    path = tmp_path / "frame.png"
    with Image.open(collins) as picture:
        picture.convert("RGB").crop((175, 60, 272, 185)).resize((970, 1250)).save(path)
    regions = [Region("frame", path, role="portrait"), Region("whole", collins)]
    features, _ = extract(regions, recipe_of(preset("face")), store)
    tight, whole = features["frame"].vector, features["whole"].vector
    assert tight is not None
    assert whole is not None
    assert float(tight @ whole) > 0.6


@pytest.mark.parametrize("jitters", [1, 3])
def test_dlib_distances_equal_dlibs_own(
    jitters: int, store: Store, hopper: Path, collins: Path
) -> None:
    import dlib
    import face_recognition_models as weights

    settings = [f"num_jitters={jitters}", "relation=direct"]
    recipe = recipe_of(preset("dlib_inverse", settings))
    regions = [Region("portrait", hopper, role="portrait"), Region("candidate", collins)]
    features, _ = extract(regions, recipe, store, n_jobs=2)
    ours = np.linalg.norm(features["portrait"].vector - features["candidate"].vector)

    locate = dlib.get_frontal_face_detector()
    points = dlib.shape_predictor(weights.pose_predictor_five_point_model_location())

    def encode(path: Path, n: int) -> np.ndarray:
        encoder = dlib.face_recognition_model_v1(weights.face_recognition_model_location())
        with Image.open(path) as picture:
            image = np.asarray(picture.convert("RGB"))
        rectangles, scores, _ = locate.run(image, 1, 0.0)
        best = rectangles[int(np.argmax(scores))]
        return np.array(encoder.compute_face_descriptor(image, points(image, best), n))

    theirs = np.linalg.norm(encode(hopper, 1) - encode(collins, jitters))
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_workers_end_when_their_parent_is_killed(movie_of_dlib: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"CASTSEARCH_HOME": str(tmp_path / "home")}
    started = subprocess.Popen(
        movie_of_dlib, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    limit = time.monotonic() + 60
    while len(members(started.pid)) < 3:
        assert time.monotonic() < limit
        assert started.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    started.kill()
    started.wait()
    while members(started.pid):
        assert time.monotonic() < limit, "workers outlived their parent"
        time.sleep(0.1)


def members(session: int) -> list[int]:
    """Processes of a session that are alive, from /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


@pytest.fixture
def movie_of_dlib(tmp_path: Path, hopper: Path) -> list[str]:
    """A command that works for a while in two processes."""
    for part in ("cast", "candidates"):
        (tmp_path / "film" / part).mkdir(parents=True)
    shutil.copy(hopper, tmp_path / "film" / "cast" / "a.jpg")
    with Image.open(hopper) as picture:
        for i in range(40):
            picture.rotate(i).save(tmp_path / "film" / "candidates" / f"{i}.jpg")
    run = [sys.executable, "-c", "from castsearch.cli import run; run()", "rank"]
    options = ["--preset", "dlib_cnn_location", "--jobs", "2", "--out", str(tmp_path / "out")]
    return [*run, str(tmp_path / "film"), *options]


def test_large_files_are_read_again_and_small_ones_are_not(
    tmp_path: Path, hopper: Path, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(preset("face"))
    expected = {}
    for picture in (hopper, collins):
        with Store(tmp_path / "expected.sqlite") as store:
            found, _ = extract([Region("a", picture)], recipe, store)
        expected[picture] = found["a"].vector
    path = tmp_path / "a.jpg"
    load = recipes.load

    def load_while_the_file_changes(*arguments: Any, **options: Any) -> None:
        load(*arguments, **options)
        shutil.copy(collins, path)

    for kept, picture in ((2**20, hopper), (10, collins)):
        shutil.copy(hopper, path)
        with Store(tmp_path / f"{kept}.sqlite") as store, monkeypatch.context() as patch:
            patch.setattr(extracting, "KEPT_BYTES", kept)
            patch.setattr(extracting.recipes, "load", load_while_the_file_changes)
            found, work = extract([Region("a", path)], recipe, store)
        # What was read is what was embedded and is what it is stored under.
        assert np.array_equal(found["a"].vector, expected[picture])
        with Store(tmp_path / f"{kept}.sqlite") as store:
            again, work = extract([Region("a", picture)], recipe, store)
        assert work.n_decoded == 0
        assert np.array_equal(again["a"].vector, expected[picture])


@pytest.mark.parametrize(("n", "n_jobs"), [(0, 2), (1, 2), (5, 8), (98, 2), (37, 3)])
def test_tasks_hold_every_picture_once_and_are_small_at_the_end(n: int, n_jobs: int) -> None:
    tasks = list(_tasks(list(range(n)), n_jobs, PER_TASK))
    assert [i for task in tasks for i in task] == list(range(n))
    sizes = [len(task) for task in tasks]
    assert sizes == sorted(sizes, reverse=True)
    assert not sizes or (max(sizes) <= PER_TASK and sizes[-1] == 1)
    # No worker is left without a task while another has several pictures.
    assert len(tasks) >= min(n, n_jobs)


def test_vectors_do_not_depend_on_what_is_worked_on_together(
    tmp_path: Path, hopper: Path, collins: Path
) -> None:
    paths = []
    for i in range(9):
        paths.append(tmp_path / f"{i}.png")
        with Image.open((hopper, collins)[i % 2]) as picture:
            picture.resize((300 + 10 * i, 350)).save(paths[-1])
    regions = [Region(path.name, path) for path in paths]
    for name in ("face", "castsearch"):
        recipe = recipe_of(preset(name))
        found = {}
        for n_jobs in (1, 4):
            with Store(tmp_path / f"{name}{n_jobs}.sqlite") as store:
                found[n_jobs], _ = extract(regions, recipe, store, n_jobs=n_jobs)
        for region in regions:
            one, four = (found[n][region.id].vector for n in (1, 4))
            assert one is not None
            assert np.array_equal(one, four)
