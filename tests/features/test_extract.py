"""Pictures in, features out: nothing twice, nothing stopped by one picture, in any order."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from castsearch.cli import main
from castsearch.encoders.stripes import stripes
from castsearch.errors import InputError
from castsearch.features import extract as extracting
from castsearch.features.asked import Asked, asked
from castsearch.features.extract import _tasks, extract
from castsearch.features.region import Features, Region
from castsearch.features.store import Store
from castsearch.networks.device import CPU
from castsearch.presets import preset
from castsearch.runtime import workers
from castsearch.runtime.settings import Runtime
from castsearch.sources.images import content_hash, decode, read_bytes
from castsearch.types import Box, Picture, PictureInfo

BOTH = "body=efficientnet-lite0,hsv-stripes"
PER_TASK = CPU.n_int8


def of_preset(name: str, *settings: str) -> Asked:
    chosen = preset(name, settings)
    return asked(chosen.look, all_faces=chosen.way.all_faces)


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
        Region("hopper", Picture(hopper), role="portrait"),
        Region("mirrored", Picture(mirrored)),
        Region("collins", Picture(collins)),
        Region("no face", Picture(collins), Box(0, 300, 512, 512)),
        Region("outside", Picture(collins), Box(600, 600, 700, 700)),
    ]
    features, work = extract(regions, of_preset("face"), store)
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
    what = of_preset("face")
    path = tmp_path / "copy.jpg"
    shutil.copy(hopper, path)
    regions = [Region("a", Picture(path))]
    first, work = extract(regions, what, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 1, 1)
    again, work = extract(regions, what, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (0, 0, 0)
    assert np.array_equal(first["a"].vector, again["a"].vector)
    flipped = of_preset("face", "flip=true")
    _, work = extract(regions, flipped, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 0, 1)
    with Image.open(path) as picture:
        small = picture.resize((256, 300))
    small.save(path)
    _, work = extract(regions, what, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded) == (1, 1, 1)


def test_an_unreadable_picture_stops_nothing(store: Store, tmp_path: Path, hopper: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(hopper.read_bytes()[:2000])
    regions = [
        Region("broken", Picture(broken)),
        Region("fine", Picture(hopper)),
        Region("none", Picture(tmp_path / "x.jpg")),
    ]
    features, _ = extract(regions, of_preset("face"), store)
    assert "broken.jpg" in (features["broken"].problem or "")
    assert "x.jpg" in (features["none"].problem or "")
    assert features["fine"].vector is not None


def test_a_portrait_that_fills_its_frame_is_found(
    store: Store, tmp_path: Path, collins: Path
) -> None:
    path = tmp_path / "frame.png"
    with Image.open(collins) as picture:
        picture.convert("RGB").crop((175, 60, 272, 185)).resize((970, 1250)).save(path)
    regions = [Region("frame", Picture(path), role="portrait"), Region("whole", Picture(collins))]
    features, _ = extract(regions, of_preset("face"), store)
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
    what = of_preset("dlib_inverse", *settings)
    regions = [
        Region("portrait", Picture(hopper), role="portrait"),
        Region("candidate", Picture(collins)),
    ]
    features, _ = extract(regions, what, store, Runtime(n_jobs=2))
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
    what = of_preset("face")
    expected = {}
    for picture in (hopper, collins):
        with Store(tmp_path / "expected.sqlite") as store:
            found, _ = extract([Region("a", Picture(picture))], what, store)
        expected[picture] = found["a"].vector
    path = tmp_path / "a.jpg"
    load = extracting.load

    def load_while_the_file_changes(*arguments: Any, **options: Any) -> None:
        load(*arguments, **options)
        shutil.copy(collins, path)

    for kept, picture in ((2**20, hopper), (10, collins)):
        shutil.copy(hopper, path)
        with Store(tmp_path / f"{kept}.sqlite") as store, monkeypatch.context() as patch:
            patch.setattr(extracting, "KEPT_BYTES", kept)
            patch.setattr(extracting, "load", load_while_the_file_changes)
            found, work = extract([Region("a", Picture(path))], what, store)
        # What was read is what was embedded and is what it is stored under.
        assert np.array_equal(found["a"].vector, expected[picture])
        with Store(tmp_path / f"{kept}.sqlite") as store:
            again, work = extract([Region("a", Picture(picture))], what, store)
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
    regions = [Region(path.name, Picture(path)) for path in paths]
    for name in ("face", "castsearch"):
        what = of_preset(name)
        found = {}
        for n_jobs in (1, 4):
            with Store(tmp_path / f"{name}{n_jobs}.sqlite") as store:
                found[n_jobs], _ = extract(regions, what, store, Runtime(n_jobs=n_jobs))
        for region in regions:
            one, four = (found[n][region.id].vector for n in (1, 4))
            assert one is not None
            assert np.array_equal(one, four)


@pytest.fixture
def regions(hopper: Path, collins: Path) -> Sequence[Region]:
    return [
        Region("portrait", Picture(hopper), role="portrait"),
        Region("crop", Picture(collins)),
        Region("no face", Picture(collins), Box(0, 300, 512, 512)),
        Region("outside", Picture(collins), Box(600, 600, 700, 700)),
    ]


def test_candidates_have_a_vector_of_each_encoder_and_portraits_none(
    store: Store, regions: Sequence[Region], collins: Path
) -> None:
    features, work = extract(regions, of_preset("face", BOTH), store)
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
        work = extract(regions[:3], of_preset("face", *settings), store)[1]
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

    monkeypatch.setattr("castsearch.encoders.body.encode", never)
    monkeypatch.setattr("castsearch.encoders.stripes.stripes", never)
    features, work = extract(regions, of_preset("face"), store)
    assert features["crop"].body == {}
    assert work.n_bodies == 0
    with pytest.raises(AssertionError, match="a body was encoded"):
        extract(regions, of_preset("face", "body=hsv-stripes"), store)


def test_bodies_alone_need_no_face(
    store: Store, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("a face was looked for")

    plain = of_preset("face", "body=hsv-stripes")
    what = dataclasses.replace(
        plain,
        # Neither the locator nor the face encoder is so much as loaded.
        detector=dataclasses.replace(plain.detector, load=never, in_crop=never),
        encoder=dataclasses.replace(plain.encoder, load=never, encode=never),
    )
    features, work = extract([Region("a", Picture(hopper), role="body")], what, store)
    assert features["a"].body["hsv-stripes"].shape == (256,)
    assert features["a"].face is None
    assert (work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 1)
    with pytest.raises(AssertionError, match="a face was looked for"):
        extract([Region("a", Picture(hopper))], what, store)


def test_dlib_presets_have_bodies_too(store: Store, collins: Path) -> None:
    what = of_preset("dlib_inverse", "body=hsv-stripes")
    features, _ = extract([Region("a", Picture(collins))], what, store)
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


def test_a_file_that_is_no_network_is_refused(store: Store, tmp_path: Path, hopper: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"no network")
    what = asked(preset("face").look, body_models=[str(path)])
    with pytest.raises(InputError, match="onnxruntime cannot run this model"):
        extract([Region("a", Picture(hopper))], what, store)


def test_a_missing_network_is_no_matter_where_all_is_stored(
    store: Store, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions, what = [Region("a", Picture(hopper))], of_preset("face")
    first, _ = extract(regions, what, store)

    def missing(*arguments: object, **options: object) -> None:
        raise InputError("the network is missing")

    monkeypatch.setattr(extracting, "load", missing)
    again, work = extract(regions, what, store)
    assert work.n_decoded == 0
    assert np.array_equal(again["a"].vector, first["a"].vector)
    with pytest.raises(InputError, match="the network is missing"):
        extract(regions, of_preset("face", "flip=true"), store)


def test_two_regions_of_equal_boxes_have_equal_features(
    store: Store, collins: Path, tmp_path: Path
) -> None:
    box = Box(100, 40, 360, 480)
    regions = [
        Region("one", Picture(collins), box),
        Region("two", Picture(collins), box),
        Region("portrait", Picture(collins), box, role="portrait"),
    ]
    what = of_preset("castsearch")
    features, work = extract(regions, what, store)
    assert np.array_equal(features["one"].vector, features["two"].vector)
    assert features["one"].hits[0].face == features["two"].hits[0].face
    assert features["one"].lower.keys() == features["two"].lower.keys() != set()
    assert features["portrait"].body == {}
    # What is stored is stored once; the portrait's faces and vector have names of their own.
    assert (work.n_pictures, work.n_decoded, work.n_detected, work.n_embedded) == (1, 1, 2, 2)
    again, work = extract(regions, what, store)
    assert (work.n_decoded, work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 0, 0)
    for name in features:
        assert np.array_equal(again[name].vector, features[name].vector)


@pytest.mark.parametrize("kept", [2**20, 10])
def test_a_file_that_changes_between_lookup_and_decoding_is_not_mixed_with_what_is_stored(
    kept: int, tmp_path: Path, hopper: Path, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the answers about the first picture are stored when it becomes another."""
    path = tmp_path / "a.jpg"
    shutil.copy(hopper, path)
    regions = [Region("a", Picture(path))]
    plain, with_body = of_preset("face"), of_preset("face", "body=hsv-stripes")
    with Store(tmp_path / "other.sqlite") as store:
        of_hopper, _ = extract([Region("a", Picture(hopper))], with_body, store)
        of_collins, _ = extract([Region("a", Picture(collins))], with_body, store)
    load = extracting.load

    def load_while_the_file_changes(*arguments: Any, **options: Any) -> None:
        load(*arguments, **options)
        shutil.copy(collins, path)

    with Store(tmp_path / "s.sqlite") as store:
        extract(regions, plain, store)
        monkeypatch.setattr(extracting, "KEPT_BYTES", kept)
        monkeypatch.setattr(extracting, "load", load_while_the_file_changes)
        features, work = extract(regions, with_body, store)
        rows = {p: store.read(content_hash(p.read_bytes()), "") for p in (hopper, collins)}
    # Bytes that are kept are of the first picture; else all is of the second, faces too.
    expected = of_hopper if kept > 10 else of_collins
    assert np.array_equal(features["a"].vector, expected["a"].vector)
    assert features["a"].face == expected["a"].face
    assert np.array_equal(features["a"].body["hsv-stripes"], expected["a"].body["hsv-stripes"])
    assert features["a"].picture == expected["a"].picture
    assert (work.n_detected, work.n_bodies) == ((0, 1) if kept > 10 else (1, 1))
    assert any(name.startswith("body|") for name in rows[hopper]) == (kept > 10)
    assert (rows[collins] == {}) == (kept > 10)


def test_pictures_that_cannot_be_decoded_say_why_and_are_asked_again(
    store: Store, tmp_path: Path, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, text = tmp_path / "large.jpg", tmp_path / "text.jpg"
    shutil.copy(hopper, large)
    text.write_text("no picture at all")
    regions = [
        Region("text", Picture(text)),
        Region("text too", Picture(text), Box(0, 0, 5, 5), role="portrait"),
        Region("large", Picture(large)),
    ]
    what = of_preset("face")
    features, work = extract(regions, what, store, Runtime(max_megapixels=0.1))
    assert "text.jpg is not a JPEG" in (features["text"].problem or "")
    assert features["text"] == features["text too"]
    assert features["text"].picture is None
    assert "above the limit of 0.1" in (features["large"].problem or "")
    assert (work.n_detected, work.n_embedded) == (0, 0)
    # Nothing is stored of what could not be looked at.
    features, work = extract(regions, what, store)
    assert features["large"].vector is not None
    assert work.n_detected == 1
    shutil.copy(hopper, text)
    features, _ = extract(regions[:1], what, store)
    assert features["text"].problem is None


def test_features_say_which_picture_they_are_of(
    store: Store, tmp_path: Path, hopper: Path, collins: Path
) -> None:
    turned = tmp_path / "turned.jpg"
    with Image.open(hopper) as picture:
        size = picture.size
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(turned, exif=exif)
    regions = [
        Region("turned", Picture(turned)),
        Region("crop", Picture(collins), Box(0, 0, 200, 300)),
        Region("outside", Picture(collins), Box(600, 600, 700, 700)),
    ]
    for _ in range(2):
        # First of the pixels, then of the header alone.
        features, _ = extract(regions, of_preset("face"), store)
        upright = PictureInfo(content_hash(turned.read_bytes()), size[1], size[0])
        assert features["turned"].picture == upright
        whole = PictureInfo(content_hash(collins.read_bytes()), 512, 512)
        assert features["crop"].picture == features["outside"].picture == whole


def equal(one: Features, two: Features) -> bool:
    """Whether faces, vectors and bodies are the same to the bit."""
    return (
        one.face == two.face
        and one.frame == two.frame
        and one.thumbnail == two.thumbnail
        and np.array_equal(one.vector, two.vector)
        and one.body.keys() == two.body.keys()
        and all(np.array_equal(one.body[name], two.body[name]) for name in one.body)
    )


class Later(Executor):
    """Does all its work at the end, in another order than it was given."""

    def __init__(self, order: Callable[[int], Sequence[int]]) -> None:
        self.order = order
        self.todo: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, do: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.todo.append((future, lambda: do(*arguments, **options)))
        return future

    def finish(self) -> None:
        """Do what waits."""
        for i in self.order(len(self.todo)):
            future, do = self.todo[i]
            future.set_result(do())
        self.todo.clear()


def test_the_order_of_workers_does_not_matter(
    tmp_path: Path, hopper: Path, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = [
        Region("a", Picture(hopper)),
        Region("b", Picture(collins)),
        Region("c", Picture(hopper), Box(50, 0, 450, 500)),
        Region("portrait", Picture(collins), role="portrait"),
        Region("gone", Picture(tmp_path / "gone.jpg")),
    ]
    for i in range(2):
        path = tmp_path / f"{i}.png"
        with Image.open(hopper) as picture:
            picture.resize((300 + 40 * i, 350)).save(path)
        regions.append(Region(path.name, Picture(path)))
    what = of_preset("face", "body=hsv-stripes")
    with Store(tmp_path / "plain.sqlite") as store:
        expected, work = extract(regions, what, store, Runtime(n_jobs=1))
    wait = workers.wait

    def backwards(n: int) -> Sequence[int]:
        return range(n)[::-1]

    orders: dict[str, Callable[[int], Sequence[int]]] = {"as given": range, "reversed": backwards}
    for name, order in orders.items():
        pool = Later(order)

        def wait_for_all(futures: Any, pool: Later = pool, **options: Any) -> Any:
            pool.finish()
            return wait(futures, **options)

        with monkeypatch.context() as patch, Store(tmp_path / f"{name}.sqlite") as store:
            patch.setattr(extracting, "executor", lambda n_jobs, threads, pool=pool: pool)
            patch.setattr(workers, "wait", wait_for_all)
            shuffled = regions if name == "as given" else regions[::-1]
            features, other_work = extract(shuffled, what, store, Runtime(n_jobs=2))
            again, repeated = extract(regions, what, store, Runtime(n_jobs=2))
        assert other_work == work
        assert repeated.n_decoded == 0
        assert features.keys() == expected.keys() == again.keys()
        for region in regions:
            assert equal(features[region.id], expected[region.id])
            assert equal(again[region.id], expected[region.id])
    assert expected["gone"].problem
    assert expected["a"].vector is not None


def test_progress_is_told_once_for_each_picture(
    store: Store, tmp_path: Path, hopper: Path, collins: Path
) -> None:
    regions = [
        Region("a", Picture(hopper)),
        Region("b", Picture(collins)),
        Region("c", Picture(collins), Box(0, 0, 100, 100)),
        Region("gone", Picture(tmp_path / "gone.jpg")),
    ]
    steps: list[None] = []
    for n in (3, 6):
        extract(regions, of_preset("face"), store, advance=lambda: steps.append(None))
        assert len(steps) == n


def test_dlib_works_in_processes_and_onnx_in_threads(
    tmp_path: Path, hopper: Path, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlib keeps the interpreter lock: its pictures are worked on in processes of their own."""
    pools: list[tuple[int, bool]] = []
    make = extracting.executor

    def remember(n_jobs: int, *, threads: bool) -> Executor:
        pools.append((n_jobs, threads))
        return make(n_jobs, threads=threads)

    monkeypatch.setattr(extracting, "executor", remember)
    regions = [
        Region("portrait", Picture(hopper), role="portrait"),
        Region("a", Picture(collins)),
        Region("b", Picture(hopper), Box(50, 0, 450, 500)),
        Region("broken", Picture(tmp_path / "gone.jpg")),
    ]
    results = {}
    for n_jobs, name in itertools.product((1, 2), ("dlib_inverse", "face")):
        with Store(tmp_path / f"{name}{n_jobs}.sqlite") as store:
            results[name, n_jobs], work = extract(
                regions, of_preset(name), store, Runtime(n_jobs=n_jobs)
            )
        assert work.n_embedded == 3
    assert pools == [(1, False), (1, True), (2, False), (2, True)]
    for name in ("dlib_inverse", "face"):
        for region in regions:
            assert equal(results[name, 1][region.id], results[name, 2][region.id])
        assert results[name, 1]["a"].vector is not None


def test_a_detector_that_holds_the_lock_is_enough_for_processes(
    store: Store, collins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dlib locator beside an ONNX body encoder: all of it crosses to another process."""
    seen: list[bool] = []
    make = extracting.executor

    def remember(n_jobs: int, *, threads: bool) -> Executor:
        seen.append(threads)
        return make(n_jobs, threads=threads)

    monkeypatch.setattr(extracting, "executor", remember)
    what = of_preset("dlib_inverse", "body=efficientnet-lite0")
    features, work = extract([Region("a", Picture(collins))], what, store, Runtime(n_jobs=1))
    assert seen == [False]
    assert features["a"].body["efficientnet-lite0"].shape == (1280,)
    assert (work.n_detected, work.n_embedded, work.n_bodies) == (1, 1, 1)
