"""What a re-ID network learns from and is judged by: pictures of known people, in three splits."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

from castsearch.errors import InputError
from castsearch.metrics.market1501 import JUNK
from castsearch.runtime.oserrors import shown
from castsearch.sources.identities import read_identities
from castsearch.sources.movies import holds_movies, read
from castsearch.sources.paths import is_folder
from castsearch.sources.wider import find_splits
from castsearch.training.options import Validation
from castsearch.types import OTHERS, Box, Movie, Problem

DISTRACTOR = "0000"
"""Identity of people whom no query asks for; they stay in the gallery as wrong answers."""

HELD_OUT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Picture:
    """One person crop: a file, or the part of it under ``box`` (pixels); ``camera`` if known."""

    path: Path
    identity: str
    camera: int | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Splits:
    """What to train with, and the queries and gallery of the validation (empty without one).

    ``notes`` are sentences about what was decided, ``problems`` name what is left out.
    """

    train: tuple[Picture, ...]
    query: tuple[Picture, ...] = ()
    gallery: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many pictures and identities there are, and pictures per identity."""

    n_pictures: int
    n_identities: int
    smallest: int
    median: float
    mean: float
    largest: int

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.n_pictures} pictures of {self.n_identities} identities; per identity "
            f"min {self.smallest}, median {self.median:g}, mean {self.mean:.1f}, max {self.largest}"
        )


def read_splits(source: str | Path, *, validation: Validation = "auto", seed: int = 0) -> Splits:
    """Read a data set of people for training.

    Market-1501, folders per person in ``train`` and ``val``, plain folders per person, and the
    movies of the IMDb course and WIDER layouts, where an identity is a cast member of one movie,
    its pictures are the candidates labelled so, and "others" are left out of training (in the
    validation gallery they are distractors). Portraits are faces, not people, and are left out.

    Args:
        source: Root of the data set.
        validation: "auto" takes the data's own query and gallery, or those of its ``val`` split,
            and holds people out where there are none; "held-out" always holds people out of the
            training split; "none" validates nothing.
        seed: Draws the people held out.

    Raises:
        InputError: there are no such data, no labels, or fewer than two identities to train with.
    """
    root = Path(source).absolute()
    splits = _movies(root) if holds_movies(root) else _people(root)
    train, problems = with_pairs(splits.train)
    splits = replace(splits, train=train, problems=(*splits.problems, *problems))
    if validation == "none":
        splits = replace(splits, query=(), gallery=())
    elif validation == "held-out" or not (splits.query and splits.gallery):
        splits = _hold_out(splits, seed)
    if len({picture.identity for picture in splits.train}) < 2:
        raise InputError(
            f"{shown(source)}: the training split is empty or has one identity; training needs at "
            "least two people with at least two pictures each."
        )
    return splits


def statistics(pictures: Iterable[Picture]) -> Statistics:
    """Pictures per identity; at least one picture is needed."""
    counts = sorted(Counter(picture.identity for picture in pictures).values())
    return Statistics(
        sum(counts), len(counts), counts[0], float(median(counts)), mean(counts), counts[-1]
    )


def _people(root: Path) -> Splits:
    problems: list[Problem] = []
    pictures: dict[str, list[Picture]] = {"train": [], "query": [], "gallery": []}
    for sample in read_identities(root, problems=problems):
        # Junk boxes and distractors are nobody to learn; in the gallery the protocol knows them.
        if sample.split == "train" and sample.identity in (JUNK, DISTRACTOR):
            continue
        picture = Picture(sample.path, sample.identity, sample.camera)
        pictures[sample.split].append(picture)
    return Splits(
        tuple(pictures["train"]),
        tuple(pictures["query"]),
        tuple(pictures["gallery"]),
        problems=tuple(problems),
    )


def _movies(root: Path) -> Splits:
    """Movies of a ``train`` and a ``val`` split, or of one folder, as people."""
    places = {file.stem: file for file in find_splits(root)} if is_folder(root) else {}
    if not places:
        places = {name: root / name for name in ("train", "val") if is_folder(root / name)}
    movies = read(places.get("train", root))
    validation = read(places["val"]) if {"train", "val"} <= places.keys() else []
    query, gallery = _asked_first(_labelled(validation, keep_others=True))
    return Splits(
        _labelled(movies),
        query,
        gallery,
        problems=tuple(p for movie in (*movies, *validation) for p in movie.problems),
    )


def _labelled(movies: Iterable[Movie], *, keep_others: bool = False) -> tuple[Picture, ...]:
    pictures = []
    for movie in movies:
        for candidate in sorted(movie.candidates, key=lambda c: c.id):
            if candidate.label is None or candidate.problem is not None:
                continue
            if candidate.label != OTHERS:
                identity = (
                    candidate.label
                    if movie.id in candidate.label
                    else (f"{movie.id}_{candidate.label}")
                )
            elif keep_others:
                identity = DISTRACTOR
            else:
                continue
            pictures.append(Picture(candidate.still.path, identity, box=candidate.box))
    return tuple(pictures)


def with_pairs(pictures: Sequence[Picture]) -> tuple[tuple[Picture, ...], list[Problem]]:
    """Those of identities that have two pictures or more; a problem names each other identity."""
    counts = Counter(picture.identity for picture in pictures)
    problems = [
        Problem(identity, f"Identity {shown(identity)} has one picture; it is left out.")
        for identity, n in counts.items()
        if n < 2
    ]
    return tuple(p for p in pictures if counts[p.identity] >= 2), problems


def _asked_first(pictures: Iterable[Picture]) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Queries and gallery: each person's first camera asks for the others.

    Where a person was seen by fewer than two cameras, its first picture asks for the others and
    its cameras are forgotten, since a match by the same camera would not count.
    """
    by_person: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        by_person[picture.identity].append(picture)
    query: list[Picture] = []
    gallery: list[Picture] = []
    for identity, shots in by_person.items():
        cameras = sorted({p.camera for p in shots if p.camera is not None})
        if identity == DISTRACTOR:
            gallery += shots
        elif len(cameras) >= 2:
            query += [p for p in shots if p.camera == cameras[0]]
            gallery += [p for p in shots if p.camera != cameras[0]]
        else:
            query.append(replace(shots[0], camera=None))
            gallery += [replace(p, camera=None) for p in shots[1:]]
    return tuple(query), tuple(gallery)


def _hold_out(splits: Splits, seed: int) -> Splits:
    """Some people of the training split, drawn by ``seed``, become the validation instead."""
    people = sorted({picture.identity for picture in splits.train})
    n_held = max(2, round(len(people) * HELD_OUT_SHARE))
    if len(people) - n_held < 2:
        raise InputError(
            f"{len(people)} identities with two pictures are too few to hold some out for "
            "validation; give more, or --validation none."
        )
    held = set(random.Random(seed).sample(people, n_held))
    query, gallery = _asked_first(p for p in splits.train if p.identity in held)
    note = (
        f"Validation: {n_held} of {len(people)} identities were drawn by the seed {seed} and held "
        "out of training."
    )
    return replace(
        splits,
        train=tuple(p for p in splits.train if p.identity not in held),
        query=query,
        gallery=gallery,
        notes=(*splits.notes, note),
    )
