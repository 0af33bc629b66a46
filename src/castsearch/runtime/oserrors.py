"""What the system says when a file cannot be read or written, as one plain sentence."""

from __future__ import annotations

import errno
from pathlib import Path

from castsearch.errors import CastsearchError, InputError

_MAKE_ROOM = "make room there or choose another folder"
_OTHER_FOLDER = "choose another folder"
_REMEDIES = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: "raise the limit on the size of files or choose another folder",
    errno.EACCES: "get the permission or choose another folder",
    errno.EPERM: "get the permission or choose another folder",
    errno.EROFS: "choose another folder, one that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check the path",
    errno.EISDIR: "give a file",
    errno.ENOTDIR: "choose another folder: a part of this path is a file",
    errno.EEXIST: "choose another folder: a part of this path is a file",
    errno.ELOOP: "mend the links, which lead in a circle",
    errno.EMFILE: "close other programs or raise the limit on open files",
    errno.ENFILE: "close other programs or raise the limit on open files",
    errno.EIO: "check the disk",
}
# What another path, given by the user, would have spared.
_OF_THE_PATH = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.ELOOP,
    }
)


def shown(path: Path | str) -> str:
    """``path`` as text that can be written as UTF-8, whatever bytes the file name has."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def clause(error: OSError, doing: str) -> str:
    """The end of a sentence about a file: ``cannot be opened (File name too long)``."""
    return f"cannot be {doing} ({error.strerror or error})"


def sentence(error: OSError, path: Path | str, doing: str) -> str:
    """Which file, what is wrong, and what to do.

    Args:
        error: What the system said.
        path: The file or folder that the user knows of, not a temporary one.
        doing: A participle: ``read``, ``written``, ``made``, ``listed``.
    """
    otherwise = _OTHER_FOLDER if doing.startswith(("written", "made")) else "check the disk"
    remedy = _REMEDIES.get(error.errno or 0, otherwise)
    return f"{shown(path)} {clause(error, doing)}; {remedy}."


def failure(error: OSError, path: Path | str, doing: str) -> CastsearchError:
    """The exception with :func:`sentence`: an ``InputError`` where another path would do."""
    kind = InputError if error.errno in _OF_THE_PATH else CastsearchError
    return kind(sentence(error, path, doing))
