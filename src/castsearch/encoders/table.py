"""The encoders by name: those built in, those of the user's model table, and ONNX files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from castsearch.encoders.body import body_encoder
from castsearch.encoders.encoder import BodyEncoder, FaceEncoder
from castsearch.encoders.face_dlib import DLIB_RESNET
from castsearch.encoders.face_onnx import SFACE, SFACE_INT8, face_encoder
from castsearch.encoders.lite0 import LITE0
from castsearch.encoders.parts import LITE0_PARTS
from castsearch.encoders.stripes import STRIPES
from castsearch.errors import InputError
from castsearch.models.config import from_file, table
from castsearch.models.table import Kind, Model

FACE_ENCODERS: dict[str, FaceEncoder] = {
    encoder.model.name: encoder for encoder in (SFACE, SFACE_INT8, DLIB_RESNET)
}
BODY_ENCODERS: dict[str, BodyEncoder] = {
    encoder.model.name: encoder for encoder in (LITE0, LITE0_PARTS, STRIPES)
}

# ImageNet's, as re-identification networks are trained with, for pixels 0..255.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)

AnyEncoder = TypeVar("AnyEncoder", FaceEncoder, BodyEncoder)


def face_encoder_of(name: str) -> FaceEncoder:
    """The face encoder ``name``, or that of the ONNX file at that path.

    Raises:
        InputError: there is no such face encoder.
    """
    return _encoder(name, "face encoder", FACE_ENCODERS, face_encoder, lambda model: model)


def body_encoder_of(name: str) -> BodyEncoder:
    """The body encoder ``name``, or that of the ONNX file at that path.

    Of a file the input size is read when it is used; pixels are prepared as ImageNet's are, or as
    its metadata say (:func:`castsearch.encoders.body.with_metadata`).

    Raises:
        InputError: there is no such body encoder.
    """
    return _encoder(name, "body encoder", BODY_ENCODERS, body_encoder, _as_imagenet)


def models_of_encoders() -> dict[str, Model]:
    """The models of all encoders that are built in, by name."""
    encoders: list[FaceEncoder | BodyEncoder] = [*FACE_ENCODERS.values(), *BODY_ENCODERS.values()]
    return {encoder.model.name: encoder.model for encoder in encoders}


def _as_imagenet(model: Model) -> Model:
    return dataclasses.replace(model, size=(0, 0), mean=IMAGENET_MEAN, std=IMAGENET_STD)


def _encoder(
    name: str,
    kind: Kind,
    built_in: dict[str, AnyEncoder],
    of_model: Callable[[Model], AnyEncoder],
    of_file: Callable[[Model], Model],
) -> AnyEncoder:
    if name in built_in:
        return built_in[name]
    models: dict[str, Model] = table() | models_of_encoders()
    if name in models:
        if models[name].kind != kind:
            raise InputError(f"The model {name!r} is a {models[name].kind}, not a {kind}.")
        return of_model(models[name])
    if Path(name).suffix.lower() == ".onnx":
        return of_model(of_file(from_file(Path(name), kind)))
    names = dict.fromkeys([*built_in, *(m.name for m in models.values() if m.kind == kind)])
    raise InputError(
        f"There is no {kind} {name!r}; there are {', '.join(names)}, or the path of an ONNX file."
    )
