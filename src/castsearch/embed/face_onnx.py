"""Face encoders in ONNX: SFace, and any encoder of the user's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castsearch.embed.session import Session
from castsearch.errors import InputError
from castsearch.models import Model
from castsearch.types import FloatArray, ImageArray


def as_batch(faces: Sequence[ImageArray], model: Model) -> FloatArray:
    """Aligned RGB faces as the input of ``model``: float32, shape (n, 3, height, width)."""
    pixels = np.stack(faces).astype(np.float32)
    if model.color == "bgr":
        pixels = pixels[..., ::-1]
    mean = np.asarray(model.mean, dtype=np.float32)
    std = np.asarray(model.std, dtype=np.float32)
    return np.ascontiguousarray(((pixels - mean) / std).transpose(0, 3, 1, 2))


def encode(
    session: Session, model: Model, faces: Sequence[ImageArray], *, flip: bool = False
) -> FloatArray:
    """Embeddings of aligned faces, shape (n, dim), float32, L2-normalised.

    With ``flip`` each is the normalised sum of the face's and its mirror image's, one batch.

    Raises:
        InputError: the network gives NaN or infinity.
    """
    if not faces:
        return np.zeros((0, model.dim), dtype=np.float32)
    batch = as_batch(faces, model)
    if flip:
        batch = np.concatenate([batch, batch[..., ::-1]])
    return as_vectors(session.run(np.ascontiguousarray(batch))[0], model, flip=flip)


def as_vectors(output: FloatArray, model: Model, *, flip: bool) -> FloatArray:
    """The output of an encoder as unit vectors, shape (n, dim).

    With ``flip`` its second half is of mirror images, which are added to the first.

    Raises:
        InputError: the output holds NaN or infinity.
    """
    rows = output.reshape(len(output), -1)
    if flip:
        rows = rows[: len(rows) // 2] + rows[len(rows) // 2 :]
    if not np.isfinite(rows).all():
        raise InputError(f"The {model.kind} {model.name!r} gives NaN or infinity; export it again.")
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norm, 1e-12), dtype=np.float32)
