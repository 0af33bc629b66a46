"""EfficientNet-lite0 as a descriptor of a body part by part: cloth, shapes and the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castsearch.encoders.body import as_body_batch
from castsearch.encoders.encoder import BodyEncoder
from castsearch.encoders.lite0 import load
from castsearch.models.table import BY_NAME, Model
from castsearch.networks.session import Session
from castsearch.types import FloatArray, ImageArray

N_STRIPES = 8
PARTS = (40 * N_STRIPES, 192 * N_STRIPES, 1280)
"""Lengths of the parts of a vector: stage 3, stage 6, and the embedding of the whole crop."""


def encode_parts(session: Session, model: Model, crops: Sequence[ImageArray]) -> FloatArray:
    """Vectors of person crops, shape (n, 3136), float32; each part of them has length 1/sqrt(3).

    Of the maps of stage 3 (stride 8: patterns of cloth) and stage 6 (stride 32: what is worn and
    how a body is turned) the middle half of the columns is averaged over eight horizontal stripes:
    the outer columns are the background. The last part is the network's own embedding.

    Args:
        session: The network of :func:`castsearch.networks.lite0.prepared_lite0`.
        model: How pixels are prepared.
        crops: uint8 RGB, of any size.
    """
    if not crops:
        return np.zeros((0, sum(PARTS)), dtype=np.float32)
    embedding, *maps = session.run(as_body_batch(crops, model, model.size))
    parts = [_striped(one) for one in maps]
    parts.append(embedding.reshape(len(crops), -1))
    unit = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in parts]
    return np.asarray(np.concatenate(unit, axis=1) / np.sqrt(len(unit)), dtype=np.float32)


def _striped(maps: FloatArray) -> FloatArray:
    """Means over the middle columns of eight stripes, shape (n, 8 * channels)."""
    n, channels, height, width = maps.shape
    edge = width // 4
    middle = maps[:, :, :, edge : width - edge].mean(axis=3)
    ends = [(i * height // N_STRIPES, -(-(i + 1) * height // N_STRIPES)) for i in range(N_STRIPES)]
    stripes = np.stack([middle[:, :, a:b].mean(axis=2) for a, b in ends], axis=1)
    return np.asarray(stripes.reshape(n, N_STRIPES * channels))


def split(vectors: FloatArray) -> list[FloatArray]:
    """The parts of vectors of :func:`encode_parts`, each (n, its length)."""
    return np.split(vectors, np.cumsum(PARTS)[:-1], axis=1)


def _encode(session: Session, model: Model, crops: Sequence[ImageArray], flip: bool) -> FloatArray:
    return encode_parts(session, model, crops)


LITE0_PARTS = BodyEncoder(BY_NAME["lite0-parts"], load, _encode, is_mirrored=False, split=split)
