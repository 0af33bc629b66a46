"""Pictures of known people for re-identification: who, by which camera, for which use.

Three layouts: Market-1501 (``bounding_box_train/0002_c1s1_000451_03.jpg``, ``query``,
``bounding_box_test``), folders per person in ``train`` and ``val`` (``val/004/01_3.png``: camera 1,
direction 3), and plain folders per person (``ada/1.jpg``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from castsearch.errors import InputError
from castsearch.runtime.oserrors import shown
from castsearch.sources.paths import Fence, is_folder, listing
from castsearch.types import Problem

Split = Literal["train", "query", "gallery"]

MARKET_FOLDERS: dict[str, Split] = {
    "bounding_box_train": "train",
    "query": "query",
    "bounding_box_test": "gallery",
}
# Market-1501 and those named alike: identity (-1 is junk, 0000 a distractor), then camera.
_MARKET_NAME = re.compile(r"(-1|\d+)_c(\d+)")
# Camera and direction or number; longer numbers are no cameras (VGGFace2 has 0001_01.jpg).
_CAMERA_NAME = re.compile(r"(\d{1,2})_\d{1,2}")


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of one person.

    ``identity`` is as the files have it; ``-1`` (junk) and ``0000`` (distractors) of Market-1501
    are kept as they are. ``camera`` is ``None`` where the files tell none.
    """

    path: Path
    identity: str
    camera: int | None
    split: Split


def read_identities(source: str | Path, *, problems: list[Problem] | None = None) -> list[Sample]:
    """Every picture of a data set of known people, sorted by split and path.

    Of a ``val`` folder the pictures of its first camera are queries and those of other cameras the
    gallery; where the names tell no camera, the first picture of each person is a query and the
    others are the gallery. Plain folders per person are all ``train``.

    Args:
        source: Root of the data set.
        problems: Takes a sentence for each picture that is left out.

    Raises:
        InputError: ``source`` is missing, cannot be listed, or has none of the layouts.
    """
    root = Path(source).absolute()
    if not is_folder(root):
        raise InputError(f"{shown(source)} is no folder; give the root of a data set.")
    found = list(_samples(root))
    fence = Fence(root)
    kept = []
    for sample, objection in ((s, fence.objection(s.path)) for s in found):
        if objection is None:
            kept.append(sample)
        elif problems is not None:
            message = f"The picture {shown(sample.path)} {objection}; it is left out."
            problems.append(Problem(shown(sample.path), message))
    if not kept:
        raise InputError(
            f"No pictures of known people were found in {shown(source)}; looked for "
            "bounding_box_train, query and bounding_box_test (Market-1501), for folders per person "
            "in train and val, and for folders per person."
        )
    order = {"train": 0, "query": 1, "gallery": 2}
    return sorted(kept, key=lambda sample: (order[sample.split], sample.path))


def _samples(root: Path) -> Iterator[Sample]:
    if any(is_folder(root / name) for name in MARKET_FOLDERS):
        for name, split in MARKET_FOLDERS.items():
            if is_folder(root / name):
                yield from _market(root / name, split)
    elif is_folder(root / "train") or is_folder(root / "val"):
        if is_folder(root / "train"):
            yield from _people(root / "train")
        if is_folder(root / "val"):
            yield from _validation(root / "val")
    else:
        yield from _people(root)


def _market(folder: Path, split: Split) -> Iterator[Sample]:
    for path in listing(folder)[0]:
        name = _MARKET_NAME.match(path.name)
        if name is None:
            raise InputError(
                f"{shown(path)}: the name is not of Market-1501's form; expected the person and "
                "the camera first, as in 0002_c1s1_000451_03.jpg."
            )
        yield Sample(path, name[1], int(name[2]), split)


def _people(folder: Path) -> Iterator[Sample]:
    """All pictures of all people, one folder each, as training pictures."""
    for person in listing(folder)[1]:
        for path in listing(person)[0]:
            yield Sample(path, shown(person.name), _camera(path), "train")


def _validation(folder: Path) -> Iterator[Sample]:
    samples = list(_people(folder))
    first_camera = min((s.camera for s in samples if s.camera is not None), default=None)
    seen: set[str] = set()
    for s in samples:
        asked = s.identity not in seen if s.camera is None else s.camera == first_camera
        seen.add(s.identity)
        yield Sample(s.path, s.identity, s.camera, "query" if asked else "gallery")


def _camera(path: Path) -> int | None:
    if name := _CAMERA_NAME.fullmatch(path.stem):
        return int(name[1])
    name = _MARKET_NAME.match(path.stem)
    return int(name[2]) if name else None
