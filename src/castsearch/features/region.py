"""What is looked at, and what is found there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from castsearch.features.corners import Corners
from castsearch.types import Box, Face, FaceHit, FloatArray, Picture, PictureInfo

Role = Literal["candidate", "portrait", "still", "body"]
"""What a region is: the crop of one person, the picture of one cast member, a whole still, or a
crop of which the body vectors alone are asked."""


@dataclass(frozen=True, slots=True)
class Region:
    """A portrait, candidate or still to look at: ``box`` of the picture, or all of it."""

    id: str
    picture: Picture
    box: Box | None = None
    role: Role = "candidate"

    @property
    def key(self) -> str:
        """The name of the region in the store."""
        return "" if self.box is None else ",".join(f"{v:g}" for v in self.box.xyxy)


@dataclass(frozen=True, slots=True)
class Features:
    """What was found in a region; coordinates are pixels of the picture.

    ``vector`` has shape (dim,), float32. ``problem`` says why nothing could be looked at. ``faces``
    are all faces of a whole still. ``body`` holds a unit vector (dim,), float32, of the whole crop
    for each body encoder that is asked, by its name, and ``lower`` those of its lower part where it
    shows a face; portraits have none. ``hits`` are all faces of a candidate where they are all
    asked for, and ``corners`` what tells which other crop files are of its still. ``picture`` is
    what the region's picture is, ``None`` where it could not be read.
    """

    face: Face | None = None
    vector: FloatArray | None = None
    frame: Box | None = None
    thumbnail: bytes | None = None
    problem: str | None = None
    faces: tuple[Face, ...] = ()
    body: dict[str, FloatArray] = field(default_factory=dict)
    lower: dict[str, FloatArray] = field(default_factory=dict)
    hits: tuple[FaceHit, ...] = ()
    corners: Corners | None = None
    picture: PictureInfo | None = None
