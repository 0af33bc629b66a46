"""What a preset asks of one picture: detect, choose, encode, under which names it is stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from castsearch.detectors import dlib_face
from castsearch.encoders import body, face_dlib, face_onnx
from castsearch.encoders.align import aligned
from castsearch.encoders.parts import encode_parts
from castsearch.encoders.stripes import stripes
from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.models.config import Model, file_sha256, fingerprint, weights
from castsearch.networks.lite0 import prepared_lite0
from castsearch.networks.prepare import prepared
from castsearch.networks.session import Session
from castsearch.presets import Preset
from castsearch.runtime.home import home
from castsearch.types import Face, FloatArray, ImageArray

Role = Literal["candidate", "portrait", "still", "body"]
"""What a region is: the crop of one person, the picture of one cast member, a whole still, or a
crop of which the body vectors alone are asked."""

STRIPES = "hsv-stripes"
"""The body encoder that is no network."""
LITE0 = "efficientnet-lite0"
LITE0_PARTS = "lite0-parts"
"""The body encoders whose packaged weights are no ONNX file."""
# ImageNet's, as re-identification networks are trained with, for pixels 0..255.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Recipe:
    """A preset with its models; crosses to worker processes."""

    preset: Preset
    detector: Model | None
    encoder: Model
    cache: Path
    body: tuple[Model, ...] = ()

    def faces_key(self, *, role: Role) -> str:
        """The name that detected faces are stored under."""
        model, settings = self._face_settings
        return f"faces|{model}|{role}|{settings}"

    @cached_property
    def _face_settings(self) -> tuple[str, str]:
        p = self.preset
        model = fingerprint(self.detector) if self.detector else p.locator
        settings = (
            f"{p.detect_sizes}{p.max_enlarge}{p.min_score}{p.sure_score}{p.all_faces}"
            if p.locator == "yunet"
            else f"{p.upsample}"
        )
        if p.locator in {"hog", "mmod"} and (p.min_size or p.max_size):
            settings += f"|{p.min_size}|{p.max_size}"
        return model, settings

    def vector_key(self, face: Face, *, role: Role) -> str:
        """The name that the embedding of one face is stored under."""
        p = self.preset
        jitters = p.num_jitters_cast if role == "portrait" else p.num_jitters
        flip = p.flip_cast if role == "portrait" else p.flip
        how = f"{p.landmarks}|{jitters}" if self.encoder.extra == "dlib" else f"{flip}"
        b = face.box
        at = f"{b.x0:.3f},{b.y0:.3f},{b.x1:.3f},{b.y1:.3f}"
        return f"vector|{fingerprint(self.encoder)}|{how}|{at}"

    def vectors_key(self, *, role: Role) -> str:
        """The name that the embeddings of all faces of a crop are stored under."""
        p = self.preset
        return f"vectors|{fingerprint(self.encoder)}|{p.flip}|{self.faces_key(role=role)}"

    def encodes_all(self, *, role: Role) -> bool:
        """Whether every face of such a region is encoded, and not the one that it is about."""
        return role == "candidate" and self.preset.all_faces

    def body_keys(self, *, role: Role) -> dict[str, Model]:
        """The body encoders that a region asks for, by the names their vectors are stored under."""
        if role not in {"candidate", "body"}:
            return {}
        # Stripes are the same mirrored, and parts are not mirrored.
        flip = self.preset.flip_body
        unflipped = {STRIPES, LITE0_PARTS}
        return {f"body|{fingerprint(m)}|{flip and m.name not in unflipped}": m for m in self.body}


def recipe_of(
    chosen: Preset, face_model: str | None = None, body_models: Sequence[str] = ()
) -> Recipe:
    """A preset with its models.

    Args:
        chosen: The preset.
        face_model: Face encoder in place of the preset's: a name of the model table, or an ONNX
            file.
        body_models: Body encoders in place of the preset's, likewise.

    Raises:
        InputError: there is no such face or body encoder.
    """
    table = models.table()
    name = face_model or chosen.encoder
    if name in table:
        encoder = table[name]
        if encoder.kind != "face encoder":
            raise InputError(f"The model {name!r} is a {encoder.kind}, not a face encoder.")
    elif Path(name).suffix.lower() == ".onnx":
        encoder = models.from_file(Path(name))
    else:
        names = [m.name for m in table.values() if m.kind == "face encoder"]
        raise InputError(
            f"There is no face encoder {name!r}; there are {', '.join(names)}, "
            "or the path of an ONNX file."
        )
    detectors = {"yunet": "yunet", "mmod": "dlib-mmod"}
    detector = table.get(detectors.get(chosen.locator, ""))
    bodies = tuple(body_model(name) for name in body_models or chosen.body)
    if len({model.name for model in bodies}) < len(bodies):
        raise InputError("Two body encoders have one name; give each its own.")
    if chosen.fusion == "clusters" and not bodies:
        raise InputError("fusion=clusters needs a body encoder; name one with body=NAME.")
    return Recipe(chosen, detector, encoder, home() / "models", bodies)


def body_model(name: str) -> Model:
    """The body encoder ``name`` of the model table, or the ONNX file at that path.

    Of a file the input size is read when it is used; pixels are prepared as ImageNet's are, or as
    its metadata say (:func:`castsearch.encoders.body.with_metadata`).

    Raises:
        InputError: there is no such body encoder.
    """
    table = models.table()
    if name in table:
        if table[name].kind != "body encoder":
            raise InputError(f"The model {name!r} is a {table[name].kind}, not a body encoder.")
        return table[name]
    if Path(name).suffix.lower() == ".onnx":
        file = models.from_file(Path(name), "body encoder")
        return dataclasses.replace(file, size=(0, 0), mean=IMAGENET_MEAN, std=IMAGENET_STD)
    names = [m.name for m in table.values() if m.kind == "body encoder"]
    raise InputError(
        f"There is no body encoder {name!r}; there are {', '.join(names)}, "
        "or the path of an ONNX file."
    )


@lru_cache(maxsize=8)
def session(model: Model, cache: Path) -> Session:
    """The network of an ONNX model, loaded once per process, one thread per call."""
    path = weights(model)
    if model.name in {LITE0, LITE0_PARTS}:
        return Session(prepared_lite0(path, file_sha256(path), cache))
    # Body encoders run as they are: what is rewritten in packaged files is not in exported ones.
    if model.kind == "body encoder":
        return Session(path)
    return Session(prepared(path, file_sha256(path), cache, model.precision))


def load(recipe: Recipe, *, faces: bool = True) -> None:
    """Check and load what the recipe needs, so that a missing model is said before any work.

    Without ``faces`` the body encoders alone.
    """
    for encoder in recipe.body:
        if encoder.name != STRIPES:
            body.input_size(session(encoder, recipe.cache), encoder)
    if not faces:
        return
    for model in (recipe.detector, recipe.encoder):
        if model is None:
            continue
        if model.extra == "dlib":
            dlib_face.load_dlib()
            weights(model)
        else:
            session(model, recipe.cache)
    if recipe.preset.locator != "yunet":
        dlib_face.load_dlib()
    elif recipe.encoder.extra != "dlib":
        channels = session(recipe.encoder, recipe.cache).input_shape
        if len(channels) != 4 or channels[1] != 3:
            raise InputError(
                f"The face encoder {recipe.encoder.name!r} takes input of shape {channels}; "
                "an ONNX encoder is to take (batch, 3, height, width)."
            )


def face_chip(recipe: Recipe, image: ImageArray, face: Face) -> ImageArray:
    """What the ONNX encoder takes of one face of ``image``: upright, in the size of its input.

    Raises:
        InputError: the locator gives no landmarks, which the encoder needs.
    """
    if not face.landmarks:
        raise InputError(
            f"The encoder {recipe.encoder.name!r} needs five landmarks, which the locator "
            f"{recipe.preset.locator!r} does not give; use locator=yunet."
        )
    return aligned(image, np.array(face.landmarks), recipe.encoder.size)


def encode_chips(recipe: Recipe, chips: Sequence[tuple[ImageArray, Role]]) -> list[FloatArray]:
    """The embeddings of faces by the ONNX encoder, shape (dim,) each, float32, L2-normalised.

    Raises:
        InputError: the network gives NaN or infinity.
    """
    p = recipe.preset
    vectors: dict[int, FloatArray] = {}
    for flip in (False, True):
        these = {
            i: chip
            for i, (chip, role) in enumerate(chips)
            if flip == (p.flip_cast if role == "portrait" else p.flip)
        }
        if these:
            network = session(recipe.encoder, recipe.cache)
            rows = face_onnx.encode(network, recipe.encoder, list(these.values()), flip=flip)
            vectors |= zip(these, rows, strict=True)
    return [vectors[i] for i in range(len(chips))]


def encode_by_dlib(recipe: Recipe, image: ImageArray, face: Face, *, role: Role) -> FloatArray:
    """Dlib's embedding of one face of ``image``, shape (128,), float32, not normalised."""
    p = recipe.preset
    jitters = p.num_jitters_cast if role == "portrait" else p.num_jitters
    return face_dlib.encode(image, face.box, points=p.landmarks, num_jitters=jitters)


def encode_body(recipe: Recipe, model: Model, image: ImageArray) -> FloatArray:
    """The vector of a whole crop (uint8 RGB), shape (dim,), float32, L2-normalised."""
    if model.name == STRIPES:
        return stripes(image)
    network = session(model, recipe.cache)
    vector: FloatArray
    if model.name == LITE0_PARTS:
        (vector,) = encode_parts(network, model, [image])
    else:
        (vector,) = body.encode(network, model, [image], flip=recipe.preset.flip_body)
    return vector
