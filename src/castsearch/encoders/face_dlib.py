"""dlib's 128-d face encoder (a ResNet with 29 convolutions), as the reference system calls it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np

from castsearch.models.config import BY_NAME, weights
from castsearch.types import Box, FloatArray, ImageArray


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
