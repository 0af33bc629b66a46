"""What a locator of faces is, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from castsearch.models.config import fingerprint
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.types import Face, ImageArray


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """How faces are looked for; a locator takes what applies to it."""

    # Longer sides, in pixels, that a crop is scaled to for yunet; the first size that shows a
    # face of at least `sure_score` decides, else the best face over all of them.
    detect_sizes: tuple[int, ...] = (448,)
    # A crop is never enlarged by more than this factor for yunet.
    max_enlarge: float = 4.0
    # Faces that yunet scores below this (0 to 1) are not faces.
    min_score: float = 0.5
    # A face that yunet scores at least this ends the search over `detect_sizes`.
    sure_score: float = 0.8
    # How often dlib's locators double the picture before they look.
    upsample: int = 0
    # Pictures whose longer side is less, or more, than this are scaled up, or down, to it before
    # dlib's locators look; 0: as they are.
    min_size: int = 0
    max_size: int = 0
    # Whether every face at every size is wanted, and not the best one alone.
    all_faces: bool = False


Look = Callable[[Any, ImageArray, DetectSettings], list[Face]]
"""Faces of a picture (uint8 RGB), best score first, in its own pixels."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One locator of faces.

    ``load`` makes it ready, once per process. It looks for faces ``in_crop`` (of one person),
    ``in_portrait`` and ``in_still`` (a whole picture, small faces too). ``settings_key`` names the
    settings that change what is found. A locator without a ``model`` has its code for one. One that
    ``holds_lock`` keeps the interpreter lock, so that pictures are worked on in processes.
    """

    name: str
    model: Model | None
    load: Callable[[Place], Any]
    in_crop: Look
    in_portrait: Look
    in_still: Look
    settings_key: Callable[[DetectSettings], str]
    holds_lock: bool = False


@lru_cache(maxsize=16)
def loaded(detector: Detector, place: Place) -> Any:
    """What a detector looks with, made ready once per process and place."""
    return detector.load(place)


def detector_key(detector: Detector, place: Place) -> str:
    """What faces are stored under: the model, or the locator that needs none, and the device."""
    model = fingerprint(detector.model) if detector.model else detector.name
    return f"{model}{place.device.key}"
