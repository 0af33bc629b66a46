"""The batch-hard triplet loss, with or without an identity loss, and what shows how it fares."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn

from castsearch.training.recipes import Margin


class ExactEuclidean(LpDistance):
    """Euclidean distances from differences.

    torch's default takes |a|^2 + |b|^2 - 2 a.b from 25 rows on, which loses the small distances
    that batch-hard mining is about: in float32 equal vectors come out 0.01 apart and more.

    Args:
        normalise: Whether embeddings are scaled to the length ``scale`` first.
        scale: That length.
    """

    def __init__(self, *, normalise: bool, scale: float = 1.0) -> None:
        super().__init__(normalize_embeddings=normalise)
        self.scale = scale

    def normalize(self, embeddings: Tensor, dim: int = 1, **_: object) -> Tensor:
        """Embeddings, shape (n, dim), scaled to the same length."""
        return self.scale * nn.functional.normalize(embeddings, dim=dim)

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor | None) -> Tensor:
        """Distances, shape (n_query, n_ref), of embeddings (n, dim)."""
        return torch.cdist(
            query_emb,
            query_emb if ref_emb is None else ref_emb,
            compute_mode="donot_use_mm_for_euclid_dist",
        )


@dataclass(frozen=True, slots=True)
class TripletTerms:
    """The loss of one batch, and what is logged of it, each a scalar tensor.

    ``active`` is the share of anchors whose hardest triplet violates the margin (with the soft
    margin: whose hardest positive is farther than the hardest negative); ``positive`` is the mean
    distance to the hardest positive.
    """

    loss: Tensor
    active: Tensor
    positive: Tensor


class BatchHard(nn.Module):
    """The batch-hard triplet loss of Hermans et al. 2017, equation 5; anchors are averaged.

    Each anchor a takes its farthest positive p and its nearest negative n; its loss is
    [m + D(a, p) - D(a, n)]_+, or ln(1 + exp(D(a, p) - D(a, n))) with the soft margin. The paper
    prints the sum over anchors and its published program takes the mean; the mean is taken here,
    over all anchors, those without loss included, so that P and K do not change its scale.

    Args:
        margin: The margin m, or "soft".
        normalise: Whether embeddings are scaled to the length ``scale`` first; the paper leaves
            them as they are.
        scale: That length. Distances of unit vectors end at 2, where the soft margin still pulls;
            a length of 10 lets it be content.
    """

    def __init__(
        self, margin: Margin = "soft", *, normalise: bool = False, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.soft = margin == "soft"
        self.margin = 0.0 if margin == "soft" else float(margin)
        distance = ExactEuclidean(normalise=normalise, scale=scale)
        self.miner = BatchHardMiner(distance=distance)
        self.loss = TripletMarginLoss(
            self.margin, smooth_loss=self.soft, distance=distance, reducer=MeanReducer()
        )
        self.distance = distance

    @property
    def collapsed_loss(self) -> float:
        """The loss when all embeddings are alike: the margin, or ln 2 with the soft margin."""
        return math.log(2.0) if self.soft else self.margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> TripletTerms:
        """Loss of embeddings, shape (n, dim), floating, of identities ``labels``, shape (n,)."""
        anchor, positive, negative = triplets = self.miner(embeddings, labels)
        loss = self.loss(embeddings, labels, triplets)
        with torch.no_grad():
            compared = self.distance.maybe_normalize(embeddings.detach())
            farthest = torch.linalg.vector_norm(compared[anchor] - compared[positive], dim=1)
            nearest = torch.linalg.vector_norm(compared[anchor] - compared[negative], dim=1)
            active = (farthest + self.margin > nearest).float().mean()
        return TripletTerms(loss, active, farthest.mean())


class SupervisedContrast(nn.Module):
    """The supervised contrastive loss of Khosla et al. 2020, equation 2 (L_out).

    Each picture picks its positives out of all other pictures of the batch, by the softmax of the
    cosines over ``temperature``; the mean of -log of their shares, over positives, then anchors.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, embeddings: Tensor, labels: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Loss of embeddings, shape (n, dim), of identities ``labels``, shape (n,).

        With ``cameras``, shape (n,), -1 where unknown, pictures of a person by the same camera are
        no positives: they look alike anyway. A picture without positives is no anchor.
        """
        unit = nn.functional.normalize(embeddings, dim=1)
        itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        similar = (unit @ unit.T / self.temperature).masked_fill(itself, -torch.inf)
        shares = similar - torch.logsumexp(similar, dim=1, keepdim=True)
        positive = (labels[:, None] == labels) & ~itself
        if cameras is not None:
            positive &= (cameras[:, None] != cameras) | (cameras < 0)
        n_positives = positive.sum(dim=1)
        # Where it is masked a share is minus infinity, and zero times that would be NaN.
        each = -shares.masked_fill(~positive, 0.0).sum(dim=1) / n_positives.clamp(min=1)
        return each.sum() / (n_positives > 0).sum().clamp(min=1)


def spread(embeddings: Tensor) -> Tensor:
    """How far embeddings, shape (n, dim), lie apart: 0 when all are alike, 1 at the most.

    The root mean square distance to their mean, divided by their root mean square length.
    """
    centred = embeddings - embeddings.mean(dim=0)
    length = embeddings.square().sum(dim=1).mean().sqrt()
    return centred.square().sum(dim=1).mean().sqrt() / length.clamp(min=1e-12)


class CollapseWatch:
    """Tells when a run has collapsed: all embeddings alike, and the loss where that leaves it.

    Args:
        collapsed_loss: What the triplet loss is then (:attr:`BatchHard.collapsed_loss`).
        n_steps: How many steps in a row it must be so; a run may pass there at its start.
    """

    NEAR = 0.02

    def __init__(self, collapsed_loss: float, n_steps: int = 20) -> None:
        self.collapsed_loss = collapsed_loss
        self._recent: deque[bool] = deque(maxlen=n_steps)

    def sees(self, loss: float, positive: float) -> bool:
        """Whether the run has collapsed, given a step's triplet loss and hardest positives.

        It has when the farthest positives lie no farther apart than 2 % of the collapsed loss, and
        the loss differs from it by no more than that, in the last ``n_steps`` calls.
        """
        near = abs(loss - self.collapsed_loss) <= self.NEAR * self.collapsed_loss
        alike = positive <= self.NEAR * self.collapsed_loss
        self._recent.append(near and alike)
        return len(self._recent) == self._recent.maxlen and all(self._recent)
