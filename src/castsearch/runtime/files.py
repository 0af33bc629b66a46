"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from castsearch.errors import CastsearchError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` to write to; it becomes ``path`` if nothing fails.

    Raises:
        CastsearchError: The file cannot be written; an older one stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise CastsearchError(
            f"{path} cannot be written ({error.strerror or error}); "
            "choose another folder or make room"
        ) from error
    finally:
        # What made writing impossible, a parent that is a file, also stops this.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_text_file(path: Path) -> Iterator[TextIO]:
    """:func:`whole_file` opened for text, line ends as they are written.

    File names that are not UTF-8 reach Python as lone surrogates, which no encoder takes: they are
    written as question marks.
    """
    with (
        whole_file(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="replace") as file,
    ):
        yield file
