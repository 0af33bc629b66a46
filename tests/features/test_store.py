"""What is stored comes back, is forgotten wholly, and is read as version 0.1.0 wrote it."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from castsearch.errors import CastsearchError
from castsearch.features.asked import Asked, asked
from castsearch.features.extract import extract
from castsearch.features.region import Region
from castsearch.features.store import Store, pack, unpack
from castsearch.presets import preset
from castsearch.types import Box, Face, Picture


def test_results_come_back_by_picture_region_and_recipe(tmp_path: Path) -> None:
    vector = np.arange(4, dtype=np.float32)
    with Store(tmp_path / "s.sqlite") as store:
        store.write([("p1", "", "v", pack(vector)), ("p1", "1,2,3,4", "v", b"x")])
        store.write([("p2", "", "v", b"y")])
    with Store(tmp_path / "s.sqlite") as store:
        assert np.array_equal(unpack(store.read("p1", "")["v"]), vector)
        assert store.read("p1", "1,2,3,4") == {"v": b"x"}
        assert store.read("p3", "") == {}
        assert store.value("p1", "1,2,3,4", "v") == b"x"
        assert store.value("p1", "1,2,3,4", "w") is None


def test_what_is_forgotten_leaves_no_bytes(tmp_path: Path) -> None:
    secret = b"a face vector, 128 numbers of it" * 40
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.write([("p1", "", "v", secret)])
        store.write([("p2", "", "v", b"kept")])
        assert store.forget(["p1", "unknown"]) == 1
        assert store.read("p1", "") == {}
        assert store.read("p2", "") == {"v": b"kept"}
    files = list(tmp_path.iterdir())
    assert not any(secret[:32] in file.read_bytes() for file in files)


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite"):
        assert (tmp_path / "s.sqlite").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(CastsearchError, match=r"s\.sqlite: the store of results cannot be opened"):
        Store(path)


def test_a_write_is_all_or_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        with pytest.raises(CastsearchError, match="cannot be written"):
            store.write([("p", "", "a", b"1"), ("p", "", "b", None)])  # type: ignore[list-item]
        assert store.read("p", "") == {}
        assert sqlite3.connect(tmp_path / "s.sqlite").execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3).T,
        np.zeros((0, 15)),
        np.array(3.5),
        np.arange(3, dtype=">u2"),
        np.zeros((0, 0), dtype=np.float32),
    ],
)
def test_what_is_packed_is_an_npy_file(array: np.ndarray) -> None:
    data = pack(array)
    for again in (unpack(data), np.load(io.BytesIO(data), allow_pickle=False)):
        assert again.shape == array.shape
        assert again.dtype == array.dtype
        assert np.array_equal(again, array)
    assert unpack(data).flags.writeable
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    assert np.array_equal(
        unpack(buffer.getvalue()), np.ascontiguousarray(array).reshape(array.shape)
    )


def test_objects_are_not_packed() -> None:
    with pytest.raises(ValueError, match="objects"):
        pack(np.array([{}]))


# The schema and the names of version 0.1.0, as it wrote them.
SCHEMA = """
CREATE TABLE results (
    picture TEXT NOT NULL,
    region TEXT NOT NULL,
    recipe TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (picture, region, recipe)
) WITHOUT ROWID
"""
YUNET = "yunet:49f000ec501fef24:ec9cd346"
FACE = (10.0, 20.0, 50.0, 70.0, 0.75, *(float(i) for i in range(10)))
AT = "10.000,20.000,50.000,70.000"


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def unit(n: int, at: int) -> np.ndarray:
    return np.eye(1, n, at, dtype=np.float32)[0]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file that cannot be decoded: whatever is told of it comes out of the store."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"these bytes are no picture")
    return path


def written(path: Path, picture: Path, rows: dict[tuple[str, str], bytes]) -> Path:
    """A store as 0.1.0 left it; ``rows`` are values by region and name."""
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(SCHEMA)
        db.executemany(
            "INSERT INTO results VALUES (?, ?, ?, ?)",
            [(digest, region, name, value) for (region, name), value in rows.items()],
        )
    db.close()
    return path


def of_preset(name: str) -> Asked:
    chosen = preset(name)
    return asked(chosen.look, all_faces=chosen.way.all_faces)


def test_what_version_0_1_0_stored_of_face_is_read(tmp_path: Path, picture: Path) -> None:
    sface = "sface-int8:fb143eea07838aa5:7f9a3c91"
    shared = {"frame": npy(np.array([100.0, 0.0, 200.0, 150.0])), "thumbnail|1": b"jpeg"}
    faces = npy(np.array([FACE]))
    path = written(
        tmp_path / "s.sqlite",
        picture,
        {
            **{("100,0,200,150", name): value for name, value in shared.items()},
            ("100,0,200,150", f"faces|{YUNET}|candidate|(448,)4.00.50.8False"): faces,
            ("100,0,200,150", f"vector|{sface}|False|{AT}"): npy(unit(128, 3)),
            ("", "frame"): npy(np.array([0.0, 0.0, 400.0, 300.0])),
            ("", "thumbnail|1"): b"other",
            ("", f"faces|{YUNET}|portrait|(448,)4.00.50.8False"): faces,
            ("", f"vector|{sface}|True|{AT}"): npy(unit(128, 5)),
            ("", f"faces|{YUNET}|still|(448,)4.00.50.8False"): npy(np.zeros((0, 5))),
        },
    )
    regions = [
        Region("crop", Picture(picture), Box(100, 0, 200, 150)),
        Region("portrait", Picture(picture), role="portrait"),
        Region("still", Picture(picture), role="still"),
    ]
    with Store(path) as store:
        features, work = extract(regions, of_preset("face"), store)
    assert (work.n_pictures, work.n_decoded, work.n_detected, work.n_embedded) == (1, 0, 0, 0)
    crop, portrait = features["crop"], features["portrait"]
    assert crop.face == Face(Box(110, 20, 150, 70), 0.75)
    assert np.array_equal(crop.vector, unit(128, 3))
    assert (crop.frame, crop.thumbnail) == (Box(100, 0, 200, 150), b"jpeg")
    assert portrait.face == Face(Box(10, 20, 50, 70), 0.75)
    assert np.array_equal(portrait.vector, unit(128, 5))
    assert portrait.thumbnail == b"other"
    assert (features["still"].faces, features["still"].frame) == ((), Box(0, 0, 400, 300))


def test_what_version_0_1_0_stored_of_castsearch_is_read(tmp_path: Path, picture: Path) -> None:
    faces = f"faces|{YUNET}|candidate|(320, 512)4.00.50.8True"
    parts = "body|lite0-parts:579344248a93e230:037d2625|False"
    stripes = "body|hsv-stripes:e87d513212cc64df:d21245ba|False"
    points, words = np.array([[3, 4], [5, 6]], "<i2"), np.arange(16, dtype="<u4").reshape(2, 8)
    corners = (2).to_bytes(2, "little") + points.tobytes() + words.tobytes() + b"grey"
    path = written(
        tmp_path / "s.sqlite",
        picture,
        {
            ("", "frame"): npy(np.array([0.0, 0.0, 100.0, 150.0])),
            ("", "thumbnail|1"): b"jpeg",
            ("", faces): npy(np.array([FACE])),
            ("", f"vectors|sface:fb143eea07838aa5:14868e7a|True|{faces}"): npy(unit(128, 7)[None]),
            ("", parts): npy(unit(3136, 1)),
            ("", f"{parts}|lower"): npy(unit(3136, 2)),
            ("", stripes): npy(unit(256, 3)),
            ("", f"{stripes}|lower"): npy(unit(256, 4)),
            ("", "corners|1"): corners,
        },
    )
    with Store(path) as store:
        features, work = extract([Region("a", Picture(picture))], of_preset("castsearch"), store)
    assert (work.n_decoded, work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 0, 0)
    crop = features["a"]
    (hit,) = crop.hits
    assert crop.face is not None
    assert crop.face.box == Box(10, 20, 50, 70)
    np.testing.assert_allclose(hit.vector, unit(128, 7))
    assert [crop.body[name].argmax() for name in ("lite0-parts", "hsv-stripes")] == [1, 3]
    assert [crop.lower[name].argmax() for name in ("lite0-parts", "hsv-stripes")] == [2, 4]
    assert crop.corners is not None
    assert np.array_equal(crop.corners.points, points)
    assert np.array_equal(crop.corners.words, words)
    assert crop.corners.grey == b"grey"


def test_what_version_0_1_0_stored_of_sgbt_hybrid_pro_is_read(
    tmp_path: Path, picture: Path
) -> None:
    resnet = "dlib-resnet:55533b28a95800a5:53b499d8"
    mmod = "dlib-mmod:4cb19393e2fbaf2b:d21245ba"
    rows = {
        "frame": npy(np.array([0.0, 0.0, 100.0, 150.0])),
        "thumbnail|1": b"jpeg",
        "body|efficientnet-lite0:579344248a93e230:037d2625|False": npy(unit(1280, 1)),
    }
    for role, jitters in (("candidate", 2), ("portrait", 1)):
        rows[f"faces|{mmod}|{role}|1|0|640"] = npy(np.array([FACE[:5]]))
        rows[f"vector|{resnet}|5|{jitters}|{AT}"] = npy(unit(128, jitters))
    path = written(
        tmp_path / "s.sqlite", picture, {("", name): value for name, value in rows.items()}
    )
    regions = [Region("a", Picture(picture)), Region("p", Picture(picture), role="portrait")]
    with Store(path) as store:
        features, work = extract(regions, of_preset("sgbt_hybrid_pro"), store)
    assert work.n_decoded == 0
    assert np.array_equal(features["a"].vector, unit(128, 2))
    assert np.array_equal(features["p"].vector, unit(128, 1))
    assert features["a"].face == Face(Box(10, 20, 50, 70), 0.75)
    assert features["a"].body["efficientnet-lite0"].argmax() == 1


def test_a_name_of_other_settings_is_not_read(tmp_path: Path, picture: Path) -> None:
    """The tests above can fail: without the right name the picture is decoded, which it cannot."""
    rows = {
        ("", "frame"): npy(np.array([0.0, 0.0, 100.0, 150.0])),
        ("", "thumbnail|1"): b"jpeg",
        ("", f"faces|{YUNET}|still|(448,)4.00.50.9False"): npy(np.zeros((0, 5))),
    }
    with Store(written(tmp_path / "s.sqlite", picture, rows)) as store:
        region = Region("a", Picture(picture), role="still")
        features, _ = extract([region], of_preset("face"), store)
    assert "is not a JPEG" in (features["a"].problem or "")
