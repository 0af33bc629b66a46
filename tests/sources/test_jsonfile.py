from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.sources.jsonfile import LabelFiles, load_json
from castsearch.sources.paths import Fence
from castsearch.types import Problem


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "val.json"
    path.write_bytes(content)
    return path


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert load_json(written(tmp_path, b'\xef\xbb\xbf{"a": 1}')) == ({"a": 1}, [])


def test_of_a_key_that_is_there_twice_the_first_counts(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"a": {"x": 1, "x": 2}, "b": 3, "a": 4}')
    assert load_json(path) == ({"a": {"x": 1}, "b": 3}, ["x", "a"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"a": 1,\n "b": }',
            "is broken JSON at line 2, column 7 (Expecting value); mend it or write it again.",
        ),
        (b"", "is broken JSON at line 1, column 1 (Expecting value); mend it or write it again."),
        (b'{"a": "\xff"}', "is not UTF-8 text (byte 7); save it as UTF-8 JSON."),
        (
            b"[" * 200_000,
            "is nested too deeply to be a list of labels or pictures; write it again.",
        ),
        (
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            "is nested too deeply to be a list of labels or pictures; write it again.",
        ),
        (b"9" * 5000, "holds a number that is too long; write it again."),
    ],
)
def test_what_is_no_json(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        load_json(path)
    assert str(caught.value) == f"{path} {message}"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"read \(No such file or directory\); check the path\.$"):
        load_json(tmp_path / "gone.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_any_document_comes_back(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_text(json.dumps(document))
    assert load_json(path) == (document, [])


def test_label_files_are_read_once_and_tell_once(tmp_path: Path) -> None:
    path = written(tmp_path, b"[1]")
    files = LabelFiles(Fence(tmp_path))
    assert files.load(path) == {}
    message = f"{path} is not a JSON object of labels. No label is taken from it."
    assert files.untold() == (Problem(str(path), message),)
    path.write_text('{"a": 1}')
    assert files.load(path) == {}
    assert files.untold() == ()


def test_label_files_need_not_be_there(tmp_path: Path) -> None:
    files = LabelFiles(Fence(tmp_path))
    assert files.load(tmp_path / "cast.json") == {}
    assert files.untold() == ()


def test_a_label_file_that_links_out_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.json").write_text('{"a": 1}')
    (root / "cast.json").symlink_to("../secret.json")
    os.mkfifo(root / "candidate.json")  # reading it would wait for ever
    files = LabelFiles(Fence(root))
    assert files.load(root / "cast.json") == {}
    assert files.load(root / "candidate.json") == {}
    assert [problem.message for problem in files.untold()] == [
        f"{root}/cast.json lies outside the folder {root} and is refused. No label is taken "
        "from it.",
        f"{root}/candidate.json is not a file. No label is taken from it.",
    ]


def test_a_label_file_above_the_given_folder_is_read(tmp_path: Path) -> None:
    movie = tmp_path / "tt1"
    movie.mkdir()
    (tmp_path / "cast.json").write_text('{"a": "b", "a": "c"}')
    files = LabelFiles(Fence(movie))
    assert files.load(tmp_path / "cast.json") == {"a": "b"}
    assert [problem.message for problem in files.untold()] == [
        f"{tmp_path}/cast.json has a twice; the first one counts."
    ]


def test_a_truth_of_two_forms_is_told_once_for_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"tt1_nm1": ["a"], "tt2": {"cast": [], "candidates": []}}')
    files = LabelFiles(Fence(tmp_path))
    assert files.labels(path).of("tt1").labels == {"a": "tt1_nm1"}
    assert files.labels(path) is files.labels(path)
    (problem,) = files.untold()
    assert problem.where == str(path)
    assert "not a ground truth of one form" in problem.message
    assert files.labels(tmp_path / "none.json").of("tt1").labels == {}
    assert files.untold() == ()
