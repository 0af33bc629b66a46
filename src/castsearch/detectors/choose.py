"""Which face of a person crop is its person's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from castsearch.types import Box, Face

NEARNESS = 3.0
"""Weight of the distance to the expected place, in crop sides; a face one third of the crop off
its place counts 1/e."""


def suitability(face: Face, width: float, height: float) -> float:
    """How likely ``face`` is that of the person whose crop is ``width`` x ``height`` pixels.

    score * sqrt(relative size) * exp(-3 distance), the distance being that of the face's centre
    to (width / 2, height / 3), each axis in sides of the crop: a crop holds parts of its
    neighbours, and their faces sit at its edges.
    """
    centre_x = (face.box.x0 + face.box.x1) / 2 / width - 1 / 2
    centre_y = (face.box.y0 + face.box.y1) / 2 / height - 1 / 3
    distance = math.hypot(centre_x, centre_y)
    return face.score * math.sqrt(face.box.width / width) * math.exp(-NEARNESS * distance)


def choose(faces: Sequence[Face], width: float, height: float) -> Face | None:
    """The face of a crop's own person, or ``None`` where there is no face."""
    return max(faces, key=lambda face: suitability(face, width, height), default=None)


def choose_portrait(faces: Sequence[Face]) -> Face | None:
    """The face that a portrait is of: the largest, weighed by its score."""
    return max(faces, key=lambda face: face.box.area * face.score, default=None)


def body_box(face: Box, width: float, height: float) -> Box:
    """The box of the person whose face is at ``face``, inside a picture of ``width`` x ``height``.

    Head and body in proportions of the face: three faces wide, from half a face above to six
    below, about what a standing person is.
    """
    return Box(
        face.x0 - face.width,
        face.y0 - face.height / 2,
        face.x1 + face.width,
        face.y1 + 6 * face.height,
    ).clip(width, height)
