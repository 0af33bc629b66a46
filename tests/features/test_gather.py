"""What is asked of one region: each answer out of the store, or made of the pixels, once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from castsearch.detectors.choose import suitability
from castsearch.encoders.encoder import FaceSettings, network
from castsearch.encoders.face_onnx import as_batch
from castsearch.encoders.stripes import stripes
from castsearch.errors import ImageError, InputError
from castsearch.features.asked import Asked, asked
from castsearch.features.gather import (
    CORNERS,
    FRAME,
    LOWER_SHARE,
    THUMBNAIL,
    Answers,
    Chips,
    NotStored,
    Values,
    as_array,
    encode_chips,
    face_hits,
    from_array,
    gather,
    pick,
    stored_features,
    wants_corners,
)
from castsearch.features.region import Features, Region, Role
from castsearch.features.store import pack, unpack
from castsearch.networks.session import Session
from castsearch.presets import preset
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, Face, FloatArray, ImageArray, Picture

FACE = Box(100, 40, 360, 480)
"""A crop of the photograph with one face, and one below it without any."""
NO_FACE = Box(0, 300, 512, 512)
PICTURE = Picture(Path("any.png"))


def of_preset(name: str, *settings: str) -> Asked:
    chosen = preset(name, settings)
    return asked(chosen.look, all_faces=chosen.way.all_faces)


@pytest.fixture(scope="module")
def image(collins: Path) -> ImageArray:
    return decode(read_bytes(collins), collins.name)


@pytest.fixture
def what() -> Asked:
    return of_preset("castsearch")


def made(
    image: ImageArray, region: Region, what: Asked, stored: Mapping[str, bytes] | None = None
) -> tuple[Features, Values]:
    """The features of a region of a picture, and what was made new for them."""
    answers = Answers(stored or {}, image, region.box)
    gathering = gather(region, what, answers)
    try:
        request = next(gathering)
        (rows,) = encode_chips(what, [request])
        gathering.send(rows)
    except StopIteration as end:
        features: Features = end.value
        return features, answers.new
    raise AssertionError("a region asks once for vectors")


def same(one: object, two: object) -> bool:
    """Whether features are equal, arrays in them element by element."""
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(two, name)) for name in names)
    if isinstance(one, dict):
        assert isinstance(two, dict)
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        assert isinstance(two, tuple)
        return len(one) == len(two) and all(map(same, one, two))
    return np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two


def n_faces(features: Features) -> int:
    return len(features.hits)


@pytest.mark.parametrize("box", [FACE, NO_FACE, None])
def test_stored_values_make_up_the_features_that_were_made(
    box: Box | None, image: ImageArray, what: Asked
) -> None:
    region = Region("a", PICTURE, box)
    first, values = made(image, region, what)
    again = stored_features(region, what, values)
    assert again is not None
    # The first are of the pixels, the others of the bytes alone.
    assert same(first, again)
    assert n_faces(first) == (0 if box == NO_FACE else 1)
    assert made(image, region, what, values)[1] == {}


def test_features_that_differ_are_told_apart(image: ImageArray, what: Asked) -> None:
    """The comparison above can fail."""
    one, two = (made(image, Region("a", PICTURE, box), what)[0] for box in (FACE, None))
    assert not same(one, two)
    assert one.vector is not None
    assert not same(one, dataclasses.replace(one, vector=one.vector + np.float32(1e-6)))


def test_a_crop_with_a_face(image: ImageArray, what: Asked) -> None:
    features, values = made(image, Region("a", PICTURE, FACE), what)
    # Two sizes are looked at, and one face is there; by eye it lies at (180, 65) to (268, 180).
    (hit,) = features.hits
    assert hit.face.box.iou(Box(180, 65, 268, 180)) > 0.6
    assert features.face == hit.face
    assert features.vector is hit.vector
    assert float(np.linalg.norm(hit.vector)) == pytest.approx(1, abs=1e-5)
    assert 0 < hit.suitability < 1
    names = {encoder.model.name for encoder in what.bodies}
    assert names == {"lite0-parts", "hsv-stripes"}
    assert features.body.keys() == features.lower.keys() == names
    # A box in a still says itself which still it is of.
    assert features.corners is None
    assert CORNERS not in values
    assert features.frame == FACE
    top = round((FACE.y1 - FACE.y0) * (1 - LOWER_SHARE))
    below = image[int(FACE.y0) + top : int(FACE.y1), int(FACE.x0) : int(FACE.x1)]
    for encoder in what.bodies:
        ready = network(encoder, what.place)
        expected = encoder.encode(ready, encoder.model, [np.ascontiguousarray(below)], False)[0]
        np.testing.assert_array_equal(features.lower[encoder.model.name], expected)
    np.testing.assert_array_equal(features.lower["hsv-stripes"], stripes(below))


def test_a_crop_without_a_face_has_no_lower_part(image: ImageArray, what: Asked) -> None:
    features, values = made(image, Region("a", PICTURE, NO_FACE), what)
    assert (features.hits, features.face, features.vector, features.lower) == ((), None, None, {})
    assert features.body.keys() == {"lite0-parts", "hsv-stripes"}
    assert not any(name.endswith("|lower") for name in values)
    # That there is no face is stored too, so that it is not looked for again.
    assert unpack(values[what.faces_key("candidate")]).shape == (0, 5)
    assert unpack(values[what.vectors_key("candidate")]).shape == (0, 0)


def test_a_crop_file_has_corners(image: ImageArray, what: Asked) -> None:
    region = Region("a", PICTURE)
    features, _ = made(image, region, what)
    assert features.corners is not None
    assert len(features.corners.points) > 50
    without = of_preset("castsearch", "find_stills=false")
    features, values = made(image, region, without)
    assert CORNERS not in values
    assert features.corners is None
    assert stored_features(region, without, values) is not None


@pytest.mark.parametrize(
    ("name", "box", "role", "wants"),
    [
        ("castsearch", None, "candidate", True),
        ("castsearch", FACE, "candidate", False),
        ("castsearch", None, "portrait", False),
        ("castsearch", None, "still", False),
        ("face", None, "candidate", False),
    ],
)
def test_only_candidates_that_are_files_are_asked_for_corners(
    name: str, box: Box | None, role: Role, wants: bool
) -> None:
    assert wants_corners(Region("a", PICTURE, box, role), of_preset(name)) is wants


@pytest.mark.parametrize(
    "kind", ["vectors|", "|lower", CORNERS, "faces|", "body|", THUMBNAIL, FRAME]
)
def test_what_is_missing_is_done_again_and_nothing_else(
    kind: str, image: ImageArray, what: Asked
) -> None:
    region = Region("a", PICTURE)
    first, values = made(image, region, what)
    missing = {
        name
        for name in values
        if (name.endswith(kind) if kind == "|lower" else name.startswith(kind))
    }
    assert missing
    left = {name: value for name, value in values.items() if name not in missing}
    assert stored_features(region, what, left) is None
    again, new = made(image, region, what, left)
    assert new.keys() == missing
    assert new == {name: values[name] for name in missing}
    assert same(again, first)
    from_store = stored_features(region, what, left | new)
    assert from_store is not None
    assert same(from_store, first)


ROLES: list[tuple[str, Role, int]] = [
    # Two body vectors and their lower parts, frame, thumbnail, faces, corners, vectors.
    ("castsearch", "candidate", 9),
    # Frame, thumbnail, faces, vector.
    ("castsearch", "portrait", 4),
    ("face", "candidate", 4),
    # Frame, thumbnail, faces.
    ("face", "still", 3),
    ("castsearch", "body", 2),
]


@pytest.mark.parametrize(("name", "role", "n"), ROLES)
def test_without_pixels_it_ends_at_each_value_that_is_missing(
    name: str, role: Role, n: int, image: ImageArray
) -> None:
    what = of_preset(name)
    region = Region("a", PICTURE, role=role)
    _, values = made(image, region, what)
    assert len(values) == n
    assert stored_features(region, what, values) is not None
    for missing in values:
        left = {name: value for name, value in values.items() if name != missing}
        with pytest.raises(NotStored) as end:
            next(gather(region, what, Answers(left)))
        assert end.value.args == (missing,)
        assert stored_features(region, what, left) is None


def test_values_that_nobody_asks_for_do_no_harm(image: ImageArray, what: Asked) -> None:
    region = Region("a", PICTURE, FACE)
    first, values = made(image, region, what)
    again = stored_features(region, what, values | {"faces|older": b"x", "vector|other": b"y"})
    assert again is not None
    assert same(first, again)


class Calls:
    """Counts what networks are called with; they answer as before."""

    def __init__(self, what: Asked) -> None:
        self.bodies: list[int] = []
        self.faces: list[tuple[int, FaceSettings]] = []
        self.looks: list[tuple[int, ...]] = []
        encoder, detector = what.encoder, what.detector

        def encode_faces(
            ready: Any, model: Any, chips: Sequence[Any], settings: FaceSettings
        ) -> FloatArray:
            self.faces.append((len(chips), settings))
            return encoder.encode(ready, model, chips, settings)

        def watched(look: Callable[..., list[Face]]) -> Callable[..., list[Face]]:
            def seen(ready: Any, part: ImageArray, settings: Any) -> list[Face]:
                self.looks.append(part.shape[:2])
                return look(ready, part, settings)

            return seen

        def body(one: Any) -> Any:
            def encode(ready: Any, model: Any, crops: Sequence[ImageArray], flip: bool) -> Any:
                self.bodies.append(len(crops))
                return one.encode(ready, model, crops, flip)

            return dataclasses.replace(one, encode=encode)

        self.what = dataclasses.replace(
            what,
            encoder=dataclasses.replace(encoder, encode=encode_faces),
            detector=dataclasses.replace(
                detector,
                in_crop=watched(detector.in_crop),
                in_portrait=watched(detector.in_portrait),
                in_still=watched(detector.in_still),
            ),
            bodies=tuple(body(one) for one in what.bodies),
        )


def test_what_is_stored_is_not_made_again(image: ImageArray, what: Asked) -> None:
    region = Region("a", PICTURE, FACE)
    calls = Calls(what)
    first, values = made(image, region, calls.what)
    # A whole body and a lower one for each encoder; the face at either size in one call.
    assert (calls.bodies, calls.looks) == ([1] * 4, [(440, 260)])
    n_detections = len(unpack(values[what.faces_key("candidate")]))
    assert calls.faces == [(n_detections, FaceSettings(flip=True))]
    calls = Calls(what)
    again, new = made(image, region, calls.what, values)
    assert (calls.bodies, calls.looks, calls.faces, new) == ([], [], [], {})
    assert same(first, again)
    # Without the vectors alone, the faces that are stored are encoded and nothing else is done.
    left = {name: value for name, value in values.items() if not name.startswith("vectors|")}
    again, new = made(image, region, calls.what, left)
    assert (calls.bodies, calls.looks) == ([], [])
    assert calls.faces == [(n_detections, FaceSettings(flip=True))]
    assert list(new) == [what.vectors_key("candidate")]
    assert same(first, again)


@pytest.mark.parametrize("role", ["portrait", "still", "candidate", "body"])
def test_each_role_is_looked_at_in_its_way(role: Role, image: ImageArray) -> None:
    looked: list[str] = []

    def look(name: str) -> Callable[..., list[Face]]:
        def seen(ready: Any, part: ImageArray, settings: Any) -> list[Face]:
            looked.append(name)
            return []

        return seen

    plain = of_preset("face", "body=hsv-stripes")
    detector = dataclasses.replace(
        plain.detector,
        in_crop=look("candidate"),
        in_portrait=look("portrait"),
        in_still=look("still"),
    )
    what = dataclasses.replace(plain, detector=detector)
    features, values = made(image, Region("a", PICTURE, role=role), what)
    assert looked == ([] if role == "body" else [role])
    assert (features.face, features.vector) == (None, None)
    assert features.body.keys() == ({"hsv-stripes"} if role in {"candidate", "body"} else set())
    assert (FRAME in values) == (THUMBNAIL in values) == (role != "body")


def test_a_still_has_all_its_faces_and_no_vector(image: ImageArray) -> None:
    features, values = made(image, Region("a", PICTURE, role="still"), of_preset("face"))
    assert features.frame == Box(0, 0, 512, 512)
    (face,) = features.faces
    assert face.box.iou(Box(180, 65, 268, 180)) > 0.6
    assert len(face.landmarks) == 5
    assert features.vector is None
    assert not any(name.startswith("vector") for name in values)


def test_faces_of_several_regions_go_through_one_call(image: ImageArray, what: Asked) -> None:
    regions = [
        Region("crop", PICTURE, FACE),
        Region("wide", PICTURE),
        Region("tight", PICTURE, Box(150, 40, 300, 250)),
    ]
    alone = {region.id: made(image, region, what)[0] for region in regions}
    calls = Calls(what)
    gatherings = [gather(r, calls.what, Answers({}, image, r.box)) for r in regions]
    requests = [next(gathering) for gathering in gatherings]
    assert calls.faces == []
    rows = encode_chips(calls.what, requests)
    sizes = [len(request.chips) for request in requests]
    assert all(sizes)
    assert calls.faces == [(sum(sizes), FaceSettings(flip=True))]
    assert [len(vectors) for vectors in rows] == sizes
    for region, gathering, vectors in zip(regions, gatherings, rows, strict=True):
        with pytest.raises(StopIteration) as end:
            gathering.send(vectors)
        assert same(end.value.value, alone[region.id])


def test_portraits_are_mirrored_and_candidates_are_not(image: ImageArray) -> None:
    calls = Calls(of_preset("face"))
    what = calls.what
    regions = [
        Region("candidate", PICTURE, FACE),
        Region("portrait", PICTURE, FACE, role="portrait"),
        Region("other candidate", PICTURE),
        Region("other portrait", PICTURE, role="portrait"),
    ]
    requests = [next(gather(r, what, Answers({}, image, r.box))) for r in regions]
    assert [request.settings.flip for request in requests] == [False, True, False, True]
    rows = encode_chips(what, requests)
    # One call for each way of encoding, with the faces of both regions.
    assert calls.faces == [(2, FaceSettings(flip=False)), (2, FaceSettings(flip=True))]
    session = network(what.encoder, what.place)
    for request, (vector,) in zip(requests, rows, strict=True):
        np.testing.assert_allclose(vector, by_hand(session, what, request), atol=1e-6)


def by_hand(session: Session, what: Asked, request: Chips) -> FloatArray:
    """The unit vector of the first face, or of it and its mirror image together."""
    batch = as_batch([request.chips[0]], what.encoder.model)
    total = session.run(batch)[0][0]
    if request.settings.flip:
        total = total + session.run(np.ascontiguousarray(batch[..., ::-1]))[0][0]
    return np.asarray(total / np.linalg.norm(total))


def test_no_request_calls_no_network(what: Asked) -> None:
    calls = Calls(what)
    assert encode_chips(calls.what, []) == []
    assert calls.faces == []


def test_rows_come_back_to_their_requests(what: Asked) -> None:
    def numbers(ready: Any, model: Any, chips: Sequence[int], settings: FaceSettings) -> FloatArray:
        return np.array([[chip, settings.flip] for chip in chips], np.float32)

    encoder = dataclasses.replace(what.encoder, load=lambda model, place: None, encode=numbers)
    plain, flipped = FaceSettings(flip=False), FaceSettings(flip=True)
    requests = [
        Chips((1, 2), flipped),
        Chips((3,), plain),
        Chips((4, 5, 6), flipped),
        Chips((7, 8), plain),
    ]
    for order in itertools.permutations(range(4)):
        asked_for = [requests[i] for i in order]
        rows = encode_chips(dataclasses.replace(what, encoder=encoder), asked_for)
        got = [[(int(row[0]), bool(row[1])) for row in part] for part in rows]
        assert got == [[(chip, r.settings.flip) for chip in r.chips] for r in asked_for]


def test_a_face_without_landmarks_ends_with_a_sentence(image: ImageArray) -> None:
    what = asked(preset("face", ["locator=hog"]).look)
    with pytest.raises(InputError, match=r"needs five landmarks, .* use locator=yunet"):
        made(image, Region("a", PICTURE), what)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_a_crop_of_a_pixel_has_features(size: tuple[int, int], what: Asked) -> None:
    image = np.full((*size, 3), 120, np.uint8)
    region = Region("a", PICTURE)
    features, values = made(image, region, what)
    assert features.problem is None
    assert features.frame == Box(0, 0, size[1], size[0])
    assert features.body.keys() == {"lite0-parts", "hsv-stripes"}
    again = stored_features(region, what, values)
    assert again is not None
    assert same(features, again)


@pytest.mark.parametrize(
    ("box", "frame"),
    [
        (None, (0, 0, 512, 512)),
        (Box(10.2, 20.7, 30.1, 40.9), (10, 20, 31, 41)),
        (Box(-5, -5, 30, 9999), (0, 0, 30, 512)),
        (Box(10, 20, 30, 40), (10, 20, 30, 40)),
    ],
)
def test_the_frame_is_the_whole_pixels_that_are_cut_out(
    box: Box | None, frame: tuple[float, ...], image: ImageArray
) -> None:
    features, _ = made(image, Region("a", PICTURE, box), of_preset("face"))
    assert features.frame is not None
    assert features.frame.xyxy == frame
    part = Answers({}, image, box).part
    assert part is not None
    assert part.shape[:2] == (frame[3] - frame[1], frame[2] - frame[0])


def test_a_box_outside_the_picture_is_no_region(image: ImageArray) -> None:
    with pytest.raises(ImageError, match="has no area inside its picture of 512 x 512 pixels"):
        Answers({}, image, Box(600, 600, 700, 700))


def test_an_answer_is_stored_or_made_and_kept_once() -> None:
    image = np.arange(75, dtype=np.uint8).reshape(5, 5, 3)
    answers = Answers({"old": b"stored"}, image, Box(1, 2, 4, 4))
    seen: list[ImageArray] = []

    def make(part: ImageArray) -> bytes:
        seen.append(part)
        return b"made"

    assert answers.value("old", make) == b"stored"
    assert seen == []
    assert answers.value("new", make) == b"made"
    np.testing.assert_array_equal(seen[0], image[2:4, 1:4])
    assert answers.new == {"new": b"made"}
    assert (answers.has("old"), answers.has("new")) == (True, False)
    np.testing.assert_array_equal(answers.pixels("x"), image[2:4, 1:4])
    assert answers.size == (5, 5)
    without = Answers({"old": b"stored"})
    assert without.value("old", make) == b"stored"
    assert without.size is None
    for ask in (lambda: without.value("new", make), lambda: without.pixels("new")):
        with pytest.raises(NotStored, match="new"):
            ask()


def test_the_face_of_a_crop_and_that_of_a_portrait_are_chosen_otherwise() -> None:
    at_its_place = Face(Box(40, 20, 60, 45), 0.9)
    large_at_the_edge = Face(Box(60, 60, 100, 100), 0.9)
    faces = [large_at_the_edge, at_its_place]
    assert pick(faces, 100, 100, role="candidate") is at_its_place
    assert pick(faces, 100, 100, role="portrait") is large_at_the_edge
    assert pick([], 100, 100, role="portrait") is pick([], 100, 100, role="candidate") is None


def test_detections_of_one_face_are_one_hit_weighed_by_score_by_hand() -> None:
    # The first two overlap by 80 of 120 pixels; the third is another face.
    faces = [Face(Box(0, 0, 10, 10), 0.6), Face(Box(2, 0, 12, 10), 0.8), Face(Box(50, 0, 60, 9), 1)]
    vectors = np.array([[1, 0], [0, 1], [3, 4]], np.float32)
    two, one = sorted(
        face_hits(faces, vectors, Box(100, 200, 200, 300)), key=lambda h: h.face.score
    )
    # Score 0.6 along the first axis, 0.8 along the second.
    np.testing.assert_allclose(two.vector, [0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(one.vector, [0.6, 0.8], atol=1e-6)
    assert two.face == Face(Box(102, 200, 112, 210), 0.8)
    assert one.face == Face(Box(150, 200, 160, 209), 1)
    assert two.suitability == suitability(faces[1], 100, 100)
    assert two.vector.dtype == np.float32
    assert face_hits([], np.zeros((0, 0), np.float32), Box(0, 0, 9, 9)) == ()


@pytest.mark.parametrize(
    "faces",
    [
        [],
        [Face(Box(1, 2, 3, 4), 0.5)],
        [
            Face(Box(1, 2, 3.5, 4), 0.5, tuple((float(i), i + 0.5) for i in range(5))),
            Face(Box(0, 0, 1, 1), 0.25, tuple((i / 7, -1.0) for i in range(5))),
        ],
    ],
)
def test_faces_come_back_from_their_rows(faces: list[Face]) -> None:
    rows = as_array(faces)
    assert rows.dtype == np.float64
    assert rows.shape == (len(faces), 15 if faces and faces[0].landmarks else 5)
    assert from_array(unpack(pack(rows))) == faces


def test_rows_of_faces_by_hand() -> None:
    points = ((5.0, 6.0), (7.0, 8.0), (9.0, 10.0), (11.0, 12.0), (13.0, 14.0))
    rows = as_array([Face(Box(0, 1, 2, 3), 4.0, points)])
    assert rows.tolist() == [list(range(15))]
