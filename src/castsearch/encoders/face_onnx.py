"""Face encoders in ONNX: SFace, and any encoder of the user's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castsearch.errors import InputError
from castsearch.models.config import Model, Precision
from castsearch.networks.session import Session
from castsearch.types import FloatArray, ImageArray

PER_CALL: dict[Precision, int] = {"float32": 1, "int8": 4}
"""Faces in one call. With integers more gain nothing on a CPU (``benchmarks/sessions.py``); floats
add up otherwise in larger batches, and a vector is not to depend on what is encoded beside it."""


def as_batch(faces: Sequence[ImageArray], model: Model) -> FloatArray:
    """Aligned RGB faces as the input of ``model``: float32, shape (n, 3, height, width)."""
    import cv2

    batch = np.empty((len(faces), 3, *faces[0].shape[:2]), dtype=np.float32)
    for face, planes in zip(faces, batch, strict=True):
        for plane, channel in enumerate((2, 1, 0) if model.color == "bgr" else (0, 1, 2)):
            planes[plane] = cv2.extractChannel(face, channel)
    if any(model.mean) or any(value != 1 for value in model.std):
        batch -= np.array(model.mean, dtype=np.float32)[:, None, None]
        batch /= np.array(model.std, dtype=np.float32)[:, None, None]
    return batch


def encode(
    session: Session, model: Model, faces: Sequence[ImageArray], *, flip: bool = False
) -> FloatArray:
    """Embeddings of aligned faces, shape (n, dim), float32, L2-normalised.

    With ``flip`` each is the normalised sum of the face's and its mirror image's.

    Raises:
        InputError: the network gives NaN or infinity.
    """
    if not faces:
        return np.zeros((0, model.dim), dtype=np.float32)
    n = max(1, PER_CALL[model.precision] // (2 if flip else 1))
    rows = []
    for start in range(0, len(faces), n):
        batch = as_batch(faces[start : start + n], model)
        if flip:
            batch = np.concatenate([batch, batch[..., ::-1]])
        rows.append(as_vectors(session.run(batch)[0], model, flip=flip))
    return np.concatenate(rows)


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
