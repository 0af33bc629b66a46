"""Teach a network to tell people apart; needs the extra ``castsearch[train]``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from castsearch.errors import InputError
from castsearch.runtime.extras import need
from castsearch.runtime.progress import Style

if TYPE_CHECKING:
    from castsearch.training.options import TrainResult
    from castsearch.training.recipes import Recipe


def train(
    source: str | Path,
    *,
    arch: str = "resnet50",
    out: str | Path = Path("castsearch-train"),
    recipe: str | Recipe = "triplet",
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
    validation: Literal["auto", "held-out", "none"] = "auto",
    validations: int = 20,
    test_flip: bool = False,
    precision: Literal["no", "fp16", "bf16"] = "no",
    accumulate: int = 1,
    checkpoint_seconds: float = 60.0,
    cache: Path | None = None,
    progress: Style = "quiet",
) -> TrainResult:
    """Train a re-ID network on the people in ``source``, or go on with a run that was broken off.

    See :func:`castsearch.training.loop.train` for what is written to ``out``.

    Args:
        source: Market-1501, folders per person (also in train/ and val/), or labelled movies.
        arch: Network, one of :data:`castsearch.training.architectures.ARCHITECTURES`.
        out: Folder of the run.
        recipe: How the network learns: a name of :data:`castsearch.training.recipes.RECIPES`, or
            one of them with values replaced.
        steps: How many steps to train; this, epochs or minutes, else the recipe says.
        epochs: How many times as many pictures as there are.
        minutes: How long to train; the schedule goes by the time.
        weights: What the backbone starts from: a weight file, or backbone weights of the model
            table, which are downloaded.
        seed: Of everything drawn.
        validation: ``auto`` takes the data's own, else holds people out; or ``held-out``, ``none``.
        validations: How many, spread over the run; one more comes before it.
        test_flip: Average in mirror images when validating.
        precision: Mixed precision.
        accumulate: Batches that make one step.
        checkpoint_seconds: How often a checkpoint is written.
        cache: Folder of the decoded pictures, by default ``out``.
        progress: How it is shown on stderr.

    Raises:
        InputError: the extra is missing, the data or the options cannot be used, or ``out`` holds
            another run.
        CastsearchError: the loss is not finite, or a file cannot be written.
        KeyboardInterrupt: interrupted; the state was saved before.
    """
    _need_training()
    from castsearch.training import loop
    from castsearch.training.budget import Budget
    from castsearch.training.networks import weight_file
    from castsearch.training.options import Options

    options = Options(
        arch=arch,
        recipe=recipe_named(recipe) if isinstance(recipe, str) else recipe,
        budget=Budget(steps, epochs, minutes),
        weights=None if weights is None else weight_file(weights),
        seed=seed,
        validation=validation,
        n_validations=validations,
        test_flip=test_flip,
        precision=precision,
        accumulate=accumulate,
        checkpoint_seconds=checkpoint_seconds,
    )
    return loop.train(source, out, options, cache=cache, progress=progress)


def recipe_named(name: str, **changes: Any) -> Recipe:
    """The recipe ``name`` of training, with single values replaced.

    Raises:
        InputError: there is none of that name, or the extra ``castsearch[train]`` is missing.
    """
    _need_training()
    from castsearch.training.recipes import RECIPES

    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}; use one of {', '.join(RECIPES)}.")
    return dataclasses.replace(RECIPES[name], **changes)


def _need_training() -> None:
    need("train", "torch", "accelerate", "kornia", "pytorch_metric_learning", purpose="Training")
