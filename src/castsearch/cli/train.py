"""``train``: teach a network to tell people apart."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AsJson, Quiet
from castsearch.cli.printing import print_json
from castsearch.verbs.train import recipe_named


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Changes:
    """Values that replace the recipe's; each has the name that it has there."""

    p: int | None = None
    """Identities in a batch."""
    k: int | None = None
    """Pictures of each identity in a batch."""
    size: Annotated[tuple[int, int] | None, Parameter(negative="")] = None
    """Height and width that crops are stretched to."""
    margin: float | Literal["soft"] | None = None
    """Margin of the triplet loss, or `soft` for ln(1 + exp)."""
    normalise: bool | None = None
    """Take triplet distances between vectors of one length instead of raw ones."""
    scale: float | None = None
    """That length."""
    triplet_weight: float | None = None
    """Weight of the batch-hard triplet loss."""
    identity_weight: float | None = None
    """Weight of the identity loss (cross entropy over the training people)."""
    label_smoothing: float | None = None
    """Label smoothing of the identity loss."""
    contrast_weight: float | None = None
    """Weight of the supervised contrastive loss."""
    temperature: float | None = None
    """Temperature of the contrastive loss."""
    cross_camera: bool | None = None
    """Only pictures by another camera are positives of the contrastive loss."""
    embedding_dim: int | None = None
    """Length of the embedding; 0 keeps the backbone's."""
    last_stride: Literal[1, 2] | None = None
    """Stride of the last stage."""
    bnneck: bool | None = None
    """A batch norm between the triplet loss and the others."""
    pooling: Literal["avg", "gem"] | None = None
    """Mean or generalised mean over the feature maps."""
    lr: float | None = None
    """Learning rate of Adam."""
    head_lr: float | None = None
    """Rate of what lies behind the backbone, as a multiple of `--lr`."""
    betas: Annotated[tuple[float, float] | None, Parameter(negative="")] = None
    """Adam's two decays."""
    weight_decay: float | None = None
    """L2 penalty in Adam."""
    schedule: Literal["constant", "exponential", "steps", "cosine"] | None = None
    """How the rate goes."""
    decay_from: float | None = None
    """Share of the run after which the exponential schedule decays."""
    final_lr: float | None = None
    """Last rate as a share of `--lr`."""
    warm_up: float | None = None
    """Share of the run in which the rate rises."""
    ema: float | None = None
    """Decay of the running mean of the weights that is kept; 0 keeps the weights."""
    freeze_norm: bool | None = None
    """Leave the backbone's batch norm statistics as they came."""
    freeze_stages: int | None = None
    """Leave the first stages as they came; the stem is one."""
    flip: bool | None = None
    """Mirror every second picture."""
    pad: int | None = None
    """Shift pictures by up to this many pixels."""
    zoom: float | None = None
    """Scale pictures by up to this share."""
    erase: float | None = None
    """Share of the pictures with a rectangle erased."""
    brightness: float | None = None
    """Vary the brightness by up to this share."""
    contrast: float | None = None
    """Vary the contrast by up to this share."""
    saturation: float | None = None
    """Vary the saturation by up to this share."""
    gain: float | None = None
    """Vary each colour channel by exp(N(0, this))."""
    grey: float | None = None
    """Share of the pictures turned grey."""


def train(
    source: Path,
    /,
    *,
    arch: str = "resnet50",
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-train"),
    recipe: str = "triplet",
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    weights: Path | None = None,
    seed: int = 0,
    validation: Literal["auto", "held-out", "none"] = "auto",
    validations: int = 20,
    test_flip: Annotated[bool, Parameter(negative="")] = False,
    precision: Literal["no", "fp16", "bf16"] = "no",
    accumulate: int = 1,
    checkpoint_seconds: float = 60.0,
    cache: Path | None = None,
    changes: Changes = Changes(),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Train and print what it came to.

    Args:
        source: Market-1501, folders per person (also in train/ and val/), or labelled movies.
        arch: Network; `castsearch models --architectures` lists them.
        out: Folder of the run.
        recipe: Named way to train: `triplet`, `strong` or `finetune`.
        steps: How many steps to train.
        epochs: How many times as many pictures as there are.
        minutes: How long to train; the schedule goes by the time.
        weights: What the backbone starts from: a weight file, or a name of `castsearch models`
            such as `resnet50-imagenet`, which is downloaded.
        seed: Of everything drawn.
        validation: `auto` takes the data's own, else holds people out; or `held-out`, `none`.
        validations: How many, spread over the run; one more comes before it.
        test_flip: Average in mirror images when validating.
        precision: Mixed precision.
        accumulate: Batches that make one step.
        checkpoint_seconds: How often a checkpoint is written.
        cache: Folder of the decoded pictures, by default that of the run.
    """
    values = {k: v for k, v in dataclasses.asdict(changes).items() if v is not None}
    result = castsearch.train(
        source,
        arch=arch,
        out=out,
        recipe=recipe_named(recipe, **values),
        steps=steps,
        epochs=epochs,
        minutes=minutes,
        weights=weights,
        seed=seed,
        validation=validation,
        validations=validations,
        test_flip=test_flip,
        precision=precision,
        accumulate=accumulate,
        checkpoint_seconds=checkpoint_seconds,
        cache=cache,
        progress="quiet" if quiet or as_json else "auto",
    )
    if not result.is_main:
        return 0
    if as_json:
        print_json(dataclasses.asdict(result) | {"out": str(result.out)})
    elif not quiet:
        print(result)
    if result.collapsed:
        print("castsearch: the training has collapsed; see above.", file=sys.stderr)
    return 1 if result.skipped or result.collapsed else 0
