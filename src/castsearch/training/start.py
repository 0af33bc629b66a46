"""What a run starts with: decoded pictures, labels, and a network with its first weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.runtime.progress import Style
from castsearch.training import augment
from castsearch.training.cache import Pictures, load
from castsearch.training.data import Picture, read_splits, statistics, with_pairs
from castsearch.training.log import Reporter
from castsearch.training.networks import LITE0, ReidNetwork, build, load_backbone
from castsearch.training.options import Options
from castsearch.training.recipes import Recipe
from castsearch.types import Problem


@dataclass(frozen=True, slots=True)
class Data:
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
        """All that the weights of a run depend on, as plain values; "data" is a hash."""
        listing = [[p.path.name, p.identity, p.camera] for p in self.train.listed]
        recipe = asdict(options.recipe) | {
            "size": list(options.recipe.size),
            "betas": list(options.recipe.betas),
        }
        return (
            recipe
            | asdict(options.budget)
            | {
                "arch": options.arch,
                "weights": None if options.weights is None else models.file_sha256(options.weights),
                "seed": options.seed,
                "validation": options.validation,
                "n_validations": options.n_validations,
                "test_flip": options.test_flip,
                "precision": options.precision,
                "accumulate": options.accumulate,
                "data": hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16],
            }
        )


def load_data(
    source: str | Path, options: Options, cache: Path, reporter: Reporter, progress: Style
) -> Data:
    """Read, decode and count; problems and statistics go to ``reporter``.

    Raises:
        InputError: the data cannot be used, or too few identities are left.
    """
    recipe: Recipe = options.recipe
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
    number = {identity: i for i, identity in enumerate(identities)}
    reporter.say(
        [
            f"training: {statistics(train.listed)}",
            f"validation: {len(query.listed)} queries, gallery of {len(gallery.listed)}",
            *splits.notes,
        ]
    )
    labels = tuple(number[picture.identity] for picture in train.listed)
    cameras = tuple(-1 if p.camera is None else p.camera for p in train.listed)
    return Data(train, query, gallery, labels, cameras, problems)


def start_network(options: Options, n_identities: int) -> ReidNetwork:
    """A network with its first weights: a file's, those of an installed package, or drawn.

    EfficientNet-lite0 starts from the ImageNet weights that its package carries; a ResNet at
    random, since no package carries any, unless ``options.weights`` names a file.

    Raises:
        InputError: the weights are missing or of another architecture.
    """
    recipe = options.recipe
    network = build(recipe.network(options.arch), n_identities if recipe.identity_weight else 0)
    if options.weights is not None:
        load_backbone(network, options.weights)
    elif options.arch == LITE0:
        load_backbone(network, models.weights(models.BY_NAME[LITE0]))
    # Depthwise convolutions run half again as fast on CPUs so, and tensor cores want it.
    network.to(memory_format=torch.channels_last)
    return network
