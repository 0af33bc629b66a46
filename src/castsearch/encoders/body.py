"""Body encoders in ONNX: the whole person crop, stretched to the network's size."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from castsearch.encoders.encoder import BodyEncoder
from castsearch.encoders.face_onnx import as_batch, as_vectors
from castsearch.errors import InputError
from castsearch.models.config import weights
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.networks.session import Session
from castsearch.types import FloatArray, ImageArray

DEFAULT_SIZE = (256, 128)
"""Height and width for networks that fix neither: what re-identification is trained at."""

MEAN_KEY, STD_KEY = "castsearch.mean", "castsearch.std"
"""Metadata of an ONNX file: three numbers each, as ``123.7,116.3,103.5``, for RGB of 0..255."""


def encode(
    session: Session, model: Model, crops: Sequence[ImageArray], *, flip: bool = False
) -> FloatArray:
    """Vectors of person crops, shape (n, dim), float32, L2-normalised.

    Crops are resized without keeping their aspect, as re-identification does. With ``flip`` each
    vector is the normalised sum of the crop's and its mirror image's.

    Args:
        session: The network; its first output is the embedding.
        model: How pixels are prepared, unless the file says it; without a ``size`` the network's
            own is taken.
        crops: uint8 RGB, each (height, width, 3), of any size.
        flip: Whether mirror images are averaged in.

    Raises:
        InputError: the network takes other input, or gives NaN or infinity.
    """
    if not crops:
        return np.zeros((0, model.dim), dtype=np.float32)
    model = with_metadata(session, model)
    batch = as_body_batch(crops, model, input_size(session, model))
    if flip:
        batch = np.concatenate([batch, batch[..., ::-1]])
    batch = np.ascontiguousarray(batch)
    # A network exported for one picture takes them one by one.
    parts = np.split(batch, len(batch)) if session.input_shape[0] == 1 else [batch]
    output = np.concatenate([session.run(part)[0] for part in parts])
    return as_vectors(output, model, flip=flip)


def as_body_batch(crops: Sequence[ImageArray], model: Model, size: tuple[int, int]) -> FloatArray:
    """Crops stretched to ``size`` (height, width) as the input of ``model``, (n, 3, h, w)."""
    return as_batch([resized(crop, size) for crop in crops], model)


def input_size(session: Session, model: Model) -> tuple[int, int]:
    """Height and width that crops are resized to.

    Raises:
        InputError: the network does not take (batch, 3, height, width), the batch free or 1.
    """
    shape = session.input_shape
    if len(shape) != 4 or shape[1] != 3 or (isinstance(shape[0], int) and shape[0] != 1):
        raise InputError(
            f"The body encoder {model.name!r} takes input of shape {shape}; it is to take "
            "(batch, 3, height, width), with the batch free or 1."
        )
    if any(model.size):
        return model.size
    height, width = shape[2:]
    return (
        height if isinstance(height, int) else DEFAULT_SIZE[0],
        width if isinstance(width, int) else DEFAULT_SIZE[1],
    )


def with_metadata(session: Session, model: Model) -> Model:
    """``model`` with the mean and deviation that its file carries, where it carries them.

    Raises:
        InputError: they are no three numbers.
    """
    values: dict[str, tuple[float, float, float]] = {}
    for field, key in (("mean", MEAN_KEY), ("std", STD_KEY)):
        if key in session.metadata:
            text = session.metadata[key]
            try:
                red, green, blue = map(float, text.split(","))
            except ValueError as error:
                raise InputError(
                    f"The file of the body encoder {model.name!r} says {key} = {text!r}, which is "
                    "to be three numbers with commas between them."
                ) from error
            values[field] = (red, green, blue)
    return dataclasses.replace(model, **values) if values else model  # type: ignore[arg-type]


def resized(crop: ImageArray, size: tuple[int, int]) -> ImageArray:
    """``crop`` stretched to ``size`` (height, width): averaged down, interpolated up."""
    height, width = size
    shrinks = crop.shape[0] * crop.shape[1] > height * width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small: ImageArray = cv2.resize(crop, (width, height), interpolation=how)
    return small


def _load(model: Model, place: Place) -> Session:
    """The network as it is: what is rewritten in packaged files is not in exported ones."""
    session = Session(weights(model), place.device)
    input_size(session, model)
    return session


def encode_crops(
    session: Session, model: Model, crops: Sequence[ImageArray], flip: bool
) -> FloatArray:
    """:func:`encode` in the form that the table of encoders asks for."""
    return encode(session, model, crops, flip=flip)


def body_encoder(model: Model) -> BodyEncoder:
    """Any ONNX encoder of person crops, as its entry in the model table or its file describes."""
    return BodyEncoder(model, _load, encode_crops)
