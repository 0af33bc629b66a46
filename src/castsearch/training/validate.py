"""How well a network finds the people of the validation split."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from castsearch.metrics.market1501 import MarketScore, score_market
from castsearch.training.augment import Preparation, on_device
from castsearch.training.cache import Pictures
from castsearch.types import FloatArray

PICTURES_AT_ONCE = 64


def embed(
    network: nn.Module,
    pictures: Pictures,
    preparation: Preparation,
    device: torch.device,
    *,
    flip: bool = False,
) -> FloatArray:
    """Vectors as retrieval uses them, shape (n, dim), float32, L2-normalised.

    Args:
        network: In evaluation mode.
        pictures: What to embed.
        preparation: Of the pixels.
        device: Where the network is.
        flip: Whether the vector of the mirror image is added.

    Raises:
        FloatingPointError: a vector holds NaN or infinity.
    """
    vectors = []
    with torch.no_grad():
        for start in range(0, len(pictures.listed), PICTURES_AT_ONCE):
            stop = min(start + PICTURES_AT_ONCE, len(pictures.listed))
            images = preparation(on_device(pictures.take(range(start, stop)), device))
            output = network(images)
            if flip:
                output = output + network(images.flip(3))
            vectors.append(nn.functional.normalize(output.float(), dim=1).cpu().numpy())
    embeddings = np.concatenate(vectors)
    if not np.isfinite(embeddings).all():
        raise FloatingPointError("an embedding is not finite")
    return embeddings


def validate(
    network: nn.Module,
    query: Pictures,
    gallery: Pictures,
    preparation: Preparation,
    device: torch.device,
    *,
    flip: bool = False,
) -> MarketScore:
    """The score of the validation split; ``network`` is left in evaluation mode.

    Raises:
        InputError: no query has a right answer in the gallery.
        FloatingPointError: a vector holds NaN or infinity.
    """
    network.eval()
    queries, others = (
        embed(network, split, preparation, device, flip=flip) for split in (query, gallery)
    )
    return score_market(
        queries,
        [p.identity for p in query.listed],
        [p.camera for p in query.listed],
        others,
        [p.identity for p in gallery.listed],
        [p.camera for p in gallery.listed],
    )
