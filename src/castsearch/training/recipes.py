"""Named ways to train, as data; every value can be replaced on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from castsearch.training.networks import NetworkOptions

Schedule = Literal["constant", "exponential", "steps", "cosine"]
Precision = Literal["no", "fp16", "bf16"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    Amounts of time are shares of the run, so that a short run goes through the same phases as a
    long one. ``steps`` is how long the run is when neither steps, epochs nor minutes are asked for.
    """

    name: str
    summary: str
    p: int = 18
    k: int = 4
    size: tuple[int, int] = (256, 128)
    steps: int = 25_000

    # Losses: batch-hard triplets, with a margin or the soft one, on features before the neck; the
    # identity loss and the supervised contrastive loss after it.
    margin: float | Literal["soft"] = "soft"
    normalise: bool = False
    scale: float = 1.0
    """Length that ``normalise`` gives the embeddings; distances go up to twice that."""
    triplet_weight: float = 1.0
    identity_weight: float = 0.0
    label_smoothing: float = 0.0
    contrast_weight: float = 0.0
    temperature: float = 0.1
    cross_camera: bool = False
    """Whether pictures of a person by one camera are no positives of the contrastive loss."""

    # Head and last stage of the network.
    embedding_dim: int = 0
    last_stride: Literal[1, 2] = 2
    bnneck: bool = False
    pooling: Literal["avg", "gem"] = "avg"

    # Optimisation: Adam, and how its rate goes.
    lr: float = 3e-4
    head_lr: float = 1.0
    """Rate of the embedding, neck and classifier, as a multiple of ``lr``."""
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: Schedule = "exponential"
    decay_from: float = 0.6
    final_lr: float = 0.001
    """The last rate, as a share of ``lr`` (exponential and cosine)."""
    warm_up: float = 0.0
    ema: float = 0.0
    """Decay of the running mean of the weights that is validated and kept; 0 keeps the weights."""
    freeze_norm: bool = False
    """Whether batch norms of the backbone keep the statistics that they came with."""
    freeze_stages: int = 0
    """How many of the first stages keep their weights (the stem counts as one)."""

    # Augmentation, in pixels (pad) or as shares.
    flip: bool = True
    pad: int = 10
    zoom: float = 0.0
    erase: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    gain: float = 0.0
    grey: float = 0.0

    def network(self, arch: str) -> NetworkOptions:
        """What the network is made of."""
        return NetworkOptions(arch, self.embedding_dim, self.last_stride, self.bnneck, self.pooling)


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
