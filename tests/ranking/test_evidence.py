"""What was found in pictures, brought together for a movie; and stored as arrays and back."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castsearch.features.asked import Asked, asked
from castsearch.features.corners import corners
from castsearch.features.places import places
from castsearch.features.region import Features
from castsearch.features.store import Store
from castsearch.presets import PRESETS, preset
from castsearch.ranking.evidence import (
    Evidence,
    evidence_of,
    movie_evidence,
    portrait_features,
)
from castsearch.types import Box, Candidate, CastMember, Face, FaceHit, Movie, PictureInfo, Still

A, B = np.float32([1, 0]), np.float32([0, 1])
DIMS = {"lite0-parts": 3136, "hsv-stripes": 256, "efficientnet-lite0": 1280}


def asked_by(name: str, *settings: str) -> Asked:
    chosen = preset(name, settings)
    return asked(chosen.look, all_faces=chosen.way.all_faces)


def movie_of(stills: str, n_cast: int = 1) -> Movie:
    """A movie with one candidate per letter, which names its still."""
    cast = tuple(
        CastMember(f"m_{i}", f"Cast {i}", (Still(f"p{i}", Path(f"p{i}.jpg")),))
        for i in range(n_cast)
    )
    candidates = (Candidate(f"c{i}", Still(s, Path(f"{s}.jpg"))) for i, s in enumerate(stills))
    return Movie("m", cast, tuple(candidates))


def hit(vector: np.ndarray, suitability: float, left: float = 0) -> FaceHit:
    return FaceHit(Face(Box(left, 0, left + 9, 9), 0.8), vector, suitability)


def evidence(stills: str, crops: list[Features], what: Asked | None = None, **changes) -> Evidence:
    what = what or asked_by("castsearch", "body=hsv-stripes")
    given = {"portraits": [[]], "places": None} | changes
    return movie_evidence(
        movie_of(stills, len(given["portraits"])), crops=crops, what=what, **given
    )


def test_portraits_are_their_members_and_those_without_a_face_are_left_out() -> None:
    portraits = [[Features(vector=A), Features()], [Features()], [Features(vector=B)]]
    found = evidence("s", [Features()], portraits=portraits)
    assert found.n_cast == 3
    np.testing.assert_array_equal(found.portraits, [A, B])
    assert found.portraits.dtype == np.float32
    np.testing.assert_array_equal(found.portrait_cast, [0, 2])
    assert [[v.tolist() for v in vectors] for vectors in found.queries] == [[[1, 0]], [], [[0, 1]]]


def test_portrait_features_follow_the_cast() -> None:
    first, second = Features(vector=A), Features(vector=B)
    cast = (
        CastMember("m_1", "One", (Still("x", Path("x.jpg")), Still("y", Path("y.jpg")))),
        CastMember("m_0", "Two", (Still("y", Path("y.jpg")),)),
    )
    rows = portrait_features(cast, {"y": second, "x": first})
    assert rows == [[first, second], [second]]


def test_every_face_of_a_crop_is_a_hit_or_the_one_that_it_is_about() -> None:
    face = Face(Box(1, 2, 3, 4), 0.7)
    crops = [
        Features(hits=(hit(A, 0.2), hit(B, 0.9, left=20))),
        Features(),
        Features(face=face, vector=B),
        # A face that could not be encoded says nothing.
        Features(face=face),
    ]
    found = evidence("stuv", crops)
    np.testing.assert_array_equal(found.hit_candidate, [0, 0, 2])
    np.testing.assert_array_equal(found.hit_suitability, [0.2, 0.9, 1.0])
    np.testing.assert_array_equal(found.hits, [A, B, B])
    np.testing.assert_array_equal(
        found.hit_boxes, [[0, 0, 9, 9, 0.8], [20, 0, 29, 9, 0.8], [1, 2, 3, 4, 0.7]]
    )
    assert [len(row) for row in found.face_hits] == [2, 0, 1, 0]
    assert found.face_hits[0][1].face == Face(Box(20, 0, 29, 9), 0.8)
    assert found.face_hits[2][0].face == face
    # The first of several faces is the candidate's where one is asked for.
    assert [v if v is None else v.tolist() for v in found.vectors] == [[1, 0], None, [0, 1], None]


def test_bodies_have_rows_where_they_were_described_and_zeros_elsewhere() -> None:
    name = "hsv-stripes"
    crops = [
        Features(body={name: A}, lower={name: B}),
        Features(problem="is cut short"),
        Features(body={name: B}),
    ]
    found = evidence("stu", crops)
    np.testing.assert_array_equal(found.has_body, [True, False, True])
    np.testing.assert_array_equal(found.has_lower, [True, False, False])
    np.testing.assert_array_equal(found.is_readable, [True, False, True])
    np.testing.assert_array_equal(found.described(name), [[1, 0], [0, 0], [0, 1]])
    np.testing.assert_array_equal(found.described(name, lower=True), [[0, 1], [0, 0], [0, 0]])


def test_parts_of_a_network_are_split() -> None:
    vector = np.arange(3136, dtype=np.float32)
    crops = [
        Features(
            body={"lite0-parts": vector, "hsv-stripes": A},
            lower={"lite0-parts": -vector} | {"hsv-stripes": B},
        ),
        Features(),
    ]
    found = evidence("st", crops, asked_by("castsearch"))
    assert list(found.whole) == ["lite0-parts/0", "lite0-parts/1", "lite0-parts/2", "hsv-stripes"]
    assert list(found.lower) == list(found.whole)
    ends = {"lite0-parts/0": (0, 320), "lite0-parts/1": (320, 1856), "lite0-parts/2": (1856, 3136)}
    for name, (start, end) in ends.items():
        np.testing.assert_array_equal(found.whole[name], [vector[start:end]])
        np.testing.assert_array_equal(found.lower[name], [-vector[start:end]])


def test_files_say_who_shares_a_still_and_where() -> None:
    crops = [Features(frame=Box(i, 0, i + 5, 9)) for i in range(3)] + [Features(problem="torn")]
    found = evidence("stsu", crops)
    np.testing.assert_array_equal(found.stills, [0, 1, 0, 2])
    nowhere = [np.nan] * 4
    np.testing.assert_array_equal(found.boxes, [[0, 0, 5, 9], [1, 0, 6, 9], [2, 0, 7, 9], nowhere])
    np.testing.assert_array_equal(found.shifts, np.zeros((4, 2)))


def test_places_shift_boxes_and_say_who_shares_a_still() -> None:
    crops = [Features(frame=Box(0, 0, 5, 9), hits=(hit(A, 0.5),)), Features(frame=Box(0, 0, 4, 4))]
    found = evidence("st", crops, places=np.array([[3, 0, 0], [3, 10, -20]]))
    np.testing.assert_array_equal(found.stills, [3, 3])
    np.testing.assert_array_equal(found.boxes, [[0, 0, 5, 9], [10, -20, 14, -16]])
    np.testing.assert_array_equal(found.shifts, [[0, 0], [10, -20]])
    # Faces stay where they are in their own picture, in which they are drawn.
    assert found.face(0).box == Box(0, 0, 9, 9)


def test_crops_show_which_still_they_are_of(collins: Path, tmp_path: Path) -> None:
    with Image.open(collins) as opened:
        picture = np.asarray(opened.convert("RGB"))
    boxes = [(0, 0, 300, 400), (100, 50, 420, 450), (0, 0, 300, 400)]
    parts = [np.ascontiguousarray(picture[y0:y1, x0:x1]) for x0, y0, x1, y1 in boxes]
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    crops = [
        Features(
            frame=Box(0, 0, part.shape[1], part.shape[0]),
            corners=corners(part),
            picture=PictureInfo(f"key {i}", part.shape[1], part.shape[0]),
        )
        for i, part in enumerate([*parts, noise])
    ]
    with Store(tmp_path / "s.sqlite") as store:
        found = evidence("abcd", crops, places=places(crops, store))
    np.testing.assert_array_equal(found.stills, [0, 0, 0, 1])
    np.testing.assert_array_equal(found.boxes[:3], boxes)


def test_whether_vectors_are_compared_by_distance() -> None:
    assert evidence("s", [Features()], asked_by("dlib_allcast")).is_euclidean
    assert not evidence("s", [Features()], asked_by("face")).is_euclidean


def through_a_file(found: Evidence) -> Evidence:
    """What a reader makes of the stored arrays, which may come in any order and with no objects."""
    buffer = io.BytesIO()
    np.savez(buffer, **dict(sorted(found.arrays().items())))
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as arrays:
        return evidence_of(dict(arrays))


def same(one: object, two: object) -> None:
    """Equal to the bit, in kind and in order."""
    assert type(one) is type(two)
    if isinstance(one, np.ndarray):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two, strict=True)
    elif isinstance(one, dict):
        assert list(one) == list(two)
        for name, value in one.items():
            same(value, two[name])
    else:
        assert one == two


def drawn(what: Asked, kind: str) -> Evidence:
    """Evidence of a movie that lacks something, with random vectors."""
    rng = np.random.default_rng(3)

    def vector(dim: int) -> np.ndarray:
        return rng.normal(size=dim).astype(np.float32)

    def crop(i: int) -> Features:
        if kind == "unreadable" or (kind == "mixed" and i == 2):
            return Features(problem="is cut short")
        names = [] if kind == "no bodies" else [encoder.model.name for encoder in what.bodies]
        face = None if kind == "no faces" or i == 1 else Face(Box(i, 0, i + 9, 9.5), 0.8)
        one = None if face is None else vector(128)
        several = what.all_faces and face is not None
        return Features(
            face=face,
            vector=one,
            frame=Box(i, 0.5, i + 20, 40),
            hits=(FaceHit(face, one, 0.4), FaceHit(face, vector(128), 0.3)) if several else (),
            body={name: vector(DIMS[name]) for name in names},
            lower={name: vector(DIMS[name]) for name in names} if several else {},
        )

    stills = "s" if kind == "one" else "sstu"
    portraits = [[Features(vector=vector(128))], [Features()]]
    if kind in {"unreadable", "no faces"}:
        portraits = [[Features()], [Features(problem="torn")]]
    crops = [crop(i) for i in range(len(stills))]
    return evidence(stills, crops, what, portraits=portraits)


@pytest.mark.parametrize("kind", ["mixed", "no faces", "no bodies", "one", "unreadable"])
@pytest.mark.parametrize("name", PRESETS)
def test_evidence_comes_back_as_it_was_stored(name: str, kind: str) -> None:
    stored = drawn(asked_by(name), kind)
    back = through_a_file(stored)
    for part in dataclasses.fields(Evidence):
        same(getattr(back, part.name), getattr(stored, part.name))


@pytest.mark.parametrize("name", ["hits", "n_cast", "descriptors", "lower/hsv-stripes"])
def test_a_missing_array_is_told(name: str) -> None:
    arrays = evidence("s", [Features(body={"hsv-stripes": A})]).arrays()
    del arrays[name]
    with pytest.raises(KeyError, match=name):
        evidence_of(arrays)
