"""The evidence of one movie: all that its pictures told; the order needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.features.asked import Asked
from castsearch.features.region import Features
from castsearch.types import Box, Candidate, CastMember, Face, FaceHit, FloatArray, Movie

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the pictures of one movie show; rows of candidates are in the movie's order.

    ``portraits``: face vectors of the portraits that show one, shape (n_portraits, dim), float32,
    and ``portrait_cast`` whose they are, (n_portraits,). ``hits``: the vectors of faces in the
    candidates' crops, (n_hits, dim), of length 1 unless ``is_euclidean``; ``hit_candidate``: whose
    crop, (n_hits,); ``hit_boxes``: box in the picture and score, (n_hits, 5); ``hit_suitability``:
    how likely it is the crop's own person's face, (n_hits,). ``has_body``, ``has_lower``: whether
    the crop, and its lower part, were described, (n,); ``whole`` and ``lower``: those descriptions,
    one array (n_described, dim) per descriptor, float32. ``stills``: equal numbers for candidates
    of one still, (n,). ``boxes``: where a candidate lies in its still, (n, 4) ``xyxy`` pixels, NaN
    where that is not known; ``shifts``: what takes a place in its picture there, (n, 2): nothing
    but where crops are files of their own. ``is_readable``: whether the candidate's picture could
    be looked at.
    """

    n_cast: int
    portraits: FloatArray
    portrait_cast: NDArray[np.intp]
    hits: FloatArray
    hit_candidate: NDArray[np.intp]
    hit_boxes: NDArray[np.float64]
    hit_suitability: NDArray[np.float64]
    has_body: NDArray[np.bool_]
    has_lower: NDArray[np.bool_]
    whole: Mapping[str, FloatArray]
    lower: Mapping[str, FloatArray]
    stills: NDArray[np.intp]
    boxes: NDArray[np.float64]
    shifts: NDArray[np.float64]
    is_readable: NDArray[np.bool_]
    is_euclidean: bool = False

    @property
    def n(self) -> int:
        """How many candidates there are."""
        return len(self.stills)

    @property
    def queries(self) -> list[list[FloatArray]]:
        """The face vectors of each cast member's portraits."""
        return [list(self.portraits[self.portrait_cast == member]) for member in range(self.n_cast)]

    def face(self, hit: int) -> Face:
        """One of the faces that were found."""
        *box, score = self.hit_boxes[hit].tolist()
        return Face(Box(*box), score)

    @property
    def face_hits(self) -> list[list[FaceHit]]:
        """The faces of each candidate, in the order they were found."""
        rows: list[list[FaceHit]] = [[] for _ in range(self.n)]
        suitabilities = self.hit_suitability.tolist()
        for i, candidate in enumerate(self.hit_candidate.tolist()):
            rows[candidate].append(FaceHit(self.face(i), self.hits[i], suitabilities[i]))
        return rows

    @property
    def first_hits(self) -> dict[int, int]:
        """The first face that was found of each candidate that shows one."""
        first: dict[int, int] = {}
        for hit, candidate in enumerate(self.hit_candidate.tolist()):
            first.setdefault(candidate, hit)
        return first

    @property
    def faces(self) -> dict[int, Face]:
        """The face of each candidate that shows one, the first where several were found."""
        return {candidate: self.face(hit) for candidate, hit in self.first_hits.items()}

    @property
    def vectors(self) -> list[FloatArray | None]:
        """The face vector of each candidate, the first where several were found."""
        rows: list[FloatArray | None] = [None] * self.n
        for candidate, hit in self.first_hits.items():
            rows[candidate] = self.hits[hit]
        return rows

    def described(self, name: str, *, lower: bool = False) -> FloatArray:
        """One descriptor of all candidates, shape (n, dim); zeros where there is none."""
        rows = (self.lower if lower else self.whole)[name]
        full = np.zeros((self.n, rows.shape[1]), dtype=np.float32)
        full[self.has_lower if lower else self.has_body] = rows
        return full

    def arrays(self) -> Arrays:
        """The evidence as named arrays, in which it is stored."""
        parts = {"n_cast", "is_euclidean", "whole", "lower"}
        names = [part.name for part in fields(self) if part.name not in parts]
        arrays: Arrays = {name: getattr(self, name) for name in names}
        arrays |= {f"whole/{name}": rows for name, rows in self.whole.items()}
        arrays |= {f"lower/{name}": rows for name, rows in self.lower.items()}
        # Sums depend on the order of descriptors, and a store may give arrays in another.
        arrays["descriptors"] = np.array(list(self.whole), dtype=np.str_)
        arrays["n_cast"] = np.array(self.n_cast)
        arrays["is_euclidean"] = np.array(self.is_euclidean)
        return arrays


def evidence_of(arrays: Mapping[str, NDArray[Any]]) -> Evidence:
    """The evidence that :meth:`Evidence.arrays` stored.

    Raises:
        KeyError: an array is missing.
    """
    names = arrays["descriptors"].tolist()
    parts = {
        part: {name: arrays[f"{part}/{name}"] for name in names} for part in ("whole", "lower")
    }
    values: dict[str, Any] = {
        part.name: arrays[part.name] for part in fields(Evidence) if part.name not in parts
    }
    values["n_cast"] = int(values["n_cast"])
    values["is_euclidean"] = bool(values["is_euclidean"])
    return Evidence(**(values | parts))


def movie_evidence(
    movie: Movie,
    portraits: Sequence[Sequence[Features]],
    crops: Sequence[Features],
    places: NDArray[np.int64] | None,
    what: Asked,
) -> Evidence:
    """The evidence of a movie out of what was found in its pictures.

    Args:
        movie: Its cast and candidates give the order.
        portraits: What was found in the portraits of each cast member.
        crops: What was found in the crops of the candidates.
        places: Still, left and top of each crop, shape (n, 3), where crops are files of their own
            (:func:`castsearch.features.places.places`); else ``None``.
        what: What was asked of the pictures.
    """
    owners = [
        (member, feature.vector)
        for member, features in enumerate(portraits)
        for feature in features
        if feature.vector is not None
    ]
    hits = [(i, hit) for i, feature in enumerate(crops) for hit in _hits(feature)]
    stills, boxes, shifts = _standing(movie.candidates, crops, places)
    whole: dict[str, FloatArray] = {}
    lower: dict[str, FloatArray] = {}
    for encoder in what.bodies:
        name = encoder.model.name
        rows = _stacked([f.body[name] for f in crops if f.body])
        low = _stacked([f.lower[name] for f in crops if f.lower], rows.shape[1])
        split = encoder.split if encoder.split and rows.size else None
        for k, one in enumerate(split(rows) if split else [rows]):
            whole[f"{name}/{k}" if split else name] = one
        for k, one in enumerate(split(low) if split else [low]):
            lower[f"{name}/{k}" if split else name] = one
    return Evidence(
        n_cast=len(movie.cast),
        portraits=_stacked([vector for _, vector in owners]),
        portrait_cast=np.array([member for member, _ in owners], dtype=np.intp),
        hits=_stacked([hit.vector for _, hit in hits]),
        hit_candidate=np.array([i for i, _ in hits], dtype=np.intp),
        hit_boxes=np.array(
            [(*hit.face.box.xyxy, hit.face.score) for _, hit in hits], dtype=np.float64
        ).reshape(-1, 5),
        hit_suitability=np.array([hit.suitability for _, hit in hits], dtype=np.float64),
        has_body=np.array([bool(feature.body) for feature in crops], dtype=np.bool_),
        has_lower=np.array([bool(feature.lower) for feature in crops], dtype=np.bool_),
        whole=whole,
        lower=lower,
        stills=stills,
        boxes=boxes,
        shifts=shifts,
        is_readable=np.array([feature.problem is None for feature in crops], dtype=np.bool_),
        is_euclidean=what.encoder.metric == "euclidean",
    )


def portrait_features(
    cast: Sequence[CastMember], features: Mapping[str, Features]
) -> list[list[Features]]:
    """What was found in the portraits of each cast member."""
    return [[features[still.id] for still in member.portraits] for member in cast]


def _hits(feature: Features) -> Sequence[FaceHit]:
    """All faces that a crop was asked for: every one, or the one that it is about."""
    if feature.hits or feature.face is None or feature.vector is None:
        return feature.hits
    return [FaceHit(feature.face, feature.vector, 1.0)]


def _stacked(rows: Sequence[FloatArray], dim: int = 1) -> FloatArray:
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, dim), dtype=np.float32)


def _standing(
    candidates: Sequence[Candidate],
    crops: Sequence[Features],
    places: NDArray[np.int64] | None,
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """The still of each candidate as a number, its box there, and what shifts its picture there."""
    boxes = np.full((len(crops), 4), np.nan)
    for row, feature in zip(boxes, crops, strict=True):
        if feature.frame is not None:
            row[:] = feature.frame.xyxy
    if places is not None:
        shifts = places[:, 1:].astype(np.float64)
        return places[:, 0].astype(np.intp), boxes + np.tile(shifts, 2), shifts
    _, told = np.unique([c.still.id for c in candidates], return_inverse=True)
    return np.asarray(told, dtype=np.intp), boxes, np.zeros((len(crops), 2))
