"""Crops that are rather none of the cast, in a browser: told apart by sight and by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from castsearch.outputs.page import write_report
from castsearch.types import Candidate, CastMember, Movie, MovieResult, Ranking, Still

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize(("named_from", "pale"), [(0.5, ["c1", "c2"]), (None, [])])
def test_crops_below_a_half_are_pale(
    browser: Browser, tmp_path: Path, named_from: float | None, pale: list[str]
) -> None:
    candidates = tuple(Candidate(f"c{i}", Still(f"c{i}", Path("x.jpg"))) for i in range(3))
    movie = Movie("tt1", (CastMember("tt1_a", "Ada", ()),), candidates)
    ranking = Ranking("tt1_a", ("c0", "c1", "c2"), (0.5, 0.49, -float("inf")), ("a", "b", "c"))
    result = MovieResult(movie, (ranking,), {}, {}, {})
    path = write_report(
        tmp_path,
        [result],
        title="T",
        facts={},
        evaluation=None,
        problems=(),
        named_from=named_from,
    )
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(".crop")
    found = page.eval_on_selector_all(
        ".crop.unlikely", "crops => crops.map(crop => crop.getAttribute('aria-label'))"
    )
    assert [label.split(", ")[1] for label in found] == pale
    assert all(label.endswith("rather none of these") for label in found)
    assert ("none of these" in page.inner_text("body")) == bool(pale)
    page.close()
