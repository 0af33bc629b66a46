"""What a run learns from: decoded pictures with the numbers of their identities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.runtime.progress import Style
from castsearch.training import augment
from castsearch.training.cache import Pictures, load
from castsearch.training.log import Reporter
from castsearch.training.options import Options
from castsearch.training.splits import Picture, read_splits, statistics, with_pairs
from castsearch.types import Problem


@dataclass(frozen=True, slots=True)
class Dataset:
    """Decoded pictures; ``labels[i]`` is the number of the identity of ``train.listed[i]``.

    ``cameras`` goes with ``labels``; -1 stands for an unknown camera.
    """

    train: Pictures
    query: Pictures
    gallery: Pictures
    labels: tuple[int, ...]
    cameras: tuple[int, ...]
    problems: tuple[Problem, ...]

    @property
    def n_identities(self) -> int:
        return len(set(self.labels))

    def settings(self, options: Options) -> dict[str, Any]:
        """All that the weights of a run depend on, as plain values; files and data by a hash."""
        listing = [[p.path.name, p.identity, p.camera] for p in self.train.listed]
        return options.decisive() | {
            "weights": None if options.weights is None else models.file_sha256(options.weights),
            "data": hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16],
        }


def load_dataset(
    source: str | Path, options: Options, cache: Path, reporter: Reporter, progress: Style
) -> Dataset:
    """Read, decode and count; problems and statistics go to ``reporter``.

    Raises:
        InputError: the data cannot be used, or too few identities are left.
    """
    recipe = options.recipe
    augment.check(recipe)
    if min(recipe.size) < 32:
        raise InputError("--size must be at least 32 x 32: the networks halve it five times.")
    splits = read_splits(source, validation=options.validation, seed=options.seed)

    def decoded(pictures: Sequence[Picture], name: str) -> Pictures:
        return load(pictures, recipe.size, cache, progress=progress, name=name)

    train = decoded(splits.train, "training pictures")
    # Unreadable pictures may leave an identity with one.
    paired, lonely = with_pairs(train.listed)
    train = train.only(paired)
    query, gallery = decoded(splits.query, "queries"), decoded(splits.gallery, "the gallery")
    problems = (
        *splits.problems,
        *train.problems,
        *lonely,
        *query.problems,
        *gallery.problems,
    )
    for problem in problems:
        reporter.warn(f"skipped: {problem.message}")
    identities = sorted({picture.identity for picture in train.listed})
    if not identities:
        raise InputError(f"{source}: no training picture can be read.")
    numbers = {identity: i for i, identity in enumerate(identities)}
    reporter.say(
        [
            f"training: {statistics(train.listed)}",
            f"validation: {len(query.listed)} queries, gallery of {len(gallery.listed)}",
            *splits.notes,
        ]
    )
    labels = tuple(numbers[picture.identity] for picture in train.listed)
    cameras = tuple(-1 if p.camera is None else p.camera for p in train.listed)
    return Dataset(train, query, gallery, labels, cameras, problems)
