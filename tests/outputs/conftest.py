"""A browser for pages that open from disk: Playwright over the Chromium of the system."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

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

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; skipped where absent, an error in CI."""
    message = ""
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is not installed"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        message = "playwright is not installed"
    if message:
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Callable[[Path], AbstractContextManager[Page]]:
    """Opens a page from disk; any request but for its own files, or any error, fails the test."""

    @contextmanager
    def opened(path: Path) -> Iterator[Page]:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        requests: list[str] = []
        errors: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(message.text))
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached")
        yield tab
        tab.close()
        assert errors == []
        assert [url for url in requests if not url.startswith(path.parent.as_uri())] == []
        assert len(requests) > 1

    return opened


@pytest.fixture
def until(page: Page) -> Callable[[str], None]:
    """Waits for an expression of the test's ``page`` to become true.

    Playwright's own ``wait_for_function`` evaluates its text inside the page whenever it has to
    look a second time, which the pages' content security policy forbids, as it should.
    """

    def wait(expression: str, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not page.evaluate(expression):
            assert time.monotonic() < end, f"never true within {seconds} s: {expression}"
            page.wait_for_timeout(20)

    return wait


@pytest.fixture
def movie_result() -> Callable[[str], MovieResult]:
    """Makes a result of one cast member and two candidates, whose thumbnail is of that movie."""

    def result(movie_id: str) -> MovieResult:
        stills = [Still(f"{movie_id}_c{i}", Path(f"{movie_id}/c{i}.jpg")) for i in range(2)]
        candidates = (
            Candidate(stills[0].id, stills[0], label=f"{movie_id}_a"),
            Candidate(stills[1].id, stills[1], label=OTHERS),
        )
        portrait = Still(f"{movie_id}_p", Path("p.jpg"))
        movie = Movie(movie_id, (CastMember(f"{movie_id}_a", "Ada", (portrait,)),), candidates)
        first, second = (candidate.id for candidate in candidates)
        ranking = Ranking(f"{movie_id}_a", (first, second), (0.75, 0.25), ("face", "body"), 2)
        return MovieResult(
            movie,
            (ranking,),
            {first: Face(Box(1, 2, 3, 4), 0.5)},
            {first: b"jpeg of " + movie_id.encode()},
            {first: Box(0, 0, 10, 20)},
            (Problem("p.jpg", "has no face"),),
            evidence={"vectors": np.ones((2, 3), np.float32)},
        )

    return result
