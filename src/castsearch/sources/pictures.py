"""Pictures in folders of any depth, with no cast and no truth: what there is to embed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import shown
from castsearch.sources.layouts import AnyLayout, Layout
from castsearch.sources.movies import holds_movies
from castsearch.sources.paths import Fence, is_file, is_folder, listing
from castsearch.types import Problem, Still


def layout_of_movies(source: str | Path, layout: AnyLayout) -> Layout | None:
    """What to read ``source`` by as movies; ``None`` where it is to be read as pictures.

    That is where it is asked for, or where nothing is and ``source`` has no layout of movies.
    """
    if layout == "pictures" or (layout == "auto" and not holds_movies(source)):
        return None
    return layout


def read_pictures(source: str | Path, *, problems: list[Problem] | None = None) -> list[Still]:
    """The picture ``source``, or every picture below that folder, sorted by path.

    Ids are the paths relative to ``source``, with slashes; a single picture has its name.

    Args:
        source: A picture or a folder.
        problems: Takes a sentence for each picture that is left out.

    Raises:
        InputError: ``source`` is missing, cannot be listed, or holds no picture.
    """
    root = Path(source).absolute()
    if is_file(root):
        return [Still(shown(root.name), root)]
    if not is_folder(root):
        raise InputError(f"{shown(source)} does not exist; give a picture or a folder.")
    fence = Fence(root)
    kept: list[Still] = []
    for path in _below(root, fence, set()):
        objection = fence.objection(path)
        if objection is None:
            kept.append(Still(shown(path.relative_to(root).as_posix()), path))
        elif problems is not None:
            message = f"The picture {shown(path)} {objection}; it is left out."
            problems.append(Problem(shown(path), message))
    if not kept:
        raise InputError(f"No picture was found in {shown(source)} or the folders in it.")
    return sorted(kept, key=lambda still: still.id)


def _below(folder: Path, fence: Fence, seen: set[str]) -> Iterator[Path]:
    """Pictures of ``folder`` and the folders in it; each once, so a link upwards ends."""
    real = os.path.realpath(folder)
    if real in seen or not fence.holds(folder):
        return
    seen.add(real)
    pictures, folders = listing(folder)
    yield from pictures
    for inner in folders:
        yield from _below(inner, fence, seen)
