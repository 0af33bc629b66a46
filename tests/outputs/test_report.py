"""The report as files: what is in its pages, and what cannot get into them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from castsearch.errors import CastsearchError
from castsearch.outputs.report import folder_name, write_report
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


Written = tuple[str, dict[str, Any], Tags]


def written(folder: Path, result: MovieResult, **changes: Any) -> Written:
    """The page of one movie: its text, its data, its tags."""
    options: dict[str, Any] = {"title": "T", "facts": {}, "evaluation": None, "problems": ()}
    names = write_report(folder, [result], n_movies=1, **(options | changes))
    assert names[0] == "index.html"
    return parsed(folder / "index.html")


def parsed(page: Path) -> Written:
    text = page.read_text("utf-8")
    tags = Tags()
    tags.feed(text)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return text, json.loads(data[1]) if data else {}, tags


def several(n: int) -> Iterator[MovieResult]:
    """Movies of one candidate each, which is 0.6 for Ada; the second has a problem."""
    for i in range(n):
        still = Still("s", Path("s.jpg"))
        movie = Movie(f"tt{i}", (CastMember(f"tt{i}_a", "Ada", ()),), (Candidate("c", still),))
        yield MovieResult(
            movie,
            (Ranking(f"tt{i}_a", ("c",), (0.6,), ("face",)),),
            {},
            {"c": b"the same jpeg"},
            {},
            (Problem("s.jpg", "is cut short"),) * (2 * (i == 1)),
        )


def test_one_movie_is_the_first_page_and_has_the_scores_of_the_run(tmp_path: Path) -> None:
    evaluation = {"mAP": 0.4166667, "rank5": 1, "movies": {"tt1": {"mAP": 0.5}}}
    _, data, tags = written(tmp_path, small_result(), evaluation=evaluation)
    assert [t for tag, t in tags.texts if tag == "dd" and t.strip()] == ["0.417", "1.000"]
    assert data["thumbsAt"] == "thumbs/"
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert names == {"index.html", *(f"thumbs/{name}.jpg" for name in data["thumbs"])}


def test_several_movies_have_a_page_each_and_one_that_leads_to_them(tmp_path: Path) -> None:
    names = write_report(
        tmp_path,
        several(3),
        n_movies=3,
        title="Films",
        facts={"preset": "face"},
        evaluation={"mAP": 0.25, "movies": {"tt2": {"mAP": 0.75}}},
        problems=[Problem("tt9", "has no cast")],
        seconds={"tt0": 1.25, "tt1": None},
        named_from=0.5,
    )
    pages = [f"movies/000{i + 1}-tt{i}/index.html" for i in range(3)]
    assert names[:4] == ["index.html", *pages]
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert written == set(names)
    assert len(names) == 5  # equal pictures are one file
    text, data, tags = parsed(tmp_path / "index.html")
    assert data == {}
    assert [a["href"] for tag, a in tags.tags if tag == "a"] == ["#results", *pages]
    cells = [t for tag, t in tags.texts if tag in {"td", "th"} and t.strip()]
    columns = ["movie", "cast", "candidates", "named", "mAP", "problems", "seconds"]
    assert cells[:7] == columns
    rows = [cells[7 + 6 * i : 13 + 6 * i] for i in range(3)]
    assert rows == [
        ["1", "1", "1", "-", "0", "1.2"],
        ["1", "1", "1", "-", "1", "-"],
        ["1", "1", "1", "0.750", "0", "-"],
    ]
    assert "has no cast" in text
    assert "is cut short" not in text


def test_the_page_of_one_of_several_has_its_own_scores_and_problems(tmp_path: Path) -> None:
    evaluation = {"mAP": 0.25, "movies": {"tt1": {"mAP": 0.75}}}
    options: dict[str, Any] = {"facts": {}, "evaluation": evaluation}
    problems = [Problem("tt9", "has no cast")]
    write_report(tmp_path, several(2), n_movies=2, title="Films", problems=problems, **options)
    page = tmp_path / "movies" / "0002-tt1" / "index.html"
    text, data, tags = parsed(page)
    assert [t for tag, t in tags.texts if tag == "dd" and t.strip()] == ["0.750"]
    assert ("h1", "tt1") in tags.texts
    assert [a["href"] for tag, a in tags.tags if tag == "a"] == ["#results", "../../index.html"]
    assert ("a", "← Films") in tags.texts
    assert text.count("is cut short") == 1
    assert "has no cast" not in text
    (thumbnail,) = data["thumbs"]
    place = page.parent / data["thumbsAt"] / f"{thumbnail}.jpg"
    assert place.read_bytes() == b"the same jpeg"


def test_columns_that_nobody_could_fill_are_left_out(tmp_path: Path) -> None:
    options: dict[str, Any] = {"title": "T", "facts": {}, "evaluation": None, "problems": ()}
    write_report(tmp_path, several(2), n_movies=2, **options)
    _, _, tags = parsed(tmp_path / "index.html")
    heads = [t for tag, t in tags.texts if tag == "th" and t.strip()]
    assert heads == ["movie", "cast", "candidates", "problems"]


def test_one_movie_at_a_time_is_asked_for(tmp_path: Path) -> None:
    pages = []

    def watched() -> Iterator[MovieResult]:
        for result in several(3):
            pages.append(len(list(tmp_path.glob("movies/*/index.html"))))
            yield result

    options: dict[str, Any] = {"title": "T", "facts": {}, "evaluation": None, "problems": ()}
    write_report(tmp_path, watched(), n_movies=3, **options)
    assert pages == [0, 1, 2]


@pytest.mark.parametrize(
    ("movie_id", "name"),
    [
        ("tt0120338", "0007-tt0120338"),
        ("../..", "0007-_"),
        ("", "0007-"),
        ("Amélie: 2 / 3", "0007-Am_lie_2_3"),
        ("x" * 300, f"0007-{'x' * 60}"),
    ],
)
def test_names_of_folders_are_safe(movie_id: str, name: str) -> None:
    assert folder_name(7, movie_id) == name


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
    assert data["movie"]["cast"][0]["name"] == HOSTILE
    assert ("h1", HOSTILE) in tags.texts
    assert hostile.count("</script") == calm.count("</script") == 2


def test_a_name_that_no_encoding_takes_still_gives_a_page(tmp_path: Path) -> None:
    _, data, _ = written(tmp_path, small_result("J\udcf6rg"))
    assert data["movie"]["cast"][0]["name"] == "J?rg"


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
    options: dict[str, Any] = {"title": "T", "facts": {}, "problems": ()}
    names = write_report(tmp_path, [], n_movies=0, evaluation={"mAP": math.nan}, **options)
    assert names == ["index.html"]
    text = (tmp_path / "index.html").read_text("utf-8")
    assert "0 movies" in text
    assert "<dl" not in text


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"")
    with pytest.raises(CastsearchError, match=r"cannot be made .*; choose another folder"):
        written(tmp_path / "report", small_result())
