"""Several processes that give what one would: gathered embeddings, shared batch statistics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function


class _Gather(Function):
    """All processes' rows, in the order of their ranks; each gets its own rows' gradient back.

    Every process computes the same loss from the gathered rows, and the mean of the parameters'
    gradients over processes is taken after this, so the gradient is multiplied by their number:
    the mean of those is the gradient of the one loss.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.n_rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        start = distributed.get_rank() * ctx.n_rows
        return gradients[0][start : start + ctx.n_rows] * distributed.get_world_size()


class _Sum(Function):
    """The sum over processes; its gradient is the sum of the gradients of every process."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total


def n_processes() -> int:
    """How many processes train together."""
    ready = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if ready else 1


def gather(rows: Tensor) -> Tensor:
    """The rows of all processes, shape (n_processes * n, ...), of this one's (n, ...).

    For a loss that every process computes alike from all rows, under a wrapper that averages the
    parameters' gradients over the processes, as DistributedDataParallel does.
    """
    return _Gather.apply(rows) if n_processes() > 1 else rows


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with the statistics of all processes' maps, on any device.

    torch has ``SyncBatchNorm`` for GPUs alone; this is its formula with gloo's sums.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps, shape (n, c, h, w), normalised."""
        if not self.training or n_processes() == 1:
            return super().forward(x)
        n = x.numel() // x.shape[1] * n_processes()
        mean = _Sum.apply(x.sum(dim=(0, 2, 3))) / n
        centred = x - mean.view(1, -1, 1, 1)
        variance = _Sum.apply(centred.square().sum(dim=(0, 2, 3))) / n
        if self.running_mean is not None and self.running_var is not None:
            momentum = 0.1 if self.momentum is None else self.momentum
            with torch.no_grad():
                self.running_mean.lerp_(mean.detach(), momentum)
                self.running_var.lerp_(variance.detach() * n / (n - 1), momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        y = centred * (variance + self.eps).rsqrt().view(1, -1, 1, 1)
        return y * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


def share_statistics(module: nn.Module, device: torch.device) -> nn.Module:
    """``module`` with its batch norms over maps replaced by ones that all processes share."""
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return converted
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = SharedBatchNorm2d
    return module
