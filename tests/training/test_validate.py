"""Embedding and scoring of the validation split, with a network whose vectors are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from castsearch.training.augment import Preparation
from castsearch.training.cache import Pictures
from castsearch.training.splits import Picture
from castsearch.training.validate import PICTURES_AT_ONCE, embed, validate

CPU = torch.device("cpu")
# Pixels as they are, over 255.
PLAIN = Preparation(((0.0, 0.0, 0.0), (255.0, 255.0, 255.0)))


class Corners(nn.Module):
    """The red of the upper left and of the upper right pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0, 0, 0], x[:, 0, 0, -1]], dim=1)


def pictures(*people: tuple[str, int | None, int, int]) -> Pictures:
    """Two pixels each: identity, camera, red of the left one, red of the right one."""
    pixels = np.zeros((len(people), 1, 2, 3), dtype=np.uint8)
    for row, (_, _, left, right) in zip(pixels, people, strict=True):
        row[0, :, 0] = left, right
    listed = tuple(Picture(Path(f"{i}.png"), p[0], p[1]) for i, p in enumerate(people))
    return Pictures(listed, np.arange(len(people)), pixels)


def test_vectors_are_of_unit_length() -> None:
    vectors = embed(Corners(), pictures(("a", 1, 30, 40), ("b", 1, 0, 255)), PLAIN, CPU)
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 1]], atol=1e-6)
    assert vectors.dtype == np.float32


def test_the_mirror_image_is_added_before_the_length_is_taken() -> None:
    vectors = embed(Corners(), pictures(("a", 1, 30, 40)), PLAIN, CPU, flip=True)
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5]], atol=1e-6)


def test_every_picture_has_its_row_over_the_edge_of_a_batch() -> None:
    n = PICTURES_AT_ONCE + 3
    vectors = embed(Corners(), pictures(*[("a", 1, i + 1, 100) for i in range(n)]), PLAIN, CPU)
    left = np.arange(1, n + 1)
    np.testing.assert_allclose(vectors[:, 0], left / np.hypot(left, 100), atol=1e-6)


def test_a_vector_that_is_not_finite_is_told() -> None:
    class Broken(Corners):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) / 0.0

    with pytest.raises(FloatingPointError):
        embed(Broken(), pictures(("a", 1, 30, 40)), PLAIN, CPU)


def test_the_score_by_hand() -> None:
    query = pictures(("a", 1, 100, 0), ("b", 1, 0, 100))
    # For a the right one is second, since the picture by a's own camera is no answer and no rival.
    # For b two are first, then comes a's (cosine 0.55), then b's third (0.11).
    gallery = pictures(
        ("b", 2, 90, 10), ("a", 2, 60, 40), ("b", 3, 0, 100), ("b", 2, 10, 90), ("a", 1, 100, 0)
    )
    network = Corners().train()
    score = validate(network, query, gallery, PLAIN, CPU)
    assert score.mAP == pytest.approx((1 / 2 + (1 / 1 + 2 / 2 + 3 / 4) / 3) / 2)
    assert score.rank1 == pytest.approx(1 / 2)
    assert not network.training
