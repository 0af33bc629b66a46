"""Files that are there whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from socket import gethostname
from typing import TextIO

from castsearch.runtime.oserrors import failure

_PART = re.compile(r"\.(?P<name>.+)\.(?P<place>[A-Za-z0-9]*)-(?P<process>\d+)-\d+\.part", re.DOTALL)
_LONGEST_NAME = 180
"""Bytes of a name that leave room for what makes a temporary one of it; systems take 255."""

_numbers = itertools.count()


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool = False, many: bool = False) -> Iterator[Path]:
    """Give a temporary name beside ``path`` to write to; it becomes ``path`` if nothing fails.

    The file is there, empty, when its name is given. It is written to disk before it is renamed,
    so that a power cut leaves the old file or the new one. A link stays, and what it points to
    becomes the new file. A file that is replaced hands on its permissions. What is neither a file
    nor a folder (``/dev/null``, a pipe) stays and is written to in the end. Missing folders are
    made. What killed processes left half-written of the same file is deleted.

    Args:
        path: The file.
        private: Whether nobody but the user may read it, whatever was there before: for vectors.
        many: Whether this is one of many small files that are easily made again, such as
            thumbnails: they are neither forced to disk, which takes 4 to 7 ms each and 0.05 ms
            without, nor is the folder searched for leftovers (:func:`sweep` does it once for all).

    Raises:
        CastsearchError: The file cannot be written; an older one stays as it was. It is an
            ``InputError`` where another path would do.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = _mode(path)
        if before is not None and stat.S_ISDIR(before):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        is_replaced = before is None or stat.S_ISREG(before)
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        if is_replaced:
            if not many:
                sweep(target.parent, target.name)
            temporary = _new(target, private=private)
        else:
            descriptor, name = tempfile.mkstemp(suffix=target.suffix)
            os.close(descriptor)
            temporary = Path(name)
        yield temporary
        if is_replaced:
            if not many:
                _force_to_disk(temporary)
            if before is not None and not private:
                temporary.chmod(stat.S_IMODE(before))
            temporary.replace(target)
        else:
            with temporary.open("rb") as content, path.open("wb") as device:
                shutil.copyfileobj(content, device)
    except OSError as error:
        raise failure(error, path, "written") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_text_file(path: Path, *, private: bool = False) -> Iterator[TextIO]:
    """:func:`whole_file` opened for text, line ends as they are written.

    File names that are not UTF-8 reach Python as lone surrogates, which no encoder takes: they are
    written as question marks.
    """
    with (
        whole_file(path, private=private) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="replace") as file,
    ):
        yield file


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; read again only when its size or time changed."""
    status = path.stat()
    return _sha256_of(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256_of(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> Path:
    """``path`` as a folder that files can be written to; made where it is missing.

    Raises:
        CastsearchError: It cannot be made, or not be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failure(error, path, "made") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise failure(OSError(errno.EACCES, os.strerror(errno.EACCES)), path, "written to")
    return path


def sweep(folder: Path, name: str | None = None) -> None:
    """Delete what processes that are gone left half-written in ``folder``.

    Args:
        folder: May be missing.
        name: The file whose leftovers are meant; by default all.
    """
    leftovers = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            part = _PART.fullmatch(entry.name) if entry.name.endswith(".part") else None
            if part is None or part["place"] != _place() or not _is_gone(int(part["process"])):
                continue
            if name is None or part["name"] == _short(name):
                leftovers.append(Path(entry.path))
    for path in leftovers:
        # Another process may sweep at the same time.
        with contextlib.suppress(OSError):
            path.unlink()


def _mode(path: Path) -> int | None:
    """Type and permissions of what is at ``path``, links followed; ``None`` for nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _new(target: Path, *, private: bool) -> Path:
    """A new, empty file beside ``target``."""
    number = next(_numbers)
    path = target.with_name(f".{_short(target.name)}.{_place()}-{os.getpid()}-{number}.part")
    # Left by an earlier process of this number, which is gone.
    path.unlink(missing_ok=True)
    # Exclusive, so that a link that somebody has put there leads nowhere.
    mode = 0o600 if private else 0o666
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    return path


def _short(name: str) -> str:
    """``name``, or a digest of it where a longer name would not fit into a folder."""
    data = os.fsencode(name)
    return name if len(data) <= _LONGEST_NAME else hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=1)
def _place() -> str:
    """Where the numbers of processes mean what they mean here: this machine, this container."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return re.sub(r"[^A-Za-z0-9]", "", gethostname()[:32] + namespace)


def _is_gone(process: int) -> bool:
    # Elsewhere signal 0 is not a question but Ctrl-C.
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
