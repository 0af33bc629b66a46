from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.training.splits import Picture, Splits, read_splits, statistics

Draw = Callable[[Path, int], Path]


def identities(pictures: tuple[Picture, ...]) -> dict[str, int]:
    return dict(Counter(picture.identity for picture in pictures))


def test_train_and_val_folders(people: Path) -> None:
    splits = read_splits(people)
    assert identities(splits.train) == {f"{i:03}": 6 for i in range(8)}
    assert (
        identities(splits.query)
        == identities(splits.gallery)
        == {f"{i:03}": 3 for i in range(8, 12)}
    )
    assert {p.camera for p in splits.query} == {1}
    assert {p.camera for p in splits.gallery} == {2}
    assert splits.notes == splits.problems == ()


def test_statistics_by_hand() -> None:
    pictures = [Picture(Path("x"), name) for name in "aabbbbcccdd"]
    found = statistics(pictures)
    assert (found.n_pictures, found.n_identities) == (11, 4)
    assert (found.smallest, found.median, found.mean, found.largest) == (2, 2.5, 2.75, 4)
    assert str(found) == (
        "11 pictures of 4 identities; per identity min 2, median 2.5, mean 2.8, max 4"
    )


def test_market_1501(tmp_path: Path, draw: Draw) -> None:
    train, query, gallery = (
        tmp_path / name for name in ("bounding_box_train", "query", "bounding_box_test")
    )
    for person in (2, 7):
        for camera in (1, 3):
            draw(train / f"{person:04}_c{camera}s1_000451_03.jpg", person)
    draw(train / "0009_c1s1_000451_03.jpg", 9)
    draw(train / "-1_c1s1_000451_03.jpg", 1)
    draw(query / "0030_c1s1_000001_00.jpg", 30)
    for name in ("0030_c2s1_000001_01", "-1_c2s1_000001_02", "0000_c3s1_000001_03"):
        draw(gallery / f"{name}.jpg", 30)
    splits = read_splits(tmp_path)
    assert identities(splits.train) == {"0002": 2, "0007": 2}
    assert identities(splits.query) == {"0030": 1}
    assert identities(splits.gallery) == {"0030": 1, "-1": 1, "0000": 1}
    assert [p.message for p in splits.problems] == [
        "Identity 0009 has one picture; it is left out."
    ]


def plain_folders(root: Path, draw: Draw, n_people: int = 10) -> Path:
    for person in range(n_people):
        for i in range(3):
            draw(root / f"person {person}" / f"{i}.jpg", person)
    return root


def test_people_are_held_out_where_the_data_have_no_validation(tmp_path: Path, draw: Draw) -> None:
    splits = read_splits(plain_folders(tmp_path, draw), seed=3)
    held = identities(splits.query)
    assert held.keys() == identities(splits.gallery).keys()
    assert len(held) == 2
    assert not held.keys() & identities(splits.train).keys()
    assert set(held.values()) == {1}
    assert splits.notes == (
        "Validation: 2 of 10 identities were drawn by the seed 3 and held out of training.",
    )
    assert read_splits(tmp_path, seed=3) == splits
    assert any(read_splits(tmp_path, seed=s).query != splits.query for s in range(3))


def test_validation_can_be_held_out_or_left_out_where_the_data_have_one(people: Path) -> None:
    held = read_splits(people, validation="held-out")
    assert len(identities(held.train)) == 6
    assert identities(held.query).keys() < {f"{i:03}" for i in range(8)}
    assert {p.camera for p in held.query} == {1}
    none = read_splits(people, validation="none")
    assert none == Splits(read_splits(people).train)


def test_too_few_people_say_so(tmp_path: Path, draw: Draw) -> None:
    plain_folders(tmp_path / "three", draw, 3)
    with pytest.raises(InputError, match="3 identities with two pictures are too few"):
        read_splits(tmp_path / "three")
    plain_folders(tmp_path / "one", draw, 1)
    with pytest.raises(InputError, match="empty or has one identity"):
        read_splits(tmp_path / "one", validation="none")


def test_an_empty_training_split_says_so(people: Path, tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "val" / "001" / "01_1.png", 1)
    draw(tmp_path / "val" / "001" / "02_1.png", 1)
    with pytest.raises(InputError, match="the training split is empty"):
        read_splits(tmp_path)


def course_movie(folder: Path, draw: Draw) -> None:
    """Two cast members with three and two crops, one "others", one crop without a label."""
    labels = ["nm1", "nm1", "nm1", "nm2", "nm2", "others", None]
    for member in ("nm1", "nm2"):
        draw(folder / "cast" / f"{folder.name}_{member}.jpg", 1)
    named = {}
    for i, label in enumerate(labels):
        name = f"{folder.name}_{i:04}.jpg"
        draw(folder / "candidates" / name, i)
        if label:
            named[f"{folder.name}/candidates/{name}"] = (
                label if label == "others" else f"{folder.name}_{label}"
            )
    (folder / "candidate.json").write_text(json.dumps(named))
    cast = {
        f"{folder.name}/cast/{folder.name}_{m}.jpg": f"{folder.name}_{m}" for m in ("nm1", "nm2")
    }
    (folder / "cast.json").write_text(json.dumps(cast))


def test_movies_of_the_course(tmp_path: Path, draw: Draw) -> None:
    for name in ("train/tt0000001", "train/tt0000002", "val/tt0000003"):
        course_movie(tmp_path / name, draw)
    splits = read_splits(tmp_path)
    assert identities(splits.train) == {
        f"tt000000{m}_nm{i}": n for m in (1, 2) for i, n in ((1, 3), (2, 2))
    }, "one identity per movie and member, without others"
    assert identities(splits.query) == {"tt0000003_nm1": 1, "tt0000003_nm2": 1}
    assert identities(splits.gallery) == {"tt0000003_nm1": 2, "tt0000003_nm2": 1, "0000": 1}


def test_real_movies_in_both_layouts(data_dir: Path) -> None:
    course = read_splits(data_dir / "ntu-mini", validation="none")
    wider = read_splits(data_dir / "wider-mini", validation="none")
    assert all(picture.box is None for picture in course.train)
    assert all(picture.box is not None for picture in wider.train)
    # 56 and 33 boxes, 6 and 11 of them "others", less the members with a single crop.
    for splits in (course, wider):
        assert len(splits.train) + len(splits.problems) == 56 + 33 - 6 - 11
    assert identities(course.train) == identities(wider.train)


def test_real_people_of_two_cameras(data_dir: Path) -> None:
    splits = read_splits(data_dir / "reid-pku")
    assert statistics(splits.train).n_identities == 62
    assert len(splits.query) == len(splits.gallery) == 12 * 8
