from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.sources.identities import read_identities
from castsearch.types import Problem


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"never opened")
    return root


def table(root: Path) -> list[tuple[str, str, int | None, str]]:
    found = read_identities(root)
    return [(s.path.relative_to(root).as_posix(), s.identity, s.camera, s.split) for s in found]


def test_market1501(tmp_path: Path) -> None:
    make(
        tmp_path,
        "bounding_box_train/0002_c1s1_000451_03.jpg",
        "bounding_box_train/Thumbs.db",
        "bounding_box_test/-1_c3s2_000001_01.jpg",
        "bounding_box_test/0000_c6s1_000002_00.jpg",
        "query/0001_c4s1_000003_00.jpg",
        "gt_bbox/0001_c1s1_001051_00.jpg",
    )
    assert table(tmp_path) == [
        ("bounding_box_train/0002_c1s1_000451_03.jpg", "0002", 1, "train"),
        ("query/0001_c4s1_000003_00.jpg", "0001", 4, "query"),
        ("bounding_box_test/-1_c3s2_000001_01.jpg", "-1", 3, "gallery"),
        ("bounding_box_test/0000_c6s1_000002_00.jpg", "0000", 6, "gallery"),
    ]


def test_people_in_train_and_val_seen_by_cameras(tmp_path: Path) -> None:
    make(tmp_path, "train/001/01_1.png", "train/001/02_8.png", "val/004/02_1.png")
    make(tmp_path, "val/004/01_7.png", "val/004/note.txt")
    assert table(tmp_path) == [
        ("train/001/01_1.png", "001", 1, "train"),
        ("train/001/02_8.png", "001", 2, "train"),
        ("val/004/01_7.png", "004", 1, "query"),
        ("val/004/02_1.png", "004", 2, "gallery"),
    ]


def test_people_in_val_without_cameras(tmp_path: Path) -> None:
    make(tmp_path, "val/ada/0001_01.jpg", "val/ada/0002_01.jpg", "val/bob/x.jpg", "val/bob/y.jpg")
    assert table(tmp_path) == [
        ("val/ada/0001_01.jpg", "ada", None, "query"),
        ("val/bob/x.jpg", "bob", None, "query"),
        ("val/ada/0002_01.jpg", "ada", None, "gallery"),
        ("val/bob/y.jpg", "bob", None, "gallery"),
    ]


def test_plain_folders_per_person_are_for_training(tmp_path: Path) -> None:
    make(tmp_path, "ada/1.jpg", "ada/2.JPG", "bob/0001_c2s1_000001_00.jpg", "loose.jpg")
    assert table(tmp_path) == [
        ("ada/1.jpg", "ada", None, "train"),
        ("ada/2.JPG", "ada", None, "train"),
        ("bob/0001_c2s1_000001_00.jpg", "bob", 2, "train"),
    ]


def test_a_link_out_of_the_data_set_is_left_out_and_named(tmp_path: Path) -> None:
    root = make(tmp_path / "set", "ada/1.jpg")
    make(tmp_path, "secret.jpg")
    (root / "ada" / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    problems: list[Problem] = []
    assert [s.path.name for s in read_identities(root, problems=problems)] == ["1.jpg"]
    assert "2.jpg lies outside the folder" in problems[0].message


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["query/portrait.jpg"], "not of Market-1501's form"),
        (["train/tt1/cast/a.jpg"], "No pictures of known people"),
        (["readme.txt"], "No pictures of known people"),
    ],
)
def test_other_folders_are_refused(tmp_path: Path, names: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_identities(make(tmp_path, *names))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_identities(tmp_path / "none")


def test_the_real_set_of_two_cameras(data_dir: Path) -> None:
    found = read_identities(data_dir / "reid-pku")
    people = {s.split: len({t.identity for t in found if t.split == s.split}) for s in found}
    assert people == {"train": 62, "query": 12, "gallery": 12}
    counts = Counter(s.split for s in found)
    assert counts == {"train": 992, "query": 96, "gallery": 96}
    assert {s.camera for s in found if s.split == "query"} == {1}
