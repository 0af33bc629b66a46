"""Every kind of bad input: its sentence, its exit status, and that nothing else stops."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from castsearch.cli import main
from castsearch.verbs.demo import MOVIE, compose

Document = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compose(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def copy(movie: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(movie, tmp_path / "movie"))


def change(source: Path, edit: Callable[[Document], None]) -> None:
    path = source / "demo.json"
    document = json.loads(path.read_text())
    edit(document[MOVIE])
    path.write_text(json.dumps(document))


def run(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["rank", str(source), "--out", str(tmp_path / "out"), "--quiet"])
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    return status, errors


def picture(source: Path, index: int = 0) -> Path:
    document = json.loads((source / "demo.json").read_text())[MOVIE]
    return source / "demo" / str(document["candidates"][index]["img"])


def set_first(key: str, value: object) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        document["candidates"][0][key] = value

    return edit


def repeat_an_id(document: Document) -> None:
    document["candidates"][1]["id"] = document["candidates"][0]["id"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (set_first("img", f"{MOVIE}/stills/none.jpg"), ["none.jpg"]),
        (set_first("img", "../../etc/passwd"), ["../../etc/passwd"]),
        (set_first("img", "/etc/passwd"), ["/etc/passwd"]),
        (set_first("bbox", [10, 10, 0, 50]), ["area"]),
        (set_first("bbox", [5000, 5000, 10, 10]), ["box"]),
        (repeat_an_id, [f"{MOVIE}_0000"]),
    ],
    ids=["missing picture", "parent path", "absolute path", "no area", "outside", "duplicate id"],
)
def test_a_bad_entry_is_named_and_the_rest_is_ranked(
    edit: Callable[[Document], None],
    words: list[str],
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(copy, edit)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    sentences = [line for line in errors.splitlines() if line.startswith("skipped: ")]
    assert len(sentences) == 1
    assert all(word in sentences[0] for word in words)
    lines = (tmp_path / "out" / "ranking.csv").read_text().splitlines()
    document = json.loads((copy / "demo.json").read_text())[MOVIE]
    ids = {c["id"] for c in document["candidates"]}
    assert all(set(line.split(",")[1].split()) == ids for line in lines[1:])


@pytest.mark.parametrize(
    "content", [b"", b"only text", b"\xff\xd8\xff\xe0" + b"\0" * 50], ids=["empty", "text", "head"]
)
def test_a_bad_picture_is_named(
    content: bytes, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(copy)
    path.write_bytes(content)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    assert path.name in errors


def test_a_truncated_picture_is_named(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(copy)
    path.write_bytes(path.read_bytes()[:5000])
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    assert path.name in errors
    assert "truncated" in errors


def test_a_link_out_of_the_root_is_refused(
    copy: Path, tmp_path: Path, hopper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(copy)
    path.unlink()
    path.symlink_to(hopper)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    assert path.name in errors


def test_a_portrait_without_a_face_is_said(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait = next((copy / "demo" / MOVIE / "cast").iterdir())
    from PIL import Image

    Image.new("RGB", (300, 300), (90, 120, 60)).save(portrait)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    assert f"{portrait.stem}: no face was found" in errors


def empty(key: str) -> Callable[[Document], None]:
    return lambda document: document[key].clear()


@pytest.mark.parametrize(
    ("edit", "word"), [(empty("cast"), "cast"), (empty("candidates"), "candidates")]
)
def test_nothing_to_rank_is_status_2(
    edit: Callable[[Document], None],
    word: str,
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(copy, edit)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 2
    assert word in errors


def test_a_bad_movie_does_not_stop_another(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy / "demo.json"
    document = json.loads(path.read_text())
    document["tt0000002"] = {"cast": [], "candidates": []}
    path.write_text(json.dumps(document))
    status, errors = run(copy, tmp_path, capsys)
    assert status == 1
    assert "tt0000002" in errors
    assert len((tmp_path / "out" / "ranking.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"tt1": ', "demo.json"),
        ("", "demo.json"),
        ("[" * 100_000, "demo.json"),
        ("[1, 2]", "No movie was found in"),
        ('{"tt1": 5}', "No movie was found in"),
    ],
)
def test_broken_json_is_status_2(
    text: str, sentence: str, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "demo.json").write_text(text)
    status, errors = run(copy, tmp_path, capsys)
    assert status == 2
    assert sentence in errors


def test_an_output_folder_that_cannot_be_made(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    status, errors = run(copy, tmp_path, capsys)
    assert status == 2
    assert "out cannot be made (File exists); choose another folder" in errors
