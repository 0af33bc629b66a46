"""What an encoder is: how it is loaded, what it takes, how a batch of that is encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from castsearch.models.config import fingerprint
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.types import Face, FloatArray, ImageArray


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What is asked of a face encoder beside the face; an encoder takes what applies to it.

    ``landmarks`` are dlib's, 5 or 68; encodings are averaged over ``num_jitters`` randomly jittered
    copies (dlib), and with ``flip`` over the face and its mirror image (ONNX).
    """

    landmarks: Literal[5, 68] = 5
    num_jitters: int = 1
    flip: bool = False


@dataclass(frozen=True, slots=True)
class FaceEncoder:
    """One encoder of faces.

    ``load`` makes the network ready, once per process. ``chip`` is what the encoder takes of a face
    in a picture, and ``encode`` makes the vectors of several chips, shape (n, dim), float32.
    ``settings_key`` names those of the settings that change a vector. Vectors are compared by
    ``metric``; where it is "cosine" they are of length 1. An encoder that ``holds_lock`` keeps the
    interpreter lock, so that pictures are worked on in processes.
    """

    model: Model
    load: Callable[[Model, Place], Any]
    chip: Callable[[Model, ImageArray, Face], Any]
    encode: Callable[[Any, Model, Sequence[Any], FaceSettings], FloatArray]
    settings_key: Callable[[FaceSettings], str]
    metric: Literal["cosine", "euclidean"] = "cosine"
    holds_lock: bool = False


@dataclass(frozen=True, slots=True)
class BodyEncoder:
    """One encoder of whole person crops.

    ``load`` makes the network ready, once per process, and ``encode`` the unit vectors of several
    crops, shape (n, dim), float32, averaged with those of the mirrored crops where ``flip`` is
    given and ``is_mirrored`` says that this makes a difference. ``split`` cuts vectors (n, dim)
    into descriptors of parts that count alike, for encoders that give parts.
    """

    model: Model
    load: Callable[[Model, Place], Any]
    encode: Callable[[Any, Model, Sequence[ImageArray], bool], FloatArray]
    is_mirrored: bool = True
    split: Callable[[FloatArray], list[FloatArray]] | None = None


@lru_cache(maxsize=16)
def network(encoder: FaceEncoder | BodyEncoder, place: Place) -> Any:
    """The network of an encoder, loaded once per process and place.

    Raises:
        InputError: its weights are missing, or it takes other input than the encoder gives.
    """
    return encoder.load(encoder.model, place)


def vector_key(encoder: FaceEncoder | BodyEncoder, place: Place) -> str:
    """What vectors are stored under: the model, how its input is prepared, and the device."""
    return f"{fingerprint(encoder.model)}{place.device.key}"
