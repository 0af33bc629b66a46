"""Every picture decoded and resized once, kept as one memory-mapped array of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.encoders.body import resized
from castsearch.errors import CastsearchError, ImageError
from castsearch.runtime.files import whole_file, whole_text_file
from castsearch.runtime.progress import Style, track
from castsearch.sources.images import content_hash, crop, decode, read_bytes
from castsearch.training.splits import Picture
from castsearch.types import Box, ImageArray, Problem

_VERSION = 1
_PART = 256


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that could be decoded, and where their pixels lie.

    ``rows[i]`` is the row of ``listed[i]`` in ``pixels``, an array of shape (n, height, width, 3),
    uint8, RGB, read-only and memory-mapped.
    """

    listed: tuple[Picture, ...]
    rows: NDArray[np.int64]
    pixels: ImageArray
    problems: tuple[Problem, ...] = ()

    def take(self, indices: Sequence[int]) -> ImageArray:
        """Pixels of ``listed[i]`` for each i, shape (len(indices), height, width, 3), a copy."""
        return self.pixels[self.rows[np.asarray(indices, dtype=np.int64)]]

    def only(self, pictures: Iterable[Picture]) -> Pictures:
        """Those that are among ``pictures``, in their present order."""
        wanted = set(pictures)
        indices = [i for i, picture in enumerate(self.listed) if picture in wanted]
        return replace(self, listed=tuple(self.listed[i] for i in indices), rows=self.rows[indices])


def load(
    pictures: Sequence[Picture],
    size: tuple[int, int],
    folder: Path,
    *,
    progress: Style = "quiet",
    name: str = "pictures",
) -> Pictures:
    """Pixels of ``pictures``, from the cache file in ``folder`` or decoded into one.

    The file's name holds a hash of what every picture file contains, of the boxes and of
    ``size``, so that a changed picture, or another list, makes another file. It is written under
    a temporary name and renamed.

    Args:
        pictures: What to decode; unreadable ones are left out and named in ``problems``.
        size: Height and width in pixels; crops are stretched to it.
        folder: Where cache files lie; made if missing.
        progress: How decoding is shown.
        name: What the pictures are called in the progress.

    Raises:
        CastsearchError: the cache cannot be written (a full disk, a folder without permission).
    """
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(_hash, [p.path for p in pictures]))
    file = folder / f"pictures-{_key(pictures, hashes, size)}.npy"
    index = file.with_suffix(".json")
    try:
        if not (file.is_file() and index.is_file()):
            folder.mkdir(parents=True, exist_ok=True)
            _write(pictures, hashes, size, file, index, progress, name)
        pixels: ImageArray = np.load(file, mmap_mode="r")
        unreadable = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CastsearchError(
            f"{file}: the cache of decoded pictures cannot be kept ({reason}); make room, delete "
            "the file, or give another --cache."
        ) from error
    problems = [
        Problem(str(pictures[int(i)].path), f"{message} The picture is left out.")
        for i, message in unreadable.items()
    ]
    rows = [i for i in range(len(pictures)) if str(i) not in unreadable]
    listed = tuple(pictures[i] for i in rows)
    return Pictures(listed, np.asarray(rows, dtype=np.int64), pixels, tuple(problems))


def _hash(path: Path) -> str:
    """The content's hash, or what keeps it from being read."""
    try:
        return content_hash(read_bytes(path))
    except ImageError as error:
        return str(error)


def _key(pictures: Sequence[Picture], hashes: Sequence[str], size: tuple[int, int]) -> str:
    boxes = [None if p.box is None else (p.box.x0, p.box.y0, p.box.x1, p.box.y1) for p in pictures]
    listing = json.dumps([_VERSION, size, list(hashes), boxes])
    return hashlib.sha256(listing.encode()).hexdigest()[:24]


def _write(
    pictures: Sequence[Picture],
    hashes: Sequence[str],
    size: tuple[int, int],
    file: Path,
    index: Path,
    progress: Style,
    name: str,
) -> None:
    # Boxes of one still lie next to each other, so that it is decoded once.
    by_file: dict[str, list[int]] = {}
    for i, digest in enumerate(hashes):
        by_file.setdefault(digest, []).append(i)
    groups = list(by_file.values())
    unreadable: dict[int, str] = {}

    def decoded(group: list[int]) -> list[tuple[int, ImageArray | str]]:
        return _decoded([(i, pictures[i]) for i in group], size)

    n_bytes = size[0] * size[1] * 3
    with whole_file(file) as temporary:
        with (
            temporary.open("wb") as out,
            track(f"decoding {name}", len(groups), progress) as advance,
            ThreadPoolExecutor() as pool,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(pictures), *size, 3)}
            np.lib.format.write_array_header_2_0(out, header)
            start = out.tell()
            # Written, not mapped: a full disk is an error here, and a crash in mapped memory.
            out.truncate(start + len(pictures) * n_bytes)
            # A part at a time, so that decoded pictures do not pile up in memory.
            for first in range(0, len(groups), _PART):
                for results in pool.map(decoded, groups[first : first + _PART]):
                    for i, result in results:
                        if isinstance(result, str):
                            unreadable[i] = result
                        else:
                            out.seek(start + i * n_bytes)
                            out.write(result.tobytes())
                    advance()
        with whole_text_file(index) as text:
            json.dump(unreadable, text, ensure_ascii=False)


def _decoded(
    group: Sequence[tuple[int, Picture]], size: tuple[int, int]
) -> list[tuple[int, ImageArray | str]]:
    """The resized crops of one file by number, or the sentence that says why there is none."""
    path = group[0][1].path
    try:
        image = decode(read_bytes(path), str(path))
    except ImageError as error:
        return [(i, str(error)) for i, _ in group]
    return [(i, _resized(image, picture.box, size)) for i, picture in group]


def _resized(image: ImageArray, box: Box | None, size: tuple[int, int]) -> ImageArray | str:
    try:
        return resized(crop(image, box), size)
    except ImageError as error:
        return str(error)
