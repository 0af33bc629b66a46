"""dlib's 128-d face encoder (a ResNet with 29 convolutions), as the reference system calls it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from castsearch.detectors.dlib_face import load_dlib
from castsearch.encoders.encoder import FaceEncoder, FaceSettings
from castsearch.models.config import BY_NAME, weights
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.types import Box, Face, FloatArray, ImageArray


def _new_encoder() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(weights(BY_NAME["dlib-resnet"])))


@lru_cache(maxsize=1)
def _encoder() -> Any:
    return _new_encoder()


@lru_cache(maxsize=2)
def _landmarks(points: Literal[5, 68]) -> Any:
    import dlib

    return dlib.shape_predictor(str(weights(BY_NAME[f"dlib-{points}-points"])))


def encode(
    image: ImageArray, box: Box, *, points: Literal[5, 68] = 5, num_jitters: int = 1
) -> FloatArray:
    """The descriptor of the face at ``box``, shape (128,), float32, not normalised.

    Equal to dlib's own ``compute_face_descriptor``. dlib's jitter draws from a generator that
    lives as long as the encoder, so the result would depend on what was encoded before: with
    jitter each face gets a fresh encoder, and a resumed run gives the same bytes.
    """
    import dlib

    rectangle = dlib.rectangle(*(round(v) for v in (box.x0, box.y0, box.x1, box.y1)))
    shape = _landmarks(points)(image, rectangle)
    encoder = _new_encoder() if num_jitters > 1 else _encoder()
    descriptor = encoder.compute_face_descriptor(image, shape, num_jitters)
    return np.asarray(descriptor, dtype=np.float32)


def _load(model: Model, place: Place) -> None:
    """Check that dlib and the weights are there; each process makes its own encoder."""
    load_dlib()
    weights(model)


def _chip(model: Model, image: ImageArray, face: Face) -> tuple[ImageArray, Box]:
    """The picture with the place of the face: dlib aligns by itself."""
    return image, face.box


def _encode(
    network: None, model: Model, chips: Sequence[tuple[ImageArray, Box]], settings: FaceSettings
) -> FloatArray:
    points, jitters = settings.landmarks, settings.num_jitters
    rows = [encode(image, box, points=points, num_jitters=jitters) for image, box in chips]
    return np.stack(rows) if rows else np.zeros((0, model.dim), dtype=np.float32)


def _settings_key(settings: FaceSettings) -> str:
    return f"{settings.landmarks}|{settings.num_jitters}"


DLIB_RESNET = FaceEncoder(
    BY_NAME["dlib-resnet"],
    _load,
    _chip,
    _encode,
    _settings_key,
    metric="euclidean",
    holds_lock=True,
)
