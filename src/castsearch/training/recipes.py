"""Named ways to train, as data; every value can be replaced, in Python and on the command line."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from castsearch.errors import InputError

Margin = float | Literal["soft"]
Schedule = Literal["constant", "exponential", "steps", "cosine"]
LastStride = Literal[1, 2]
Pooling = Literal["avg", "gem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How a network learns.

    Amounts of time are shares of the run, so that a short run goes through the same phases as a
    long one. Each field is an option of ``castsearch train``, and the sentence below it that
    option's help.
    """

    # Batches of p x k pictures.
    p: int = 18
    """Identities in a batch."""
    k: int = 4
    """Pictures of each identity in a batch."""
    size: tuple[int, int] = (256, 128)
    """Height and width that crops are stretched to."""

    # Losses: batch-hard triplets, with a margin or the soft one, on features before the neck; the
    # identity loss and the supervised contrastive loss after it.
    margin: Margin = "soft"
    """Margin of the triplet loss, or `soft` for ln(1 + exp)."""
    normalise: bool = False
    """Take triplet distances between vectors of one length instead of raw ones."""
    scale: float = 1.0
    """That length; distances go up to twice that."""
    triplet_weight: float = 1.0
    """Weight of the batch-hard triplet loss."""
    identity_weight: float = 0.0
    """Weight of the identity loss (cross entropy over the training people)."""
    label_smoothing: float = 0.0
    """Label smoothing of the identity loss."""
    contrast_weight: float = 0.0
    """Weight of the supervised contrastive loss."""
    temperature: float = 0.1
    """Temperature of the contrastive loss."""
    cross_camera: bool = False
    """Only pictures by another camera are positives of the contrastive loss."""

    # Head and last stage of the network.
    embedding_dim: int = 0
    """Length of the embedding; 0 keeps the backbone's."""
    last_stride: LastStride = 2
    """Stride of the last stage."""
    bnneck: bool = False
    """A batch norm between the triplet loss and the others."""
    pooling: Pooling = "avg"
    """Mean or generalised mean over the feature maps."""

    # Optimisation: Adam, and how its rate goes.
    lr: float = 3e-4
    """Learning rate of Adam."""
    head_lr: float = 1.0
    """Rate of what lies behind the backbone, as a multiple of `--lr`."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's two decays."""
    weight_decay: float = 0.0
    """L2 penalty in Adam."""
    schedule: Schedule = "exponential"
    """How the rate goes."""
    decay_from: float = 0.6
    """Share of the run after which the exponential schedule decays."""
    final_lr: float = 0.001
    """Last rate as a share of `--lr` (exponential and cosine)."""
    warm_up: float = 0.0
    """Share of the run in which the rate rises."""
    ema: float = 0.0
    """Decay of the running mean of the weights that is kept; 0 keeps the weights."""
    freeze_norm: bool = False
    """Leave the backbone's batch norm statistics as they came."""
    freeze_stages: int = 0
    """Leave the first stages as they came; the stem is one."""

    # Augmentation.
    flip: bool = True
    """Mirror every second picture."""
    pad: int = 10
    """Shift pictures by up to this many pixels."""
    zoom: float = 0.0
    """Scale pictures by up to this share."""
    erase: float = 0.0
    """Share of the pictures with a rectangle erased."""
    brightness: float = 0.0
    """Vary the brightness by up to this share."""
    contrast: float = 0.0
    """Vary the contrast by up to this share."""
    saturation: float = 0.0
    """Vary the saturation by up to this share."""
    gain: float = 0.0
    """Vary each colour channel by exp(N(0, this))."""
    grey: float = 0.0
    """Share of the pictures turned grey."""


@dataclass(frozen=True, slots=True)
class Recipe(Learning):
    """A named way to train; ``steps`` is how long it takes where no budget says it."""

    name: str
    summary: str
    steps: int = 25_000


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # Hermans et al. 2017, "In Defense of the Triplet Loss", section 4.1: 18 x 4 crops of
        # 256x128, soft margin on raw embeddings, Adam at 3e-4, and from iteration 15,000 of 25,000
        # on an exponential decay to a thousandth.
        Recipe("triplet", "batch-hard triplets alone, as in the paper that named them"),
        # Luo et al. 2019, "Bag of Tricks": what re-ID networks have been trained with since.
        Recipe(
            "strong",
            "with identity loss, BNNeck, last stride 1, warm-up and random erasing",
            p=16,
            steps=24_000,
            identity_weight=1.0,
            label_smoothing=0.1,
            last_stride=1,
            bnneck=True,
            lr=3.5e-4,
            weight_decay=5e-4,
            schedule="steps",
            warm_up=1 / 12,
            erase=0.5,
        ),
        # For a pretrained network and few people (see docs/training.md): with the batch norms'
        # own statistics a step is worth many that first have to learn them anew.
        Recipe(
            "finetune",
            "a pretrained network on few people: unit vectors, batch norms left as they are",
            p=16,
            size=(128, 64),
            steps=400,
            normalise=True,
            scale=10.0,
            identity_weight=1.0,
            label_smoothing=0.1,
            bnneck=True,
            lr=3.5e-4,
            weight_decay=5e-4,
            schedule="cosine",
            final_lr=0.01,
            warm_up=0.05,
            freeze_norm=True,
            freeze_stages=3,
            pad=6,
            erase=0.3,
            brightness=0.2,
            contrast=0.2,
            saturation=0.3,
            gain=0.1,
        ),
    )
}


CHANGEABLE: tuple[str, ...] = tuple(field.name for field in fields(Learning))
"""What a run may have another value of; how long it is, its budget says."""


def recipe_of(name: str, **changes: Any) -> Recipe:
    """The recipe ``name``, with other values where ``changes`` has them.

    Raises:
        InputError: there is no such recipe, or no such value.
    """
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}; use one of {', '.join(RECIPES)}.")
    for change in changes:
        if change not in CHANGEABLE:
            raise InputError(
                f"A recipe has no value {change!r}; these can be changed: {', '.join(CHANGEABLE)}."
            )
    return replace(RECIPES[name], **changes)
