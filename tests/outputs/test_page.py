"""The frame of a page: what cannot get into it, and how its files are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import CastsearchError
from castsearch.outputs.page import (
    aspect,
    picture_name,
    remove_other_thumbnails,
    script_json,
    write_page,
    write_thumbnails,
)
from castsearch.types import Box, Movie, MovieResult


@given(st.recursive(st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)))
def test_script_json_round_trips_and_cannot_leave_its_script(data: object) -> None:
    text = script_json(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&\u2028\u2029")


def test_a_thumbnail_is_named_after_its_content() -> None:
    # printf jpeg | sha256sum
    assert picture_name(b"jpeg") == "41e5787e9f28562d07b891b1816b4923"


def test_a_thumbnail_that_is_there_is_kept_and_one_cut_short_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "thumbs"
    write_thumbnails(folder, {"a": b"first"})
    # Names are of the content, so equal names and sizes are equal pictures.
    write_thumbnails(folder, {"a": b"other", "b": b"third"})
    assert (folder / "a.jpg").read_bytes() == b"first"
    assert (folder / "b.jpg").read_bytes() == b"third"
    (folder / "b.jpg").write_bytes(b"th")
    write_thumbnails(folder, {"b": b"third"})
    assert (folder / "b.jpg").read_bytes() == b"third"
    assert len(list(folder.iterdir())) == 2


def test_thumbnails_of_another_time_are_removed_and_other_files_are_not(tmp_path: Path) -> None:
    names = ["a" * 32, "b" * 32, "holiday", "C" * 32]
    write_thumbnails(tmp_path, dict.fromkeys(names, b"x"))
    remove_other_thumbnails(tmp_path, ["a" * 32])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"{'a' * 32}.jpg", "holiday.jpg", f"{'C' * 32}.jpg"}
    remove_other_thumbnails(tmp_path / "absent", [])


def test_aspect_is_in_thousandths_of_the_height() -> None:
    frames = {"a": Box(10, 10, 70, 90), "b": Box(0, 0, 5, 0)}
    result = MovieResult(Movie("m", (), ()), (), {}, {}, frames)
    assert [aspect(result, name) for name in "abc"] == [750, 0, 0]


def test_a_page_without_data_has_no_script_and_allows_none(tmp_path: Path) -> None:
    content = {"title": "T", "facts": {}, "tiles": [], "problems": [], "rows": [], "columns": []}
    path = write_page(tmp_path / "new" / "index.html", "overview", None, **content)
    text = path.read_text("utf-8")
    assert "<script" not in text
    assert "script-src" not in text
    assert "default-src 'none'" in text


def test_a_page_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()
    content = {"title": "T", "facts": {}, "tiles": [], "problems": [], "rows": [], "columns": []}
    with pytest.raises(CastsearchError, match=r"index\.html cannot be written"):
        write_page(tmp_path / "index.html", "overview", None, **content)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
