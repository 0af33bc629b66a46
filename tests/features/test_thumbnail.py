"""Small JPEG files: their size, and that they show the crop."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castsearch.features.thumbnail import thumbnail
from castsearch.sources.images import decode, read_bytes


def opened(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 50), (100, 50)),
        ((240, 240), (240, 240)),
        ((480, 241), (240, 120)),
        ((500, 1000), (120, 240)),
        ((1, 1000), (1, 240)),
        ((1, 1), (1, 1)),
        ((3000, 2999), (240, 240)),
    ],
)
def test_the_longer_side_is_at_most_240(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (200, 100, 50), np.uint8)
    small = opened(thumbnail(image))
    assert small.shape == (*expected, 3)
    # Colours stay in their order: red is red.
    assert np.abs(small.astype(int) - (200, 100, 50)).max() <= 3


def test_it_shows_the_picture(collins: Path) -> None:
    image = decode(read_bytes(collins), collins.name)
    small = opened(thumbnail(image))
    expected = np.asarray(Image.fromarray(image).resize((240, 240), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - expected).mean() < 6
