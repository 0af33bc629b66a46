"""Frames of films."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from castsearch.types import ImageArray, Picture


def frames(
    path: Path, numbers: Sequence[int], *, max_megapixels: float = 100.0
) -> Iterator[tuple[int, ImageArray]]:
    """Stub."""
    yield from ()


def picture_key(picture: Picture) -> str:
    """Stub."""
    return ""
