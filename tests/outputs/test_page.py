"""The report as a file: what is in it, and what cannot get into it."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import CastsearchError
from castsearch.outputs.page import face_box, script_json, write_report
from castsearch.types import (
    OTHERS,
    Box,
    Candidate,
    CastMember,
    Face,
    Movie,
    MovieResult,
    Problem,
    Ranking,
    Still,
)

HOSTILE = "</script><script>alert(1)</script>\"onerror='x' &amp; \u2028"


class Tags(HTMLParser):
    """Collects what a browser would see: tags, attributes, and the text of each tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))


def small_result(name: str = "Ada") -> MovieResult:
    def candidate(number: int, label: str | None, problem: str | None = None) -> Candidate:
        still = Still(f"c{number}", Path(f"c{number}.jpg"))
        return Candidate(still.id, still, label=label, problem=problem)

    portrait = Still("p", Path("p.jpg"))
    movie = Movie(
        "tt1",
        (CastMember("tt1_a", name, (portrait,)), CastMember("tt1_b", "Bob", ())),
        (
            candidate(0, "tt1_b"),
            candidate(1, OTHERS),
            candidate(2, None, "zero bytes"),
            candidate(3, "tt9_z"),
        ),
        problems=(Problem("c2.jpg", "has zero bytes"),),
    )
    order = ("c3", "c0", "c1", "c2")
    return MovieResult(
        movie,
        (Ranking("tt1_a", order, (0.5, 0.25, math.nan, -math.inf), ("x", "y", "x", "x")),),
        {"c0": Face(Box(20, 40, 70, 80), 0.9), "c3": Face(Box(0, 0, 9, 9), 0.9)},
        {"c0": b"jpeg one", "c1": b"jpeg one", "p": b"jpeg two"},
        {"c0": Box(10, 20, 110, 220)},
        (Problem("c2.jpg", "has zero bytes"), Problem("p.jpg", "no face found")),
    )


def written(folder: Path, result: MovieResult, **changes: Any) -> tuple[str, dict[str, Any], Tags]:
    options: dict[str, Any] = {"title": "T", "facts": {}, "evaluation": None, "problems": ()}
    page = write_report(folder, [result], **(options | changes))
    assert page == folder / "index.html"
    text = page.read_text("utf-8")
    tags = Tags()
    tags.feed(text)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return text, json.loads(found[1]), tags


def test_data_by_hand(tmp_path: Path) -> None:
    evaluation = {
        "mAP": 0.4166667,
        "rank5": 1,
        "movies": {"tt1": {"mAP": 0.5}},
        "queries": {"tt1_a": {"AP": 0.25}, "tt1_b": {}},
    }
    _, data, tags = written(tmp_path, small_result(), evaluation=evaluation)
    (movie,) = data["movies"]
    assert movie["ids"] == ["c0", "c1", "c2", "c3"]
    assert movie["labels"] == [1, -2, -1, "tt9_z"]
    assert movie["faces"] == "1001"
    # The face is 10,20 .. 60,60 of a 100 x 200 region; c3 has a face but no known region.
    assert movie["boxes"] == [[100, 100, 500, 200], None, None, None]
    assert movie["aspects"] == [500, 0, 0, 0]
    assert movie["problems"] == {"2": "zero bytes"}
    assert movie["mAP"] == 0.5
    ada, bob = movie["cast"]
    assert (ada["order"], ada["scores"]) == ([3, 0, 1, 2], [0.5, 0.25, None, None])
    assert [data["reasons"][r] for r in ada["reasons"]] == ["x", "y", "x", "x"]
    assert (ada["ap"], bob["ap"], bob["order"]) == (0.25, None, [])
    assert [t for tag, t in tags.texts if tag == "dd" and t.strip()] == ["0.417", "1.000"]


def test_equal_thumbnails_are_one_file_written_once(tmp_path: Path) -> None:
    _, data, _ = written(tmp_path, small_result())
    (movie,) = data["movies"]
    assert movie["thumbs"][0] == movie["thumbs"][1] != movie["cast"][0]["portraits"][0][0]
    assert movie["thumbs"][2:] == [-1, -1]
    files = sorted((tmp_path / "thumbs").iterdir())
    assert sorted(file.name for file in files) == sorted(f"{n}.jpg" for n in data["thumbs"])
    assert sorted(file.read_bytes() for file in files) == [b"jpeg one", b"jpeg two"]
    before = [file.stat().st_mtime_ns for file in files]
    written(tmp_path, small_result())
    assert [file.stat().st_mtime_ns for file in files] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "thumbs"]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    calm, _, plain_tags = written(
        tmp_path,
        small_result(),
        facts={"k": "v"},
        problems=[Problem("w", "m")],
    )
    hostile, data, tags = written(
        tmp_path,
        small_result(HOSTILE),
        title=HOSTILE,
        facts={HOSTILE: HOSTILE},
        problems=[Problem(HOSTILE, HOSTILE)],
    )
    assert [tag for tag, _ in tags.tags] == [tag for tag, _ in plain_tags.tags]
    assert [set(attrs) for _, attrs in tags.tags] == [set(attrs) for _, attrs in plain_tags.tags]
    assert data["movies"][0]["cast"][0]["name"] == HOSTILE
    assert ("h1", HOSTILE) in tags.texts
    assert hostile.count("</script") == calm.count("</script") == 2


@given(st.recursive(st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)))
def test_script_json_round_trips_and_cannot_leave_its_script(data: object) -> None:
    text = script_json(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&\u2028\u2029")


def test_a_name_that_no_encoding_takes_still_gives_a_page(tmp_path: Path) -> None:
    _, data, _ = written(tmp_path, small_result("J\udcf6rg"))
    assert data["movies"][0]["cast"][0]["name"] == "J?rg"


def test_nothing_is_fetched(tmp_path: Path) -> None:
    text, _, tags = written(tmp_path, small_result())
    assert not [name for name, _ in tags.tags if name in {"link", "iframe", "img", "object"}]
    assert not [attrs for _, attrs in tags.tags if "src" in attrs]
    assert re.findall(r"https?://[^\"'\s]+", text) == ["http://www.w3.org/2000/svg"]
    policies = [a["content"] for n, a in tags.tags if n == "meta" and "http-equiv" in a]
    assert policies
    assert str(policies[0]).startswith("default-src 'none'; img-src 'self' file:;")


def test_problems_are_listed_once_each(tmp_path: Path) -> None:
    text, _, tags = written(
        tmp_path, small_result(), problems=[Problem("c2.jpg", "has zero bytes")]
    )
    assert [t for tag, t in tags.texts if tag == "b" and t.strip().endswith(".jpg")] == [
        "c2.jpg",
        "p.jpg",
    ]
    assert "2 skipped or incomplete" in text


def test_without_truth_right_and_wrong_cannot_be_chosen(tmp_path: Path) -> None:
    def off(result: MovieResult) -> set[str | None]:
        _, _, tags = written(tmp_path, result)
        return {a["value"] for name, a in tags.tags if name == "input" and "disabled" in a}

    still = Still("c0", Path("c0.jpg"))
    movie = Movie("tt2", (CastMember("a", "A", ()),), (Candidate("c0", still),))
    assert off(MovieResult(movie, (Ranking("a", ("c0",)),), {}, {}, {})) == {"right", "wrong"}
    assert off(small_result()) == set()


def test_no_movies_is_a_page_too(tmp_path: Path) -> None:
    page = write_report(
        tmp_path, [], title="T", facts={}, evaluation={"mAP": math.nan}, problems=()
    )
    assert '{"movies":[],"thumbs":[],"reasons":[],"namedFrom":null}' in page.read_text("utf-8")
    assert "<dl" not in page.read_text("utf-8")


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"")
    with pytest.raises(CastsearchError, match=r"cannot be written .*; choose another folder"):
        written(tmp_path / "report", small_result())


def test_a_page_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()
    with pytest.raises(CastsearchError, match=r"index\.html cannot be written"):
        written(tmp_path, small_result())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "thumbs"]


@pytest.mark.parametrize(
    ("face", "frame", "expected"),
    [
        (Box(0, 0, 100, 200), Box(0, 0, 100, 200), [0, 0, 1000, 1000]),
        (Box(-10, 50, 25, 300), Box(0, 100, 100, 200), [0, 0, 250, 1000]),
        (Box(300, 300, 400, 400), Box(0, 0, 100, 100), None),
        (Box(0, 0, 10, 10), Box(5, 5, 5, 9), None),
    ],
    ids=["whole", "cut at the edge", "outside", "region without area"],
)
def test_face_box(face: Box, frame: Box, expected: list[int] | None) -> None:
    movie = Movie("tt", (), ())
    result = MovieResult(movie, (), {"c": Face(face, 1.0)}, {}, {"c": frame})
    assert face_box(result, "c") == expected
