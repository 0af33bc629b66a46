"""What is asked of one region, in order: each answer out of the store, or made from the pixels.

:func:`gather` is the one list of it. Without pixels it ends at the first answer that is not stored;
with pixels it makes what is missing, but for the vectors of faces: those it asks of whoever runs
it, so that the faces of several regions go through the network in one call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.detectors.choose import choose, choose_portrait, suitability
from castsearch.detectors.detector import loaded
from castsearch.detectors.merge import merged
from castsearch.encoders.encoder import BodyEncoder, FaceSettings, network
from castsearch.features.asked import Asked
from castsearch.features.corners import corners, pack_corners, unpack_corners
from castsearch.features.region import Features, Region, Role
from castsearch.features.store import pack, unpack
from castsearch.features.thumbnail import thumbnail
from castsearch.sources.images import crop
from castsearch.types import Box, Face, FaceHit, FloatArray, ImageArray

FRAME = "frame"
THUMBNAIL = "thumbnail|1"
CORNERS = "corners|1"
LOWER_SHARE = 0.6
"""What is taken of a crop, from below, for the body without its head."""

Values = dict[str, bytes]
"""Stored values of one region, by the name of what they are."""


class NotStored(Exception):
    """An answer is not in the store, and there are no pixels to make it from."""


class Answers:
    """The answers about one region: what is stored, and what is made new of the pixels.

    Without ``image`` there is nothing to make answers from.
    """

    def __init__(
        self, stored: Mapping[str, bytes], image: ImageArray | None = None, box: Box | None = None
    ) -> None:
        """Raises ImageError where ``box`` has no area inside ``image``."""
        self._stored = stored
        self._image = image
        self.part: ImageArray | None = None
        self.new: Values = {}
        if image is not None:
            self.part = np.ascontiguousarray(crop(image, box))

    def value(self, name: str, make: Callable[[ImageArray], bytes]) -> bytes:
        """What is stored under ``name``, else what ``make`` makes of the region's pixels.

        Raises:
            NotStored: it is not stored, and there are no pixels.
        """
        if name in self._stored:
            return self._stored[name]
        if self.part is None:
            raise NotStored(name)
        self.new[name] = made = make(self.part)
        return made

    def has(self, name: str) -> bool:
        """Whether an answer is stored."""
        return name in self._stored

    def pixels(self, name: str) -> ImageArray:
        """The region's pixels, for what is not stored under ``name``."""
        if self.part is None:
            raise NotStored(name)
        return self.part

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the whole picture, where it is decoded."""
        return None if self._image is None else self._image.shape[:2]


@dataclass(frozen=True, slots=True)
class Chips:
    """Faces to be encoded alike, as the encoder takes them."""

    chips: tuple[Any, ...]
    settings: FaceSettings


Gathering = Generator[Chips, Sequence[FloatArray], Features]
"""A region that is being looked at: it may ask once for the vectors of its faces."""


def gather(region: Region, what: Asked, answers: Answers) -> Gathering:
    """The features of a region.

    Raises:
        NotStored: an answer is missing, and there are no pixels to make it from.
        InputError: a network cannot be used for this.
    """
    role = region.role
    bodies = what.body_keys(role)
    body = {
        encoder.model.name: unpack(answers.value(name, _body(what, encoder)))
        for name, encoder in bodies.items()
    }
    if role == "body":
        return Features(body=body)
    frame = Box(*unpack(answers.value(FRAME, lambda part: _frame(answers, region, part))).tolist())
    picture = answers.value(THUMBNAIL, thumbnail)
    faces = from_array(unpack(answers.value(what.faces_key(role), _faces(what, role))))
    if role == "still":
        return Features(frame=frame, faces=tuple(faces))
    if not what.encodes_all(role):
        face = pick(faces, frame.width, frame.height, role=role)
        if face is None:
            return Features(frame=frame, thumbnail=picture, body=body)
        rows = yield from _vectors(answers, what.vector_key(face, role), [face], what, role)
        in_picture = Face(face.box.shift(frame.x0, frame.y0), face.score)
        return Features(in_picture, rows, frame, picture, body=body)
    lower = {
        encoder.model.name: unpack(answers.value(f"{name}|lower", _lower(what, encoder)))
        for name, encoder in bodies.items()
        if faces
    }
    points = None
    if wants_corners(region, what):
        points = unpack_corners(answers.value(CORNERS, lambda part: pack_corners(corners(part))))
    vectors = yield from _vectors(answers, what.vectors_key(role), faces, what, role)
    hits = face_hits(faces, vectors, frame)
    best = max(hits, key=lambda hit: hit.suitability, default=None)
    return Features(
        face=best.face if best else None,
        vector=best.vector if best else None,
        frame=frame,
        thumbnail=picture,
        body=body,
        lower=lower,
        hits=hits,
        corners=points,
    )


def _vectors(
    answers: Answers, name: str, faces: Sequence[Face], what: Asked, role: Role
) -> Generator[Chips, Sequence[FloatArray], FloatArray]:
    """The vectors of all faces of a region, (n, dim), or of the one it is about, (dim,)."""
    if answers.has(name):
        return unpack(answers.value(name, _never))
    part = answers.pixels(name)
    encoder = what.encoder
    chips = tuple(encoder.chip(encoder.model, part, face) for face in faces)
    rows = (yield Chips(chips, what.face_settings(role))) if chips else ()
    if what.encodes_all(role):
        stacked = np.stack(rows) if len(rows) else np.zeros((0, 0), dtype=np.float32)
    else:
        stacked = np.asarray(rows[0], dtype=np.float32)
    return unpack(answers.value(name, lambda _: pack(stacked)))


def _never(part: ImageArray) -> bytes:
    raise AssertionError("what is stored is not made")


def stored_features(region: Region, what: Asked, values: Mapping[str, bytes]) -> Features | None:
    """The features that stored values make up, or ``None`` where one is missing."""
    gathering = gather(region, what, Answers(values))
    try:
        next(gathering)
    except StopIteration as end:
        features: Features = end.value
        return features
    except NotStored:
        return None
    raise AssertionError("without pixels no vectors are asked for")


def encode_chips(what: Asked, requests: Sequence[Chips]) -> list[list[FloatArray]]:
    """The vectors of the faces of each request; faces of all requests share calls.

    Raises:
        InputError: the network gives NaN or infinity.
    """
    rows: list[list[FloatArray]] = [[] for _ in requests]
    for settings in dict.fromkeys(request.settings for request in requests):
        same = [i for i, request in enumerate(requests) if request.settings == settings]
        chips = [chip for i in same for chip in requests[i].chips]
        encoder = what.encoder
        vectors = iter(encoder.encode(network(encoder, what.place), encoder.model, chips, settings))
        for i in same:
            rows[i] = [next(vectors) for _ in requests[i].chips]
    return rows


def wants_corners(region: Region, what: Asked) -> bool:
    """Whether it is to be found out which still a region is of: crop files do not say it."""
    is_file = region.box is None and region.role == "candidate"
    return is_file and what.all_faces and what.look.find_stills


def _body(what: Asked, encoder: BodyEncoder) -> Callable[[ImageArray], bytes]:
    def encode(part: ImageArray) -> bytes:
        ready = network(encoder, what.place)
        return pack(encoder.encode(ready, encoder.model, [part], what.flips(encoder))[0])

    return encode


def _lower(what: Asked, encoder: BodyEncoder) -> Callable[[ImageArray], bytes]:
    """The body without its head."""
    encode = _body(what, encoder)

    def encode_lower(part: ImageArray) -> bytes:
        top = round(part.shape[0] * (1 - LOWER_SHARE))
        return encode(np.ascontiguousarray(part[min(top, part.shape[0] - 1) :]))

    return encode_lower


def _faces(what: Asked, role: Role) -> Callable[[ImageArray], bytes]:
    def look(part: ImageArray) -> bytes:
        return pack(as_array(find_faces(what, part, role=role)))

    return look


def find_faces(what: Asked, image: ImageArray, *, role: Role) -> list[Face]:
    """Faces of a picture or crop (uint8 RGB), in its pixels; empty where there is none."""
    detector = what.detector
    looks = {"still": detector.in_still, "portrait": detector.in_portrait}
    look = looks.get(role, detector.in_crop)
    return look(loaded(detector, what.place), image, what.detect)


def pick(faces: list[Face], width: float, height: float, *, role: Role) -> Face | None:
    """The face that a portrait or crop is about."""
    return choose_portrait(faces) if role == "portrait" else choose(faces, width, height)


def face_hits(faces: list[Face], vectors: FloatArray, frame: Box) -> tuple[FaceHit, ...]:
    """Faces with the mean vector of their detections, weighed by score, in picture pixels."""
    hits = []
    for group in merged(faces):
        best = faces[group[0]]
        weights = np.array([faces[i].score for i in group], dtype=np.float32)
        total = weights @ vectors[group]
        unit = np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), dtype=np.float32)
        in_picture = Face(best.box.shift(frame.x0, frame.y0), best.score)
        hits.append(FaceHit(in_picture, unit, suitability(best, frame.width, frame.height)))
    return tuple(hits)


def _frame(answers: Answers, region: Region, part: ImageArray) -> bytes:
    """The whole pixels that ``crop`` takes for the box of a region."""
    height, width = answers.size or part.shape[:2]
    box = region.box
    if box is None:
        return pack(np.array(Box(0, 0, width, height).xyxy))
    inside = box.clip(width, height)
    whole = Box(
        math.floor(inside.x0), math.floor(inside.y0), math.ceil(inside.x1), math.ceil(inside.y1)
    )
    return pack(np.array(whole.xyxy))


def as_array(faces: list[Face]) -> NDArray[np.float64]:
    """Faces as rows of box, score and landmarks, shape (n, 5) or (n, 15)."""
    rows = [
        (f.box.x0, f.box.y0, f.box.x1, f.box.y1, f.score, *(v for p in f.landmarks for v in p))
        for f in faces
    ]
    return np.array(rows, dtype=np.float64) if rows else np.zeros((0, 5))


def from_array(rows: NDArray[np.float64]) -> list[Face]:
    """The faces that :func:`as_array` made rows of."""
    return [
        Face(Box(*row[:4]), row[4], tuple(zip(row[5::2], row[6::2], strict=True)))
        for row in rows.tolist()
    ]
