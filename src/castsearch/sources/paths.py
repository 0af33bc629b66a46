"""Paths and ids: what lies inside the data set, what a folder lists, what an id may hold."""

from __future__ import annotations

import os
import posixpath
import re
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import clause, sentence, shown

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp"})
"""Lower-case endings that a listing takes for a picture."""

NOWHERE = Path(os.devnull)
"""Stands for a refused path, so that no later stage can open it by mistake."""

_IGNORED = (".", "__MACOSX", "@eaDir")

# Spaces and commas separate the ids of a ranking file, quotes enclose them, slashes would make
# paths of them; lone surrogates (bytes that are no UTF-8) cannot be written at all.
_UNFIT = re.compile(r'[\s,"/\\\x00-\x1f\x7f\ud800-\udfff]+')


class Fence:
    """Tells which paths lie inside one folder, links followed, and which of them are files.

    ``root`` itself may be a link. Nothing is ever opened.
    """

    def __init__(self, root: Path) -> None:
        """Draw the fence around ``root``."""
        self.root = root
        self.outside = f"lies outside the folder {shown(root)} and is refused"
        self._real = os.path.realpath(root)
        # A data set has few folders and many files: the links above a file are followed once.
        self._folders: dict[Path, bool] = {}

    def holds(self, folder: Path) -> bool:
        """Whether ``folder``, with every link followed, lies inside the root or is the root."""
        if folder not in self._folders:
            self._folders[folder] = self._holds(folder)
        return self._folders[folder]

    def _holds(self, path: Path) -> bool:
        try:
            return os.path.commonpath([self._real, os.path.realpath(path)]) == self._real
        except ValueError:  # another drive, or a null byte
            return False

    def objection(self, path: Path) -> str | None:
        """Why ``path`` is no file to read, as the end of a sentence ("is missing"), or ``None``."""
        try:
            if not self.holds(path.parent) or path.name == "..":
                return self.outside
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                if not self._holds(path):
                    return self.outside
                mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return "is missing"
        except OSError as error:
            return clause(error, "opened")
        except ValueError:
            return "is not a path that a file can have"
        return None if stat.S_ISREG(mode) else "is not a file"


def leaves(name: str, below: str = "") -> bool:
    """Whether a name in a file is absolute, or climbs out of the root by its own dots.

    Args:
        name: As written, with slashes of either kind.
        below: The folder, relative to the root, that the name starts from.
    """
    text = name.replace("\\", "/")
    if text.startswith("/") or re.match("[A-Za-z]:", text):
        return True
    return posixpath.normpath(posixpath.join(below, text)).split("/")[0] == ".."


def listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures (by their ending) and the folders in ``folder``, each sorted by name.

    Hidden entries, what systems leave behind, and all other files are passed over. A link counts
    as what it points to; one that points nowhere counts as a picture, so that it is reported.

    Raises:
        InputError: The folder cannot be listed.
    """
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(_IGNORED)]
        folders = {entry.name for entry in entries if is_folder(entry)}
    except OSError as error:
        raise InputError(sentence(error, folder, "listed")) from error
    files = {entry.name for entry in entries} - folders
    pictures = [name for name in files if posixpath.splitext(name)[1].lower() in IMAGE_SUFFIXES]
    return [folder / name for name in sorted(pictures)], [folder / name for name in sorted(folders)]


def is_folder(path: Path | os.DirEntry[str]) -> bool:
    """Whether ``path`` is a folder that can be looked at."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether ``path`` is a regular file that can be looked at."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_fit_id(text: object) -> bool:
    """Whether ``text`` can be an id: a string without spaces, commas, quotes or slashes."""
    return isinstance(text, str) and bool(text) and not _UNFIT.search(text)


def slug(name: str) -> str:
    """``name`` as an id: NFC, each run of characters that an id cannot hold as one ``_``."""
    return _UNFIT.sub("_", unicodedata.normalize("NFC", name)) or "_"


def full_id(movie_id: str, name: str) -> str:
    """``tt_nm`` for ``nm`` and for ``tt_nm``."""
    return name if name.startswith(f"{movie_id}_") else f"{movie_id}_{name}"


def assign_ids(names: Sequence[str], prefix: str, taken: set[str]) -> list[str]:
    """One id per name, parallel to ``names``: starting with ``prefix``, and none in ``taken``.

    Of names that come to the same id, the one that needed the least change keeps it and the
    others get ``-2``, ``-3`` and so on. The new ids are added to ``taken``.
    """
    slugs = [slug(name) for name in names]
    ids = [text if text.startswith(prefix) else prefix + text for text in slugs]
    changes = [
        (text != name) + (id_ != text) for name, text, id_ in zip(names, slugs, ids, strict=True)
    ]
    for i in sorted(range(len(names)), key=lambda i: (changes[i], names[i])):
        wanted, n_same = ids[i], 1
        while ids[i] in taken:
            n_same += 1
            ids[i] = f"{wanted}-{n_same}"
        taken.add(ids[i])
    return ids
