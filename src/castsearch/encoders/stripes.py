"""Colour histograms over horizontal stripes: what a person wears, with no network.

After the stripe histograms of early re-identification (Gray & Tao, "Viewpoint Invariant Pedestrian
Recognition with an Ensemble of Localized Features", ECCV 2008), in HSV, with soft bins.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from castsearch.encoders.body import resized
from castsearch.encoders.encoder import BodyEncoder
from castsearch.models.table import BY_NAME, Model
from castsearch.networks.device import Place
from castsearch.types import FloatArray, ImageArray

HEIGHT, WIDTH = 96, 48
N_STRIPES = 8
N_HUES, N_SATURATIONS, N_VALUES = 8, 3, 8
DIM = N_STRIPES * (N_HUES * N_SATURATIONS + N_VALUES)
CENTRE_SPREAD = 0.15
"""Standard deviation, in widths, of the weight of a column: people stand in the middle."""

_STRIPE = np.repeat(np.arange(HEIGHT) * N_STRIPES // HEIGHT, WIDTH)
_COLUMNS = (np.arange(WIDTH) + 0.5) / WIDTH - 0.5
_WEIGHT = np.tile(np.exp(-0.5 * (_COLUMNS / CENTRE_SPREAD) ** 2), HEIGHT)


def stripes(crop: ImageArray) -> FloatArray:
    """The descriptor of one crop, shape (DIM,), float32, L2-normalised.

    Each stripe has a joint histogram of hue and saturation and one of value. Every pixel is shared
    between the bins it lies between, so that a little more light moves the vector a little. Square
    roots make the dot product of two vectors the Bhattacharyya coefficient of their histograms.

    Args:
        crop: uint8 RGB, shape (height, width, 3), of any size.
    """
    small = resized(crop, (HEIGHT, WIDTH))
    hsv = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    hues = _soft_bins(hsv[:, 0] / 360 * N_HUES, N_HUES, circular=True)
    saturations = _soft_bins(hsv[:, 1] * (N_SATURATIONS - 1), N_SATURATIONS)
    values = _soft_bins(hsv[:, 2] * (N_VALUES - 1), N_VALUES)
    colours = np.zeros(N_STRIPES * N_HUES * N_SATURATIONS)
    lights = np.zeros(N_STRIPES * N_VALUES)
    for hue, hue_share in hues:
        for saturation, share in saturations:
            at = (_STRIPE * N_HUES + hue) * N_SATURATIONS + saturation
            colours += np.bincount(at, _WEIGHT * hue_share * share, len(colours))
    for value, share in values:
        lights += np.bincount(_STRIPE * N_VALUES + value, _WEIGHT * share, len(lights))
    root = np.sqrt(np.concatenate([colours, lights]))
    return np.asarray(root / np.linalg.norm(root), dtype=np.float32)


def _soft_bins(
    position: NDArray[np.float32], n_bins: int, *, circular: bool = False
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """The two bins that each position lies between, and the share of each."""
    below = np.floor(position).astype(np.intp)
    share = position - below
    if circular:
        return [(below % n_bins, 1 - share), ((below + 1) % n_bins, share)]
    return [(below.clip(0, n_bins - 1), 1 - share), ((below + 1).clip(0, n_bins - 1), share)]


def _load(model: Model, place: Place) -> None:
    """There is no network to load."""


def _encode(network: None, model: Model, crops: Sequence[ImageArray], flip: bool) -> FloatArray:
    return np.stack([stripes(crop) for crop in crops])


# The same mirrored: columns are weighed alike on both sides.
STRIPES = BodyEncoder(BY_NAME["hsv-stripes"], _load, _encode, is_mirrored=False)
