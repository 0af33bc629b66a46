"""Frames of films as upright RGB arrays, and the keys of pictures, be they files or frames."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from castsearch.errors import ImageError
from castsearch.runtime.extras import need
from castsearch.runtime.files import file_sha256
from castsearch.runtime.oserrors import sentence, shown
from castsearch.types import ImageArray, Picture

if TYPE_CHECKING:
    from av.container import InputContainer


def picture_key(picture: Path | Picture) -> str:
    """What a picture is kept under: the sha256 of its file, and ``:<frame>`` of a frame of a film.

    The file is read in parts, and again only when its size or its time changed.

    Raises:
        ImageError: The file is missing, is no regular file, or cannot be read.
    """
    path = picture if isinstance(picture, Path) else picture.path
    with _opened(path):
        digest = file_sha256(path)
    frame = None if isinstance(picture, Path) else picture.frame
    return digest if frame is None else f"{digest}:{frame}"


def frames(
    path: Path, numbers: Sequence[int], *, max_megapixels: float = 100.0
) -> Iterator[tuple[int, ImageArray]]:
    """Chosen frames of a film, in the order in which they are shown.

    The film is decoded forward once, up to the last of them. A frame is turned upright, as a
    telephone held on its side asks for; its pixels stay as they are where they are no squares.

    Args:
        path: The film, in any form that FFmpeg reads. Whatever other files or addresses it names
            are not opened.
        numbers: Counted from 0 in the order in which frames are shown, in any order here.
        max_megapixels: Larger films are refused before a frame is decoded.

    Yields:
        Each number once with its pixels, shape (height, width, 3), uint8, RGB, C-contiguous.

    Raises:
        InputError: PyAV (``castsearch[film]``) is not installed.
        ImageError: The file cannot be read, is no film, is damaged, too large, or has no such
            frame.
    """
    wanted = set(numbers)
    if not wanted:
        return
    if min(wanted) < 0:
        raise ImageError(f"{shown(path)} has no frame {min(wanted)}; frames are counted from 0.")
    need("film", "av", purpose="Reading films")
    import av

    last, n_frames = max(wanted), 0
    with _opened(path) as file:
        try:
            # Not opened by FFmpeg, which takes some names for addresses or commands.
            with av.open(file, mode="r", options={"protocol_whitelist": "none"}) as film:
                for image in _decoded(film, path, wanted, max_megapixels):
                    if image is not None:
                        yield n_frames, image
                    n_frames += 1
                    if n_frames > last:
                        return
        except (av.FFmpegError, OSError) as error:
            raise ImageError(
                f"{shown(path)} is no film, or is damaged after {n_frames} frames "
                f"({error.strerror}); copy or export it again."
            ) from error
    raise ImageError(
        f"{shown(path)} has {n_frames} frames, counted from 0, and no frame {last}; was the film "
        "cut or replaced?"
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file at ``path``, opened; a pipe, which may keep a reader waiting for ever, is not."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageError(f"{shown(path)} is not a file; give a picture or a film.")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ImageError(sentence(error, path, "read")) from error


def _decoded(
    film: InputContainer, path: Path, wanted: set[int], max_megapixels: float
) -> Iterator[ImageArray | None]:
    """Every frame in its turn: pixels of those that are wanted, ``None`` for the others."""
    if not film.streams.video:
        raise ImageError(f"{shown(path)} has sound and no pictures; give a film.")
    stream = film.streams.video[0]
    # Frames are then decoded on all cores, and come in the same order.
    stream.thread_type = "AUTO"
    _check_size(path, stream.width, stream.height, max_megapixels)
    for number, frame in enumerate(film.decode(stream)):
        if number not in wanted:
            yield None
            continue
        # The size may change on the way.
        _check_size(path, frame.width, frame.height, max_megapixels)
        pixels = frame.to_ndarray(format="rgb24")
        # By so many degrees the film asks to be turned to the left.
        yield np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _check_size(path: Path, width: int, height: int, max_megapixels: float) -> None:
    if width * height > max_megapixels * 1e6:
        raise ImageError(
            f"{shown(path)} has {width} x {height} pixels ({width * height / 1e6:.5g} megapixels), "
            f"above the limit of {max_megapixels:g}; make it smaller or raise the limit."
        )
