"""The page of an ablation in a browser, opened from disk: two presets side by side."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from castsearch.metrics.comparison import QueryAP, Variant, ablation_of
from castsearch.outputs.page import picture_name, write_thumbnails
from castsearch.outputs.side_by_side import Shown, SideBySide, write_comparison
from castsearch.types import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    OpenPage = Callable[[Path], AbstractContextManager[Page]]

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
VARIANTS = [
    Variant("dlib_allcast", "faces alone", 0.4940, 0.50801),
    Variant("face", f"better faces {HOSTILE}"),
    Variant("castsearch", "all of it"),
]
N_QUERIES = 13


def picture(number: int, width: int = 60, height: int = 90) -> bytes:
    """A plain JPEG of a colour of its own."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), f"hsl({number * 37 % 360}, 40%, 50%)").save(stream, "JPEG")
    return stream.getvalue()


def one_query(i: int) -> SideBySide:
    """Query i, which castsearch ranks better than face by i hundredths, or worse if i is odd."""
    gain = i / 100 * (-1 if i % 2 else 1)
    movie = "tt1" if i < 10 else "tt2"
    query = QueryAP("mini", movie, f"{movie}_{i:02}", (0.1, 0.5, 0.5 + gain), None, 4, 0)
    names = [f"{movie}_{k:04}" for k in range(12)]
    lists = tuple(
        tuple(Shown(name, (k + v) % 3 == 0, f"reason {v}") for k, name in enumerate(names))
        for v in range(3)
    )
    pictures = {name: (picture_name(picture(k)), 667) for k, name in enumerate(names) if k != 5}
    pictures["portrait"] = (picture_name(picture(99, 90, 90)), 1000)
    return SideBySide(query, HOSTILE if i == 12 else f"Member {i}", ("portrait",), lists, pictures)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 13 queries in two movies."""
    seen = [one_query(i) for i in range(N_QUERIES)]
    table = ablation_of(VARIANTS, [s.query for s in seen], against="castsearch", n_resamples=20)
    out = tmp_path_factory.mktemp("ablation")
    jpegs = [*(picture(k) for k in range(12)), picture(99, 90, 90)]
    write_thumbnails(out / "thumbs", {picture_name(jpeg): jpeg for jpeg in jpegs})
    return write_comparison(out, table, seen, [Problem("x.jpg", f"is cut short {HOSTILE}")])


@pytest.fixture
def page(open_page: OpenPage, comparison: Path) -> Iterator[Page]:
    """The page, opened; any request but for its own files, or any error, fails the test."""
    with open_page(comparison) as tab:
        yield tab


def test_the_table_and_the_chart_are_there_without_a_script(
    browser: Browser, comparison: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(comparison.as_uri())
    rows = tab.locator("tbody tr").all_inner_texts()
    assert len(rows) == 3
    assert rows[0].startswith("dlib_allcast")
    assert "0.4940\t0.50801" in rows[0]
    assert "other data" in tab.locator("thead").inner_text()
    assert tab.get_by_role("img", name="mAP of each preset").locator("rect").count() == 3
    assert tab.locator("noscript").inner_text().startswith("The ranked crops are drawn by a script")
    context.close()


def test_the_largest_difference_comes_first(page: Page) -> None:
    assert page.get_by_label("Left").input_value() == "1"  # face: the best of the others
    assert page.get_by_label("Right").input_value() == "2"
    status = page.get_by_role("status").inner_text()
    assert "13 queries" in status
    assert "6 better on the right, 6 on the left, 1 equal" in status
    names = page.locator("section.cast h3").all_inner_texts()
    assert names == [HOSTILE, *(f"Member {i}" for i in range(11, 2, -1))]
    second = page.get_by_role("region", name="Member 11")
    assert "mini tt2 · 4 right · difference \u22120.110" in second.inner_text()
    assert second.locator(".better h4").inner_text() == "face: AP 0.500"


def test_right_and_wrong_are_marked_in_both_lists(page: Page, until: Callable[[str], None]) -> None:
    query = page.get_by_role("region", name="Member 11")
    left = query.get_by_role("list", name="First of face for Member 11")
    right = query.get_by_role("list", name="First of castsearch for Member 11")
    assert left.get_by_role("listitem").count() == 12
    # Entry k of variant v is right where k + v is a multiple of 3.
    for column, v in ((left, 1), (right, 2)):
        marks = column.locator(".mark").all_inner_texts()
        assert [mark == "✓ right" for mark in marks] == [(k + v) % 3 == 0 for k in range(12)]
    assert left.locator("li").nth(0).locator(".why").inner_text() == "reason 1"
    assert left.locator("li").nth(5).get_by_text("no picture").is_visible()
    query.locator("img").last.scroll_into_view_if_needed()
    until("[...document.querySelectorAll('.cast:nth-child(2) img')].every(i => i.naturalWidth)")


def test_other_presets_and_movies_can_be_chosen(page: Page) -> None:
    page.get_by_label("Movie").select_option(label="mini tt2")
    assert page.locator("section.cast").count() == 3
    page.get_by_label("Left").select_option(label="dlib_allcast")
    page.get_by_label("Right").select_option(label="face")
    assert "3 better on the right, 0 on the left" in page.get_by_role("status").inner_text()
    headings = page.locator("section.cast").first.locator("h4").all_inner_texts()
    assert headings == ["dlib_allcast: AP 0.100", "face: AP 0.500"]


def test_the_rest_is_in_reach_of_the_keyboard(page: Page) -> None:
    more = page.get_by_role("button", name="Show 3 more of 3")
    more.focus()
    page.keyboard.press("Enter")
    assert page.locator("section.cast").count() == N_QUERIES
    assert more.is_hidden()
    assert page.evaluate("document.activeElement.querySelector('h3').textContent") == "Member 2"


def test_hostile_names_are_text(page: Page) -> None:
    assert page.title() == "castsearch: ablation"
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("h3", has_text=HOSTILE).count() == 1


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_does_not_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
