from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from castsearch.errors import CastsearchError
from castsearch.features.store import Store, pack, unpack


def test_results_come_back_by_picture_region_and_recipe(tmp_path: Path) -> None:
    vector = np.arange(4, dtype=np.float32)
    with Store(tmp_path / "s.sqlite") as store:
        store.write([("p1", "", "v", pack(vector)), ("p1", "1,2,3,4", "v", b"x")])
        store.write([("p2", "", "v", b"y")])
    with Store(tmp_path / "s.sqlite") as store:
        assert np.array_equal(unpack(store.read("p1", "")["v"]), vector)
        assert store.read("p1", "1,2,3,4") == {"v": b"x"}
        assert store.read("p3", "") == {}


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
