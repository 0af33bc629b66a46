"""The frozen dataclasses that every stage speaks.

Boxes are ``xyxy`` in pixels of the upright picture (EXIF applied). Ids are strings, as in the
files that they come from. Scores: higher is better; a smaller-is-better value is a ``distance``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

OTHERS = "others"
"""Label of a candidate that shows none of the cast."""

FloatArray: TypeAlias = NDArray[np.float32]
ImageArray: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle ``xyxy`` in pixels, maybe fractional; ``x1`` and ``y1`` are exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def from_xywh(cls, x: float, y: float, width: float, height: float) -> Self:
        """Convert the ``x, y, width, height`` form that WIDER and COCO files use."""
        return cls(x, y, x + width, y + height)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1

    @property
    def width(self) -> float:
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        return self.width * self.height

    def clip(self, width: float, height: float) -> Self:
        """The part of the box inside a picture of ``width`` x ``height`` pixels."""
        return type(self)(
            min(max(self.x0, 0.0), width),
            min(max(self.y0, 0.0), height),
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
        )

    def shift(self, dx: float, dy: float) -> Self:
        """The box moved by ``dx``, ``dy`` pixels."""
        return type(self)(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def intersection(self, other: Box) -> float:
        """Area shared with ``other``, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Where pixels come from: a picture file, or one frame of a film.

    ``frame`` counts the frames of the film at ``path`` from 0, ``seconds`` is when it is shown;
    both are ``None`` for a picture file.
    """

    path: Path
    frame: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return str(self.path) if self.frame is None else f"{self.path}, frame {self.frame}"


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of a movie by its id: a whole still, or a picture that is one person crop.

    A frame of a film has its number and its time; see :class:`Picture`.
    """

    id: str
    path: Path
    frame: int | None = None
    seconds: float | None = None

    @property
    def picture(self) -> Picture:
        return Picture(self.path, self.frame, self.seconds)


@dataclass(frozen=True, slots=True)
class CastMember:
    """A query: one person asked for, with at least one portrait.

    ``id`` is unique over all movies (``tt0120338_nm0000138``); ``name`` is what people read.
    """

    id: str
    name: str
    portraits: tuple[Still, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person box in a still, to be ranked for every cast member of its movie.

    ``box`` is ``None`` where the picture itself is the crop. Candidates that share a ``still.id``
    were seen in one picture. ``label`` is the id of a cast member, :data:`OTHERS`, or ``None``
    where the truth is unknown. ``problem`` says why there is nothing to look at (picture missing,
    path refused, box without area); such a candidate stays in every ranking, at its end.
    """

    id: str
    still: Still
    box: Box | None = None
    label: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was skipped: where, and one plain sentence that says what and why."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Movie:
    """One movie: its cast, its candidates, and whatever of it could not be read.

    ``stills`` holds whole pictures that no box was given for; the detect stage turns them into
    candidates.
    """

    id: str
    cast: tuple[CastMember, ...]
    candidates: tuple[Candidate, ...]
    stills: tuple[Still, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def truth(self) -> dict[str, frozenset[str]] | None:
        """Candidate ids by cast id; ``None`` where no candidate has a label."""
        if all(candidate.label is None for candidate in self.candidates):
            return None
        return {
            member.id: frozenset(c.id for c in self.candidates if c.label == member.id)
            for member in self.cast
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates of one movie ordered for one query, best first.

    ``scores`` is parallel to ``candidate_ids`` and never rises; ``-inf`` stands for "nothing to
    go by". ``n_ties`` counts the candidates whose place was decided by id alone.
    """

    query_id: str
    candidate_ids: tuple[str, ...]
    scores: tuple[float, ...] = ()
    reasons: tuple[str, ...] = ()
    n_ties: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known for sure about the candidates of one movie, all by their ids.

    ``same`` are pairs that show one person (must-link), ``different`` pairs that show two
    (cannot-link). ``labels`` says who a candidate is: the id of a cast member, or :data:`OTHERS`
    for nobody of the cast. ``denied`` are pairs of a candidate and a cast member it is not.
    """

    same: tuple[tuple[str, str], ...] = ()
    different: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    denied: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a picture is, wherever it lies: a key of its content, and its upright size in pixels.

    ``key`` is the sha256 of a file, followed by the frame number for a frame of a film.
    """

    key: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MovieResult:
    """What one run found out about one movie; the input of report and export.

    ``rankings`` holds one entry per cast member, in the order of ``movie.cast``. ``faces`` maps a
    candidate id, or a portrait's still id, to the face that was used, in pixels of the upright
    picture file; ids without a usable face are absent. ``thumbnails`` maps candidate ids and
    portrait still ids to small JPEG files as bytes, and ``frames`` the same ids to the region of
    the picture (``xyxy``, pixels) that the thumbnail shows, so that a face box can be drawn on it.
    ``pictures`` says of each still id that could be read what it is. ``evidence`` are the arrays
    that the order was made of, by name, so that it can be made again with other ``facts``
    (:mod:`castsearch.ranking.evidence`).
    """

    movie: Movie
    rankings: tuple[Ranking, ...]
    faces: dict[str, Face]
    thumbnails: dict[str, bytes]
    frames: dict[str, Box]
    problems: tuple[Problem, ...] = ()
    pictures: dict[str, PictureInfo] = field(default_factory=dict)
    evidence: dict[str, NDArray[Any]] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face: box and five landmarks in pixels of the picture, score of its detector.

    ``landmarks`` has shape (5, 2): right eye, left eye, nose tip, right and left mouth corner (the
    person's own right and left); empty where the detector gives none.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class FaceHit:
    """A face found in a candidate's crop.

    ``vector`` is its embedding, shape (dim,), float32, L2-normalised; ``suitability`` says how
    likely it is the face of the crop's own person (``detectors.choose.suitability``).
    """

    face: Face
    vector: FloatArray
    suitability: float


def order_by_score(ids: Sequence[str], scores: Sequence[float]) -> tuple[list[int], int]:
    """Positions of ``ids`` best score first, ties by id; and how many places a tie decided.

    NaN counts as ``-inf``. A group of n equal scores adds n to the count.
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(ids) != len(values):
        raise ValueError(f"{len(ids)} ids but {len(values)} scores")
    values = np.where(np.isnan(values), -np.inf, values)
    order = np.lexsort((np.asarray(ids, dtype=np.str_), -values))
    _, counts = np.unique(values, return_counts=True)
    return [int(i) for i in order], int(counts[counts > 1].sum())
