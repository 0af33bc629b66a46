"""A movie's page in a browser: Playwright over the Chromium of the system, opened from disk."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from castsearch.outputs.report import write_report
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
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    OpenPage = Callable[[Path], AbstractContextManager[Page]]

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"> 'Zoë'"


def drawn(number: int, width: int, height: int) -> bytes:
    """A figure before a coloured ground, no person: a JPEG of its own per number."""
    hue = number * 47 % 360
    picture = Image.new("RGB", (width, height), f"hsl({hue}, 25%, 45%)")
    draw = ImageDraw.Draw(picture)
    w, h = width / 100, height / 150
    draw.ellipse((10 * w, 70 * h, 90 * w, 230 * h), fill=f"hsl({(hue + 150) % 360}, 35%, 30%)")
    draw.ellipse((30 * w, 20 * h, 70 * w, 80 * h), fill=f"hsl({25 + number % 12}, 45%, 65%)")
    draw.text((2, 2), str(number), fill="white")
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=70)
    return stream.getvalue()


def big_result(
    movie_id: str, n_cast: int, n_candidates: int, *, first: str = "Ada Lovelace", n_pictures: int
) -> MovieResult:
    """Candidate i shows cast i % (n_cast + 1); every 7th has no face; every 31st no picture."""
    names = [first, "Grace Hopper", "Jörg Müller", *(f"Member {i}" for i in range(3, n_cast))]
    cast = tuple(
        CastMember(f"{movie_id}_{i}", names[i], (Still(f"p{i}", Path(f"p{i}.jpg")),))
        for i in range(n_cast)
    )
    labels = [*(member.id for member in cast), OTHERS]
    candidates = tuple(
        Candidate(f"{movie_id}_{i:04}", Still(f"s{i}", Path("s")), label=labels[i % len(labels)])
        for i in range(n_candidates)
    )
    sizes = [(100, 150), (150, 100), (60, 150), (240, 100)]
    pictures = [drawn(i, *sizes[i % 4 if i % 5 == 0 else 0]) for i in range(n_pictures)]
    thumbnails, frames, faces = {}, {}, {}
    for i, name in enumerate([*(c.id for c in candidates), *(f"p{i}" for i in range(n_cast))]):
        if i % 31 == 30:
            continue
        j = i % n_pictures
        width, height = sizes[j % 4 if j % 5 == 0 else 0]
        thumbnails[name] = pictures[j]
        frames[name] = Box(40, 40, 40 + width, 40 + height)
        if i % 7:
            box = Box(0.3 * width, 0.13 * height, 0.7 * width, 0.54 * height)
            faces[name] = Face(box.shift(40, 40), 0.9)
    rankings = []
    for k, member in enumerate(cast):
        order = []
        for i, candidate in enumerate(candidates):
            right = i % len(labels) == k
            noise = (i * 7919 + k * 104729) % 1000 / 1000
            score = 0.5 * right + 0.8 * noise if candidate.id in faces else -math.inf
            order.append((-score, candidate.id))
        order.sort()
        rankings.append(
            Ranking(
                member.id,
                tuple(name for _, name in order),
                tuple(-score for score, _ in order),
                tuple("face distance" if s < math.inf else "no face found" for s, _ in order),
            )
        )
    return MovieResult(
        Movie(movie_id, cast, candidates), tuple(rankings), faces, thumbnails, frames
    )


def written(folder: Path, *movies: MovieResult, **options: object) -> Path:
    """The report of ``movies``, as the path of its first page."""
    given: dict[str, Any] = {"title": "T", "facts": {}, "evaluation": None, "problems": ()}
    write_report(folder, movies, n_movies=len(movies), **(given | options))
    return folder / "index.html"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One movie of 3 cast and 300 candidates."""
    return written(
        tmp_path_factory.mktemp("report"),
        big_result("tt1", 3, 300, n_pictures=40),
        title="Cast search: a drawn movie",
        facts={"preset": "face", "stills": "320", "castsearch": "0.1.0"},
        evaluation={
            "mAP": 0.7128,
            "rank1": 0.87,
            "queries": {"tt1_0": {"AP": 0.8125, "n_positives": 75}},
            "movies": {"tt1": {"mAP": 0.7}},
        },
        problems=[Problem("cast/broken.jpg", "is cut short; copy it again")],
    )


@pytest.fixture(scope="module")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One movie of 2 cast and 20 candidates; one of its cast has a hostile name."""
    movie = big_result("tt2", 2, 20, first=HOSTILE, n_pictures=20)
    return written(tmp_path_factory.mktemp("small"), movie, title="Cast search: a small one")


@pytest.fixture
def page(open_page: OpenPage, report: Path) -> Iterator[Page]:
    """The report, opened; any request but for its own files, or any error, fails the test."""
    with open_page(report) as tab:
        yield tab


@pytest.fixture
def small_page(open_page: OpenPage, small_report: Path) -> Iterator[Page]:
    """The small report, likewise."""
    with open_page(small_report) as tab:
        yield tab


def test_cast_and_crops_are_shown(page: Page) -> None:
    ada = page.get_by_role("region", name="Ada Lovelace")
    assert "AP 0.813 · 75 right of 300 crops" in ada.inner_text()
    first = ada.locator(".crop").first
    first.locator("img").wait_for()
    assert first.inner_text().split() == ["#1", "1.297", "✓", "right", "face", "distance"]
    assert ada.locator(".crop").count() == 36
    picture = first.locator(".pic").bounding_box()
    face = first.locator(".face").bounding_box()
    assert picture
    assert face
    assert (face["x"] - picture["x"]) / picture["width"] == pytest.approx(0.3, abs=0.02)
    assert (face["y"] - picture["y"]) / picture["height"] == pytest.approx(0.13, abs=0.02)
    assert face["width"] / picture["width"] == pytest.approx(0.4, abs=0.02)


def test_every_picture_keeps_its_proportions(page: Page, until: Callable[[str], None]) -> None:
    until("[...document.images].slice(0, 20).every(i => i.naturalWidth)")
    worst = page.evaluate(
        """() => Math.max(...[...document.images].filter(i => i.naturalWidth).map(i => {
             const stage = i.closest('.stage').getBoundingClientRect();
             const box = i.getBoundingClientRect();
             const out = Math.max(box.width - stage.width, box.height - stage.height) > 0.6;
             return out ? 99 : Math.abs(box.width / box.height
               / (i.naturalWidth / i.naturalHeight) - 1);
           }))"""
    )
    assert worst < 0.03


def test_hostile_names_are_text(small_page: Page) -> None:
    assert small_page.title() == "Cast search: a small one"
    assert small_page.locator("h3", has_text=HOSTILE).count() == 1
    assert small_page.locator("#cast option").all_inner_texts()[1] == HOSTILE
    assert small_page.locator("img[src=x]").count() == 0


def test_filters(page: Page) -> None:
    status = page.get_by_role("status")
    assert status.inner_text() == "3 of 3 cast members, 900 crops"
    page.get_by_role("radio", name="✓ Right").check()
    # Candidates 0 .. 299 go round over three cast and "others".
    assert status.inner_text() == "3 of 3 cast members, 225 crops right"
    assert page.locator(".crop.wrong").count() == 0
    page.get_by_role("radio", name="No face").check()
    assert page.locator(".crop .score").first.inner_text() == "no face"
    page.get_by_role("radio", name="All").check()
    page.get_by_role("searchbox", name="Name").fill("JORG mu")
    assert page.locator("section.cast:visible h3").all_inner_texts() == ["Jörg Müller"]
    page.get_by_role("searchbox", name="Name").fill("nobody")
    assert status.inner_text() == "Nobody matches; change the name."
    page.get_by_role("searchbox", name="Name").fill("")
    page.get_by_role("combobox", name="Cast").select_option(label="Grace Hopper")
    assert page.locator("section.cast:visible h3").all_inner_texts() == ["Grace Hopper"]
    page.get_by_role("radio", name="✗ Wrong").check()
    assert status.inner_text() == "1 of 3 cast members, 225 crops wrong"


def test_wrong_crops_of_a_small_movie(small_page: Page) -> None:
    small_page.get_by_role("radio", name="✗ Wrong").check()
    # Candidates 0 .. 19 go round over two cast and "others": 7, 7 and 6 of them.
    status = small_page.get_by_role("status").inner_text()
    assert status == "2 of 2 cast members, 26 crops wrong"


def test_scrolling_and_the_button_draw_the_rest(page: Page) -> None:
    ada = page.get_by_role("region", name="Ada Lovelace")
    ada.get_by_role("button", name="Show 120 more of 264").click()
    page.wait_for_timeout(200)
    assert ada.locator(".crop").count() < 300
    for _ in range(8):
        ada.locator(".crop").last.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    assert ada.locator(".crop").count() == 300
    assert ada.locator("button.more").is_hidden()
    ranks = ada.locator(".line b").all_inner_texts()
    assert ranks == [f"#{i}" for i in range(1, 301)]


def test_keyboard(page: Page, until: Callable[[str], None]) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    assert page.evaluate(focused).startswith("Rank 1, tt1_")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("Rank 3,")
    page.keyboard.press("ArrowDown")
    columns = page.locator(".crops").first.evaluate(
        "l => [...l.children].filter(c => c.offsetTop === l.children[0].offsetTop).length"
    )
    assert page.evaluate(focused).startswith(f"Rank {3 + columns},")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="#1 for Ada Lovelace")
    assert "✓ right" in dialog.inner_text()
    assert dialog.locator("tbody th").all_inner_texts() == ["Grace Hopper", "Jörg Müller"]
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("dialog", name="#2 for Ada Lovelace").is_visible()
    page.keyboard.press("Escape")
    until(f"({focused}).startsWith('Rank 2,')")


def test_arrow_down_from_the_last_whole_row_reaches_the_last_crop(small_page: Page) -> None:
    page = small_page
    crops = page.locator("section.cast").first.locator(".crop")
    # 8 in a row: 1 .. 8, 9 .. 16, 17 .. 20.
    crops.nth(7).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    assert page.evaluate(focused).startswith("Rank 20,")


def test_the_dialog_keeps_its_keys_at_the_end_of_the_list(small_page: Page) -> None:
    page = small_page
    page.locator("section.cast .crop").nth(18).click()
    dialog = page.get_by_role("dialog")
    following = dialog.get_by_role("button", name="Next crop")
    following.click()
    assert following.is_disabled()
    page.keyboard.press("ArrowRight")
    assert dialog.get_by_text("20 of 20").is_visible()
    page.keyboard.press("ArrowLeft")
    assert dialog.get_by_text("19 of 20").is_visible()


def test_the_dialog_orders_the_other_cast_by_rank(page: Page) -> None:
    # Rank 100 of Ada: her right ones are done with, so that others come before her.
    page.get_by_role("region", name="Ada Lovelace").locator("button.more").click()
    page.locator(".crop[data-index='99']").first.click()
    rows = page.get_by_role("dialog").locator("tbody tr").all_inner_texts()
    ranks = [int(row.split("#")[1].split()[0]) for row in rows]
    assert len(ranks) == 2
    assert ranks == sorted(ranks)


def test_a_wrong_crop_says_who_it_is_and_a_portrait_that_it_has_no_face(page: Page) -> None:
    ada = page.get_by_role("region", name="Ada Lovelace")
    page.get_by_role("radio", name="✗ Wrong").check()
    label = ada.locator(".crop").first.get_attribute("aria-label")
    assert label
    # Candidates go round over three cast and "others".
    who = ["Ada Lovelace", "Grace Hopper", "Jörg Müller", "nobody of the cast"]
    number = int(label.split("tt1_")[1][:4])
    assert f", wrong, is {who[number % 4]}, score" in label
    assert ada.locator(".crop").first.get_by_text(f"is {who[number % 4]}").is_visible()
    # Faces are missing where the number is a multiple of 7; the portraits are 300 .. 302.
    warned = page.locator("section.cast:has(.warning) h3").all_inner_texts()
    assert warned == ["Grace Hopper"]
    assert page.locator(".warning").first.inner_text() == "No face found in the portrait"


def test_without_an_observer_everything_is_in_reach_of_buttons(
    browser: Browser, report: Path
) -> None:
    tab = browser.new_page()
    tab.add_init_script("delete window.IntersectionObserver")
    tab.goto(report.as_uri())
    tab.wait_for_selector("html[data-ready]", state="attached")
    ada = tab.get_by_role("region", name="Ada Lovelace")
    assert tab.locator("section.cast:has(.crop)").count() == 3
    while ada.locator("button.more").is_visible():
        ada.locator("button.more").click()
    assert ada.locator(".crop").count() == 300
    tab.get_by_role("radio", name="✓ Right").check()
    assert tab.locator("section.cast:has(.crop)").count() == 3
    tab.close()


def test_without_scripts_a_sentence_says_so(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(report.as_uri())
    assert tab.locator("noscript").is_visible()
    assert "Allow scripts for this page" in tab.locator("noscript").inner_text()
    assert not tab.locator("#filters").is_visible()
    assert tab.get_by_text("is cut short; copy it again").is_visible()
    context.close()


def test_problems_and_facts(page: Page) -> None:
    assert page.get_by_role("heading", name="1 skipped or incomplete").is_visible()
    assert page.get_by_text("is cut short; copy it again").is_visible()
    assert page.locator(".facts").inner_text().split("\n")[1:3] == ["preset", "face"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screen_does_not_scroll_sideways(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".crop").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = page.get_by_role("dialog").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page: Page, scheme: str) -> None:
    """WCAG 2 AA: 4.5 : 1 for text, 3 : 1 for the edges of controls and verdicts."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    style = "getComputedStyle(document.documentElement).getPropertyValue('--{}').trim()"

    def luminance(name: str) -> float:
        text = page.evaluate(style.format(name)).lstrip("#")
        text = text if len(text) == 6 else "".join(2 * c for c in text)
        parts = [int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(first: str, second: str) -> float:
        low, high = sorted((luminance(first), luminance(second)))
        return (high + 0.05) / (low + 0.05)

    for ground in ("page", "card"):
        for ink in ("ink", "soft", "accent", "right", "wrong"):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
        assert contrast("control", ground) >= 3, ground
    assert contrast("soft", "stage") >= 4.5


def test_print_shows_every_cast(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("section.cast").count() == 3
    assert page.locator("section.cast:not(:has(.crop))").count() == 0
    assert not page.locator("#filters").is_visible()


def test_ten_cast_and_two_thousand_candidates_stay_usable(browser: Browser, tmp_path: Path) -> None:
    result = big_result("tt1", 10, 2000, n_pictures=400)
    path = written(tmp_path, result, title="Large")
    size = path.stat().st_size
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    tab.goto(path.as_uri())
    tab.wait_for_selector(".crop img")
    load = time.perf_counter() - start
    start = time.perf_counter()
    tab.get_by_role("radio", name="✗ Wrong").check()
    tab.wait_for_selector(".crop.wrong")
    filtered = time.perf_counter() - start
    tab.get_by_role("radio", name="All").check()
    start = time.perf_counter()
    tab.get_by_role("combobox", name="Cast").select_option(label="Member 9")
    shown = tab.locator("section.cast:visible .crop")
    while shown.count() < 2000:
        tab.evaluate("scrollTo(0, document.body.scrollHeight)")
        tab.wait_for_timeout(20)
        assert time.perf_counter() - start < 60
    drawn_all = time.perf_counter() - start
    tab.close()
    print(
        f"\n10 x 2,000: {size:,} bytes, first crops {load:.2f} s, filter {filtered:.2f} s, "
        f"all 2,000 crops of one cast by scrolling {drawn_all:.2f} s"
    )
    assert size < 1_000_000
    assert load < 5
    assert filtered < 2


@pytest.mark.parametrize(("named_from", "pale"), [(0.5, ["c1", "c2"]), (None, [])])
def test_crops_below_a_half_are_pale(
    browser: Browser, tmp_path: Path, named_from: float | None, pale: list[str]
) -> None:
    candidates = tuple(Candidate(f"c{i}", Still(f"c{i}", Path("x.jpg"))) for i in range(3))
    movie = Movie("tt1", (CastMember("tt1_a", "Ada", ()),), candidates)
    ranking = Ranking("tt1_a", ("c0", "c1", "c2"), (0.5, 0.49, -float("inf")), ("a", "b", "c"))
    result = MovieResult(movie, (ranking,), {}, {}, {})
    page = browser.new_page()
    page.goto(written(tmp_path, result, named_from=named_from).as_uri())
    page.wait_for_selector(".crop")
    labels = page.eval_on_selector_all(
        ".crop.unlikely", "crops => crops.map(crop => crop.getAttribute('aria-label'))"
    )
    assert [label.split(", ")[1] for label in labels] == pale
    assert all(label.endswith("rather none of these") for label in labels)
    assert ("none of these" in page.inner_text("body")) == bool(pale)
    page.close()
