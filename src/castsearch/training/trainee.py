"""What one training step computes: network, losses and figures in one module to be wrapped."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.networks.lite0 import blocks
from castsearch.training.efficientnet import EfficientNetLite0
from castsearch.training.losses import BatchHard, SupervisedContrast, spread
from castsearch.training.networks import ReidNetwork
from castsearch.training.parallel import gather
from castsearch.training.recipes import Recipe


class Trainee(nn.Module):
    """A network with its losses.

    One module, so that DistributedDataParallel sees the whole way from pictures to loss.

    Args:
        network: What is trained; it has a classifier where the recipe has an identity loss.
        recipe: Losses, and what stays as it is.

    Raises:
        InputError: more stages are to be frozen than there are.
    """

    def __init__(self, network: ReidNetwork, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self.batch_hard = BatchHard(recipe.margin, normalise=recipe.normalise, scale=recipe.scale)
        self.identity = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        self.contrast = SupervisedContrast(recipe.temperature)
        self.cross_camera = recipe.cross_camera
        self.weights = recipe.triplet_weight, recipe.identity_weight, recipe.contrast_weight
        early = early_modules(network, recipe.freeze_stages)
        for module in early:
            module.requires_grad_(False)
        norms = [m for m in network.backbone.modules() if isinstance(m, nn.BatchNorm2d)]
        # In evaluation mode a batch norm neither follows nor uses the batch's statistics.
        self._still = [*early, *(norms if recipe.freeze_norm else [])]

    def train(self, mode: bool = True) -> Self:
        """As of every module, but what is frozen stays in evaluation mode."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def forward(self, images: Tensor, labels: Tensor, cameras: Tensor) -> dict[str, Tensor]:
        """Loss and figures of one PK batch, each a scalar.

        Args:
            images: This process's share of the batch, shape (n, 3, h, w).
            labels: Identities of the whole batch, shape (n * n_processes,), int64.
            cameras: Likewise; -1 where unknown.

        Returns:
            "loss", and without gradient "triplet", "active", "positive", "spread" and, where they
            count, "identity" and "contrast"; over the whole batch, alike in every process.
        """
        features = self.network.features(images)
        # Mixed precision ends here: distances and their differences need all digits.
        features = gather(features.to(torch.promote_types(features.dtype, torch.float32)))
        terms = self.batch_hard(features, labels)
        figures = {
            "triplet": terms.loss.detach(),
            "active": terms.active,
            "positive": terms.positive,
            "spread": spread(features.detach()),
        }
        triplet_weight, identity_weight, contrast_weight = self.weights
        loss = triplet_weight * terms.loss
        if identity_weight or contrast_weight:
            vectors = self.network.neck(features)
        if contrast_weight:
            apart = cameras if self.cross_camera else None
            contrast = self.contrast(vectors, labels, apart)
            figures["contrast"] = contrast.detach()
            loss = loss + contrast_weight * contrast
        if self.network.classifier is not None:
            logits = self.network.classifier(vectors)
            identity = self.identity(logits.to(features.dtype), labels)
            figures["identity"] = identity.detach()
            loss = loss + identity_weight * identity
        return {"loss": loss, **figures}


def early_modules(network: ReidNetwork, n_stages: int) -> list[nn.Module]:
    """The modules of the first ``n_stages`` stages of the backbone; the stem is the first.

    Raises:
        InputError: the backbone has fewer stages.
    """
    backbone = network.backbone
    stages: list[list[nn.Module]]
    if isinstance(backbone, EfficientNetLite0):
        table = blocks(network.options.last_stride)
        stages = [[backbone._conv_stem, backbone._bn0]]
        for stage in sorted({block.stage for block in table}):
            stages.append(
                [backbone._blocks[i] for i, block in enumerate(table) if block.stage == stage]
            )
    else:
        stages = [[backbone.conv1, backbone.bn1]]
        stages += [[getattr(backbone, f"layer{i}")] for i in range(1, 5)]
    if not 0 <= n_stages <= len(stages):
        raise InputError(
            f"--freeze-stages {n_stages}: {network.options.arch} has {len(stages)} stages."
        )
    return [module for stage in stages[:n_stages] for module in stage]


class RunningMean:
    """The exponential running mean of a network's weights and statistics.

    Args:
        network: Whose; its present state is the start.
        decay: How much of the mean stays at each step; less in the first steps.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: t.detach().clone() for name, t in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the state of ``network`` after ``step`` (from 1)."""
        share = 1.0 - min(self.decay, step / (step + 10.0))
        for name, tensor in network.state_dict().items():
            mean = self.state[name]
            if mean.is_floating_point():
                mean.lerp_(tensor.to(mean.dtype), share)
            else:
                mean.copy_(tensor)
