from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.sources.paths import (
    Fence,
    assign_ids,
    full_id,
    is_fit_id,
    leaves,
    listing,
    slug,
)


@pytest.mark.parametrize(
    "name",
    [
        "../x.jpg",
        "..",
        "/etc/passwd",
        "a/../../x",
        "\\\\server\\share\\x",
        "..\\..\\x",
        "C:\\x.jpg",
        "c:x",
    ],
)
def test_names_that_leave(name: str) -> None:
    assert leaves(name)


@pytest.mark.parametrize("name", ["x.jpg", "a/../x.jpg", "./x", "a..b/..x", "a/b\\c", "", "~/x"])
def test_names_that_stay(name: str) -> None:
    assert not leaves(name)


def test_leaves_counts_from_the_folder_it_starts_in() -> None:
    assert not leaves("../x.jpg", "val")
    assert leaves("../../x.jpg", "val")


@given(st.lists(st.sampled_from(["..", ".", "a", "b"])))
def test_leaves_against_counting(parts: list[str]) -> None:
    depth = lowest = 0
    for part in parts:
        depth += {"..": -1, ".": 0}.get(part, 1)
        lowest = min(lowest, depth)
    assert leaves("/".join(parts)) == (lowest < 0)


@pytest.fixture
def fence(tmp_path: Path) -> Fence:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "in" / "a.jpg").write_bytes(b"a")
    (tmp_path / "secret.jpg").write_bytes(b"s")
    return Fence(root)


def test_fence_lets_files_inside_through(fence: Fence) -> None:
    assert fence.objection(fence.root / "in" / "a.jpg") is None
    assert fence.objection(fence.root / "in" / ".." / "in" / "a.jpg") is None


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "in/../../secret.jpg", "../gone.jpg", "in/../.."]
)
def test_fence_refuses_what_is_outside(fence: Fence, name: str) -> None:
    assert fence.objection(fence.root / name) == (
        f"lies outside the folder {fence.root} and is refused"
    )


def test_fence_refuses_a_neighbour_whose_name_begins_alike(fence: Fence) -> None:
    neighbour = fence.root.with_name("root2")
    neighbour.mkdir()
    (neighbour / "a.jpg").write_bytes(b"a")
    assert fence.objection(neighbour / "a.jpg") == fence.outside


def test_fence_follows_links(fence: Fence) -> None:
    inside, root = fence.root / "in", fence.root
    (inside / "out.jpg").symlink_to(root.parent / "secret.jpg")
    (inside / "twice.jpg").symlink_to(inside / "out.jpg")
    (inside / "dangling_out.jpg").symlink_to(root.parent / "gone.jpg")
    (inside / "dangling.jpg").symlink_to(inside / "gone.jpg")
    (inside / "fine.jpg").symlink_to("a.jpg")
    (root / "away").symlink_to(root.parent)
    for name in ("out.jpg", "twice.jpg", "dangling_out.jpg", "../away/secret.jpg"):
        assert fence.objection(inside / name) == fence.outside
    assert fence.objection(inside / "fine.jpg") is None
    assert fence.objection(inside / "dangling.jpg") == "is missing"
    (inside / "loop.jpg").symlink_to("loop.jpg")
    assert fence.objection(inside / "loop.jpg") not in (None, "is missing")


def test_a_root_that_is_a_link_is_fine(fence: Fence) -> None:
    link = fence.root.with_name("link")
    link.symlink_to(fence.root)
    assert Fence(link).objection(link / "in" / "a.jpg") is None
    assert Fence(link).objection(link / ".." / "secret.jpg") is not None


def test_fence_says_what_is_no_file(fence: Fence) -> None:
    os.mkfifo(fence.root / "pipe.jpg")
    assert fence.objection(fence.root / "in") == "is not a file"
    assert fence.objection(fence.root / "pipe.jpg") == "is not a file"
    assert fence.objection(fence.root / "gone.jpg") == "is missing"
    assert fence.objection(fence.root / "in" / "a.jpg" / "b.jpg") == "is missing"
    assert fence.objection(fence.root / "a\0b") == "is not a path that a file can have"
    assert fence.objection(fence.root / ("x" * 300)) == "cannot be opened (File name too long)"


def test_listing_passes_over_everything_but_pictures_and_folders(tmp_path: Path) -> None:
    pictures = ["b.JPG", "a.png", "c.webp", "d.tiff"]
    for name in [*pictures, ".hidden.jpg", "Thumbs.db", "notes.txt", "e", ".DS_Store"]:
        (tmp_path / name).touch()
    for name in ("z", "folder.jpg", ".git", "@eaDir", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    found, folders = listing(tmp_path)
    links = ["dangling.jpg", "loop.jpg"]
    assert [path.name for path in found] == ["a.png", "b.JPG", "c.webp", "d.tiff", *links]
    assert [path.name for path in folders] == ["folder.jpg", "z"]


def test_listing_of_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        listing(tmp_path / "gone")
    assert str(caught.value) == (
        f"{tmp_path / 'gone'} cannot be listed (No such file or directory); check the path."
    )


@given(st.text())
def test_a_slug_is_a_fit_id(name: str) -> None:
    assert is_fit_id(slug(name))
    assert slug(slug(name)) == slug(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tt0120338_0001", "tt0120338_0001"),
        ("Kate  Winslet", "Kate_Winslet"),
        ("a,b\tc", "a_b_c"),
        ('"x"', "_x_"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("O'Neill (1)", "O'Neill_(1)"),
        ("", "_"),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    "bad", ["", "a b", "a,b", "a\nb", 'a"b', "a/b", "..\\b", "\ud800", 7, None]
)
def test_unfit_ids(bad: object) -> None:
    assert not is_fit_id(bad)


def test_full_id() -> None:
    assert full_id("tt1", "nm2") == "tt1_nm2"
    assert full_id("tt1", "tt1_nm2") == "tt1_nm2"
    assert full_id("tt1", "tt12_nm2") == "tt1_tt12_nm2"


def test_ids_that_clash_are_told_apart() -> None:
    taken: set[str] = set()
    # The name that is an id already keeps it, whatever the order.
    assert assign_ids(["Ann B", "Ann_B", "Ann,B", "m_Ann_B"], "m_", taken) == [
        "m_Ann_B-3",
        "m_Ann_B-2",
        "m_Ann_B-4",
        "m_Ann_B",
    ]
    assert assign_ids(["Ann_B"], "m_", taken) == ["m_Ann_B-5"]


@given(st.lists(st.text("ab ,_-2", max_size=4), unique=True))
def test_assigned_ids_are_different_and_do_not_depend_on_the_order(names: list[str]) -> None:
    ids = assign_ids(names, "m_", set())
    assert len(set(ids)) == len(names)
    assert all(is_fit_id(id_) and id_.startswith("m_") for id_ in ids)
    backwards = assign_ids(names[::-1], "m_", set())
    assert backwards == ids[::-1]
