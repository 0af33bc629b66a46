"""Delete what is kept of people's pictures."""

from __future__ import annotations

from pathlib import Path

from castsearch.errors import ImageError
from castsearch.read import read
from castsearch.read.images import content_hash, read_bytes
from castsearch.store import Store


def forget(
    source: str | Path, *, layout: str = "auto", store: Path | None = None
) -> tuple[int, int]:
    """Delete every result of the pictures in ``source``; counts of pictures and of results."""
    pictures = set()
    for movie in read(source, layout=layout):
        stills = [s for member in movie.cast for s in member.portraits]
        stills += [*movie.stills, *(c.still for c in movie.candidates if c.problem is None)]
        for path in {still.path for still in stills}:
            try:
                pictures.add(content_hash(read_bytes(path)))
            except ImageError:
                continue  # nothing was ever stored of a picture that cannot be read
    with Store(store) as kept:
        return len(pictures), kept.forget(pictures)
