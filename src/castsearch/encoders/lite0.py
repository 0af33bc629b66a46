"""EfficientNet-lite0 with ImageNet weights, whose packaged file is no ONNX file."""

from __future__ import annotations

from castsearch.encoders.body import encode_crops
from castsearch.encoders.encoder import BodyEncoder
from castsearch.models.config import file_sha256, weights
from castsearch.models.table import BY_NAME, Model
from castsearch.networks.device import Place
from castsearch.networks.lite0 import prepared_lite0
from castsearch.networks.session import Session


def load(model: Model, place: Place) -> Session:
    """The network written out of the weights, once, and kept."""
    path = weights(model)
    return Session(prepared_lite0(path, file_sha256(path), place.cache), place.device)


LITE0 = BodyEncoder(BY_NAME["efficientnet-lite0"], load, encode_crops)
