from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from castsearch.encoders.face_onnx import as_batch
from castsearch.errors import InputError
from castsearch.models.config import BY_NAME
from castsearch.training.augment import Augmentation, Preparation, check, pixel_statistics
from castsearch.training.recipes import RECIPES, Recipe

STILL = Recipe("still", "", size=(64, 32), flip=False, pad=0)
LITE0 = pixel_statistics("efficientnet-lite0")


def batch(n: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 64, 32, 3), generator=generator, dtype=torch.uint8)


def test_pictures_are_prepared_as_ranking_prepares_them() -> None:
    pixels = batch(3)
    expected = as_batch(list(pixels.numpy()), BY_NAME["efficientnet-lite0"])
    torch.testing.assert_close(Preparation(LITE0)(pixels), torch.from_numpy(expected))


def test_imagenet_statistics_for_networks_without_a_model() -> None:
    mean, std = pixel_statistics("resnet50")
    assert [round(m / 255, 3) for m in mean] == [0.485, 0.456, 0.406]
    assert [round(s / 255, 3) for s in std] == [0.229, 0.224, 0.225]


def test_nothing_is_varied_unless_asked_for() -> None:
    pixels = batch()
    torch.testing.assert_close(Augmentation(STILL, LITE0)(pixels), Preparation(LITE0)(pixels))


def test_flips_are_mirror_images_of_about_half() -> None:
    pixels = batch(64)
    plain = Preparation(LITE0)(pixels)
    torch.manual_seed(0)
    varied = Augmentation(replace(STILL, flip=True), LITE0)(pixels)
    same = [torch.equal(v, p) for v, p in zip(varied, plain, strict=True)]
    mirrored = [torch.equal(v, p.flip(2)) for v, p in zip(varied, plain, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 16 < sum(mirrored) < 48


def test_erased_pixels_are_the_mean() -> None:
    pixels = torch.full((32, 64, 32, 3), 255, dtype=torch.uint8)
    torch.manual_seed(0)
    varied = Augmentation(replace(STILL, erase=1.0), LITE0)(pixels)
    white = 1.0
    erased = (varied == 0).all(dim=1)
    assert ((varied - white).abs() < 1e-6).all(dim=1).logical_or(erased).all()
    shares = erased.float().mean(dim=(1, 2))
    assert (shares > 0.01).all()
    assert (shares < 0.4).all()


def test_a_shift_moves_by_no_more_than_was_padded() -> None:
    pixels = torch.zeros(64, 64, 32, 3, dtype=torch.uint8)
    pixels[:, 32, 16] = 255
    torch.manual_seed(0)
    varied = Augmentation(replace(STILL, pad=3), LITE0)(pixels)
    places = torch.stack([(picture[0] > 0).nonzero()[0] for picture in varied])
    moved = places - torch.tensor([32, 16])
    assert moved.abs().max() == 3
    assert len(moved.unique(dim=0)) > 10


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_keeps_shape_and_range_and_follows_the_seed(name: str) -> None:
    recipe = replace(RECIPES[name], size=(64, 32))
    augmentation = Augmentation(recipe, LITE0)
    pixels = batch()
    torch.manual_seed(3)
    first = augmentation(pixels)
    assert first.shape == (16, 3, 64, 32)
    assert first.min() >= -127 / 128
    assert first.max() <= 1.0
    assert not torch.equal(augmentation(pixels), first)
    torch.manual_seed(3)
    assert torch.equal(augmentation(pixels), first)


@pytest.mark.parametrize(
    "wrong", [{"erase": 1.5}, {"grey": -0.1}, {"brightness": 1.0}, {"pad": -1}, {"gain": -1.0}]
)
def test_amounts_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        check(replace(STILL, **wrong))
