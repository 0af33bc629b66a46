"""Face encoders in ONNX: SFace, and any encoder of the user's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castsearch.encoders.align import aligned
from castsearch.encoders.encoder import FaceEncoder, FaceSettings
from castsearch.errors import InputError
from castsearch.models.config import file_sha256, weights
from castsearch.models.table import BY_NAME, Model
from castsearch.networks.device import Place
from castsearch.networks.prepare import prepared
from castsearch.networks.session import Session
from castsearch.types import Face, FloatArray, ImageArray


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
    n = max(1, session.place.per_call(model.precision) // (2 if flip else 1))
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


def load(model: Model, place: Place) -> Session:
    """The network of ``model`` in the form that runs fast.

    Raises:
        InputError: the weights are missing, or the network takes no (batch, 3, height, width).
    """
    path = weights(model)
    file = prepared(path, file_sha256(path), place.cache, model.precision)
    session = Session(file, place.device)
    shape = session.input_shape
    if len(shape) != 4 or shape[1] != 3:
        raise InputError(
            f"The face encoder {model.name!r} takes input of shape {shape}; "
            "an ONNX encoder is to take (batch, 3, height, width)."
        )
    return session


def chip(model: Model, image: ImageArray, face: Face) -> ImageArray:
    """The face of ``image``, upright, in the size of the network's input.

    Raises:
        InputError: the face has no landmarks, which the encoder needs.
    """
    if not face.landmarks:
        raise InputError(
            f"The encoder {model.name!r} needs five landmarks, which this locator does not give; "
            "use locator=yunet."
        )
    return aligned(image, np.array(face.landmarks), model.size)


def _encode(
    session: Session, model: Model, chips: Sequence[ImageArray], settings: FaceSettings
) -> FloatArray:
    return encode(session, model, chips, flip=settings.flip)


def _settings_key(settings: FaceSettings) -> str:
    return f"{settings.flip}"


def face_encoder(model: Model) -> FaceEncoder:
    """Any ONNX encoder of aligned faces, as its entry in the model table describes it."""
    return FaceEncoder(model, load, chip, _encode, _settings_key)


SFACE = face_encoder(BY_NAME["sface"])
SFACE_INT8 = face_encoder(BY_NAME["sface-int8"])
