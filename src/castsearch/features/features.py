"""What is found in one region of a picture, and how it lies in the store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from castsearch.detectors.choose import suitability
from castsearch.detectors.merge import merged
from castsearch.features import recipe as recipes
from castsearch.features.corners import Corners, corners, pack_corners, unpack_corners
from castsearch.features.faces import as_array, find_faces, from_array, pick
from castsearch.features.recipe import Recipe, Role
from castsearch.features.store import pack, unpack
from castsearch.features.thumbnail import thumbnail
from castsearch.models.table import Model
from castsearch.sources.images import crop
from castsearch.types import Box, Face, FaceHit, FloatArray, ImageArray

FRAME = "frame"
THUMBNAIL = "thumbnail|1"
CORNERS = "corners|1"
FACES = "faces"
VECTOR = "vector"
BODY = "body"
LOWER_SHARE = 0.6
"""What is taken of a crop, from below, for the body without its head."""


@dataclass(frozen=True, slots=True)
class Region:
    """A portrait or candidate to look at: ``box`` of the picture at ``path``, or all of it."""

    id: str
    path: Path
    box: Box | None = None
    role: Role = "candidate"

    @property
    def key(self) -> str:
        """The name of the region in the store."""
        return "" if self.box is None else ",".join(f"{v:g}" for v in self.box.xyxy)


@dataclass(frozen=True, slots=True)
class Features:
    """What was found in a region; coordinates are pixels of the picture.

    ``vector`` has shape (dim,), float32. ``problem`` says why nothing could be looked at. ``faces``
    are all faces of a whole still. ``body`` holds a unit vector (dim,), float32, of the whole crop
    for each body encoder of the recipe, by its name, and ``lower`` those of its lower part where
    it shows a face; portraits have none. ``hits`` are all faces of a candidate, for recipes that
    encode them all, and ``corners`` what tells which other crop files are of its still.
    """

    face: Face | None = None
    vector: FloatArray | None = None
    frame: Box | None = None
    thumbnail: bytes | None = None
    problem: str | None = None
    faces: tuple[Face, ...] = ()
    body: dict[str, FloatArray] = field(default_factory=dict)
    lower: dict[str, FloatArray] = field(default_factory=dict)
    hits: tuple[FaceHit, ...] = ()
    corners: Corners | None = None


Values = dict[str, bytes]
"""Stored values of one region, by the name of what they are."""


def stored_features(region: Region, recipe: Recipe, values: Values) -> Features | None:
    """The features that stored values make up, or ``None`` where one is missing."""
    bodies = recipe.body_keys(role=region.role)
    if any(name not in values for name in bodies):
        return None
    body = {model.name: unpack(values[name]) for name, model in bodies.items()}
    if region.role == "body":
        return Features(body=body)
    faces = values.get(recipe.faces_key(role=region.role))
    if faces is None or FRAME not in values or THUMBNAIL not in values:
        return None
    frame = Box(*unpack(values[FRAME]).tolist())
    found = from_array(unpack(faces))
    if region.role == "still":
        return Features(frame=frame, faces=tuple(found))
    if recipe.encodes_all(role=region.role):
        return _stored_hits(region, recipe, values, Features(frame=frame, body=body), found)
    face = pick(found, frame.width, frame.height, role=region.role)
    if face is None:
        return Features(frame=frame, thumbnail=values[THUMBNAIL], body=body)
    vector = values.get(recipe.vector_key(face, role=region.role))
    if vector is None:
        return None
    in_picture = Face(face.box.shift(frame.x0, frame.y0), face.score)
    return Features(in_picture, unpack(vector), frame, values[THUMBNAIL], body=body)


def _stored_hits(
    region: Region, recipe: Recipe, values: Values, seen: Features, found: list[Face]
) -> Features | None:
    """The features of a candidate of which all faces are encoded."""
    vectors = values.get(recipe.vectors_key(role=region.role))
    lower = {name: model for name, model in _lower_keys(recipe, region.role).items() if found}
    if vectors is None or any(name not in values for name in lower):
        return None
    if wants_corners(region, recipe) and CORNERS not in values:
        return None
    assert seen.frame is not None
    hits = _hits(found, unpack(vectors), seen.frame)
    best = max(hits, key=lambda hit: hit.suitability, default=None)
    return Features(
        face=best.face if best else None,
        vector=best.vector if best else None,
        frame=seen.frame,
        thumbnail=values[THUMBNAIL],
        body=seen.body,
        lower={model.name: unpack(values[name]) for name, model in lower.items()},
        hits=hits,
        corners=unpack_corners(values[CORNERS]) if wants_corners(region, recipe) else None,
    )


def _hits(faces: list[Face], vectors: FloatArray, frame: Box) -> tuple[FaceHit, ...]:
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


def wants_corners(region: Region, recipe: Recipe) -> bool:
    """Whether it is to be found out which still a region is of: crop files do not say it."""
    p = recipe.preset
    is_file = region.box is None and region.role == "candidate"
    return is_file and p.fusion == "film" and p.find_stills


def _lower_keys(recipe: Recipe, role: Role) -> dict[str, Model]:
    return {f"{name}|lower": model for name, model in recipe.body_keys(role=role).items()}


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in a region, and its faces whose vectors are still to be made.

    ``chips`` are those faces as the encoder takes them, and ``name`` is what their vectors are to
    be stored under, empty where there are none to make.
    """

    role: Role
    new: Values
    name: str = ""
    chips: tuple[ImageArray, ...] = ()


def look(image: ImageArray, region: Region, recipe: Recipe, known: Values) -> Look:
    """What the recipe asks of a region of ``image`` and ``known`` lacks; runs in a worker.

    The vectors of its faces come after it, of several regions at once: :func:`encode_faces`.

    Raises:
        ImageError: the region has no area inside the picture.
    """
    part = np.ascontiguousarray(crop(image, region.box))
    role = region.role
    new: Values = {
        name: pack(recipes.encode_body(recipe, model, part))
        for name, model in recipe.body_keys(role=role).items()
        if name not in known
    }
    if role == "body":
        return Look(role, new)
    if FRAME not in known:
        new[FRAME] = pack(np.array(_frame(image, region.box).xyxy))
    if THUMBNAIL not in known:
        new[THUMBNAIL] = thumbnail(part)
    name = recipe.faces_key(role=role)
    if name in known:
        faces = from_array(unpack(known[name]))
    else:
        faces = find_faces(recipe, part, role=role)
        new[name] = pack(as_array(faces))
    if role == "still":
        return Look(role, new)
    if recipe.encodes_all(role=role):
        new |= _new_of_film(part, region, recipe, known, has_face=bool(faces))
        name = recipe.vectors_key(role=role)
    else:
        face = pick(faces, part.shape[1], part.shape[0], role=role)
        if face is None:
            return Look(role, new)
        faces, name = [face], recipe.vector_key(face, role=role)
    if name in known:
        return Look(role, new)
    if recipe.encoder.extra == "dlib":
        rows = [recipes.encode_by_dlib(recipe, part, face, role=role) for face in faces]
        return Look(role, new | {name: _packed(rows, recipe, role)})
    return Look(role, new, name, tuple(recipes.face_chip(recipe, part, face) for face in faces))


def _new_of_film(
    part: ImageArray, region: Region, recipe: Recipe, known: Values, *, has_face: bool
) -> Values:
    """Lower bodies where there is a face, and corners."""
    new: Values = {}
    if has_face:
        top = round(part.shape[0] * (1 - LOWER_SHARE))
        lower = np.ascontiguousarray(part[min(top, part.shape[0] - 1) :])
        for name, model in _lower_keys(recipe, region.role).items():
            if name not in known:
                new[name] = pack(recipes.encode_body(recipe, model, lower))
    if wants_corners(region, recipe) and CORNERS not in known:
        new[CORNERS] = pack_corners(corners(part))
    return new


def encode_faces(looks: Sequence[Look], recipe: Recipe) -> None:
    """Add the vectors of all faces to what is new of their regions."""
    chips = [(chip, seen.role) for seen in looks for chip in seen.chips]
    vectors = iter(recipes.encode_chips(recipe, chips))
    for seen in looks:
        if seen.name:
            rows = list(islice(vectors, len(seen.chips)))
            seen.new[seen.name] = _packed(rows, recipe, seen.role)


def _packed(rows: list[FloatArray], recipe: Recipe, role: Role) -> bytes:
    """The vectors of all faces of a region, (n, dim), or of the one that it is about, (dim,)."""
    if not recipe.encodes_all(role=role):
        return pack(rows[0])
    return pack(np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32))


def _frame(image: ImageArray, box: Box | None) -> Box:
    """The whole pixels that ``crop`` takes for ``box``."""
    height, width = image.shape[:2]
    if box is None:
        return Box(0, 0, width, height)
    inside = box.clip(width, height)
    return Box(
        math.floor(inside.x0), math.floor(inside.y0), math.ceil(inside.x1), math.ceil(inside.y1)
    )
