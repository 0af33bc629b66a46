"""The list of movies and what it leads to, in a browser, opened from disk."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from castsearch.outputs.report import write_report
from castsearch.types import MovieResult, Problem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
def report(tmp_path: Path, movie_result: Callable[[str], MovieResult]) -> Path:
    """Three movies, one of a hostile and long name."""

    def results() -> Iterator[MovieResult]:
        for i, name in enumerate(["tt1", HOSTILE + "x" * 90, "tt3"]):
            result = movie_result(name)
            stream = io.BytesIO()
            Image.new("RGB", (60, 120), f"hsl({i * 90}, 50%, 50%)").save(stream, "JPEG")
            for crop in result.thumbnails:
                result.thumbnails[crop] = stream.getvalue()
            yield result

    write_report(
        tmp_path,
        results(),
        n_movies=3,
        title=f"Films {HOSTILE}",
        facts={"preset": "castsearch", "source": "/a/long/path/to/films" * 4},
        evaluation={"mAP": 0.7, "movies": {"tt1": {"mAP": 0.5}}},
        problems=[Problem("tt9", f"has no cast {HOSTILE}")],
        seconds={"tt1": 2.5},
        named_from=0.5,
    )
    return tmp_path / "index.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The list, opened; a request out of the report, or any error, fails the test."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    errors: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text))
    tab.goto(report.as_uri())
    yield tab
    tab.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(report.parent.as_uri())] == []


def test_a_row_leads_to_the_page_of_its_movie_and_back(
    page: Page, until: Callable[[str], None]
) -> None:
    rows = page.locator("tbody tr")
    assert rows.count() == 3
    assert rows.nth(0).inner_text().split() == ["tt1", "1", "2", "1", "0.500", "1", "2.5"]
    page.get_by_role("link", name="tt1").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.get_by_role("heading", level=1).inner_text() == "tt1"
    until("document.querySelector('.crop img').naturalWidth === 60")
    page.get_by_role("link", name="← Films").click()
    assert rows.count() == 3


def test_hostile_names_are_text(page: Page) -> None:
    assert page.title() == f"Films {HOSTILE}"
    page.get_by_role("link", name="onerror").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE + "x" * 90
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("width", [320, 360, 700, 1280])
def test_the_list_does_not_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="tt3").click()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_narrow_screen_every_figure_says_what_it_is(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    cells = page.locator("tbody tr").first.locator("td")
    names = cells.evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
    )
    columns = ["cast", "candidates", "named", "mAP", "problems", "seconds"]
    assert names == [f'"{name}"' for name in columns]


def test_it_is_whole_without_scripts(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(report.as_uri())
    assert tab.locator("tbody tr").count() == 3
    assert tab.locator("script").count() == 0
    assert tab.get_by_text("has no cast").is_visible()
    context.close()
