"""Augmentation of whole batches with kornia, drawn from torch's global random state."""

from __future__ import annotations

import kornia.augmentation as kornia
import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.models.config import BY_NAME
from castsearch.training.recipes import Recipe
from castsearch.types import ImageArray

# Mean and deviation of ImageNet's pixels, which torchvision's networks are trained with.
_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))

Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]


def pixel_statistics(arch: str) -> Statistics:
    """Mean and deviation that pixels 0..255, RGB, are prepared with for a backbone."""
    model = BY_NAME.get(arch)
    return _IMAGENET if model is None else (model.mean, model.std)


class Augmentation(nn.Module):
    """Pixels to the input of a network, varied at random.

    Flip, shift (padding, then a crop of the old size), zoom, colour, then, on normalised pixels, a
    random rectangle erased to the mean. Random numbers are drawn on the CPU, so that they are the
    same whatever the device.

    Args:
        recipe: How much of each; its ``size`` is that of the pictures.
        statistics: Mean and deviation of pixels 0..255.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.prepare = Preparation(statistics)
        shapes: list[nn.Module] = []
        if recipe.flip:
            shapes.append(kornia.RandomHorizontalFlip(p=0.5))
        if recipe.pad:
            shapes.append(
                kornia.RandomCrop(recipe.size, padding=recipe.pad, padding_mode="replicate")
            )
        if recipe.zoom:
            low, high = 1 - recipe.zoom, 1 + recipe.zoom
            shapes.append(
                kornia.RandomAffine(degrees=0.0, scale=(low, high), padding_mode="border", p=1.0)
            )
        colours = recipe.brightness, recipe.contrast, recipe.saturation
        if any(colours):
            # Hue is left: it costs ten times the others, and clothes are known by their hue.
            shapes.append(kornia.ColorJiggle(*colours, 0.0, p=1.0))
        self.vary = nn.Sequential(*shapes)
        self.gain = recipe.gain
        self.grey = kornia.RandomGrayscale(p=recipe.grey) if recipe.grey else None
        self.erase = kornia.RandomErasing(p=recipe.erase) if recipe.erase else None

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> Tensor:
        """Pictures (n, h, w, 3), uint8, to network input (n, 3, h, w), float32."""
        x = self.vary(unit(pixels))
        if self.gain:
            # Cameras differ in their white: each channel is made lighter or darker by itself.
            draw = torch.randn(len(x), 3, 1, 1).to(x.device)
            x = (x * torch.exp(self.gain * draw)).clamp_(0.0, 1.0)
        if self.grey is not None:
            x = self.grey(x)
        x = self.prepare.normalised(x)
        if self.erase is not None:
            x = self.erase(x)
        return x.contiguous(memory_format=torch.channels_last)


class Preparation(nn.Module):
    """Pixels to the input of a network, as they are."""

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) / 255 for values in statistics)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def normalised(self, x: Tensor) -> Tensor:
        """Pictures in 0..1, shape (n, 3, h, w), with the mean taken off, over the deviation."""
        return (x - self.mean) / self.std

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> Tensor:
        """Pictures (n, h, w, 3), uint8, to network input (n, 3, h, w), float32."""
        return self.normalised(unit(pixels))


def unit(pixels: Tensor) -> Tensor:
    """Pictures (n, h, w, 3), uint8, as (n, 3, h, w), float32, in 0..1, channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)


def on_device(pixels: ImageArray, device: torch.device) -> Tensor:
    """An array of pixels as a tensor there."""
    return torch.from_numpy(pixels).to(device, non_blocking=True)


def check(recipe: Recipe) -> None:
    """Refuse values that no augmentation can have.

    Raises:
        InputError: a share outside 0..1, or a negative amount.
    """
    for name in ("erase", "grey"):
        if not 0.0 <= getattr(recipe, name) <= 1.0:
            raise InputError(f"--{name} is a share of the pictures, 0 to 1.")
    for name in ("brightness", "contrast", "saturation", "zoom"):
        if not 0.0 <= getattr(recipe, name) < 1.0:
            raise InputError(f"--{name} must be from 0 to below 1.")
    if recipe.pad < 0 or recipe.gain < 0:
        raise InputError("--pad and --gain must be 0 or more.")
