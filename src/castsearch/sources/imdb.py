"""The IMDb course layout (NTU DLCV 2019): movie folders of portraits and crops, labels in JSON."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from castsearch.runtime.oserrors import shown
from castsearch.sources.folder import movie_folders, read_movie
from castsearch.sources.jsonfile import LabelFiles
from castsearch.sources.labels import MovieLabels, note_unlabelled, with_labels
from castsearch.sources.paths import (
    NOWHERE,
    Fence,
    assign_ids,
    full_id,
    is_file,
    is_folder,
    leaves,
    listing,
    slug,
)
from castsearch.types import Candidate, CastMember, Movie, Still

_COURSE_NAME = re.compile(r"(tt\d+)_nm\d+\.")

SPLITS = ("test", "train", "val")


def find_movies(path: Path) -> list[Path]:
    """The movie folders under ``path``, which is the root, one split or one movie.

    Raises:
        InputError: A folder cannot be listed.
    """
    splits = [path / name for name in SPLITS if is_folder(path / name)]
    return [folder for split in splits or [path] for folder in movie_folders(split)]


def is_imdb(path: Path) -> bool:
    """Whether the movies there look like the course layout: split name, labels or file names.

    Raises:
        InputError: A folder cannot be listed.
    """
    return is_folder(path) and any(
        folder.parent.name in SPLITS
        or any(is_file(file) for file in (*_label_files(folder), *_truth_files(folder)))
        or _course_id(folder) is not None
        for folder in find_movies(path)
    )


def read_imdb(path: Path) -> list[Movie]:
    """Read the root, one split or one movie; empty where there is no movie.

    Labels come from ``cast.json`` and ``candidate.json``, in the movie folder or beside it, else
    from ``GT.json`` in the movie folder or ``<split>_GT.json`` at the root.

    Raises:
        InputError: A folder cannot be listed.
    """
    fence = Fence(path)
    files = LabelFiles(fence)
    taken: set[str] = set()
    movies: list[Movie] = []
    # A movie that two splits have keeps its id in both, so that the caller sees it twice.
    for _, split in groupby(find_movies(path), key=lambda folder: folder.parent):
        folders = list(split)
        names = [_course_id(folder) or shown(folder.name) for folder in folders]
        for folder, movie_id in zip(folders, assign_ids(names, "", set()), strict=True):
            movie = read_movie(folder, fence, movie_id, taken)
            movies.append(_labelled(movie, folder, fence, taken, files))
    return movies


def _label_files(folder: Path) -> tuple[Path, ...]:
    places = (folder, folder.parent)
    return tuple(place / name for name in ("cast.json", "candidate.json") for place in places)


def _truth_files(folder: Path) -> tuple[Path, Path]:
    split = folder.parent
    return folder / "GT.json", split.parent / f"{split.name}_GT.json"


def _course_id(folder: Path) -> str | None:
    """The ``tt`` that all portraits of a movie begin with, whatever its folder is called."""
    if not is_folder(folder / "cast"):
        return None
    portraits, people = listing(folder / "cast")
    names = [_COURSE_NAME.match(path.name) for path in portraits]
    ids = {name[1] for name in names if name}
    return ids.pop() if len(ids) == 1 and all(names) and not people else None


def _labelled(
    movie: Movie, folder: Path, fence: Fence, taken: set[str], files: LabelFiles
) -> Movie:
    """``movie`` with its labels, and with what the label files name and the folder lacks."""
    movie, cast = _with_named_cast(movie, folder, fence, taken, files)
    movie, labels = _with_named_candidates(movie, folder, fence, taken, files)
    movie = with_labels(movie, MovieLabels(labels, cast), f"candidate.json of {movie.id}")
    for file in _truth_files(folder):
        if movie.truth is None:
            movie = with_labels(movie, files.labels(file).of(movie.id), file.name)
    return note_unlabelled(replace(movie, problems=(*movie.problems, *files.untold())))


def _with_named_cast(
    movie: Movie, folder: Path, fence: Fence, taken: set[str], files: LabelFiles
) -> tuple[Movie, tuple[tuple[str, str], ...]]:
    """The movie with members whose portrait is missing; and pairs of a cast id and its label."""
    members = {member.id: member for member in movie.cast}
    by_part = {
        _part(still.id, "cast"): member.id for member in movie.cast for still in member.portraits
    }
    named: list[tuple[str, str]] = []
    for key, label in _entries(folder, "cast", files):
        part = _part(key, "cast")
        id_ = by_part.get(part, full_id(movie.id, slug(_stem(part))))
        if id_ not in members or leaves(key):
            objection = _objection(key, folder / "cast" / part, fence)
            message = f"cast.json names the portrait {shown(key)} of {id_}, which {objection}."
            files.tell(id_, message)
        if id_ not in members:
            taken.add(id_)
            members[id_] = CastMember(id_, id_.removeprefix(f"{movie.id}_"), ())
        if isinstance(label, str):
            named.append((id_, label))
        elif label is not None:
            files.tell(id_, f"cast.json labels {shown(key)} with something that is not text.")
    return replace(movie, cast=tuple(members[id_] for id_ in sorted(members))), tuple(named)


def _with_named_candidates(
    movie: Movie, folder: Path, fence: Fence, taken: set[str], files: LabelFiles
) -> tuple[Movie, dict[str, object]]:
    """The movie with candidates whose picture is missing; and label by candidate id."""
    candidates = list(movie.candidates)
    by_part = {_part(c.still.id, "candidates"): c.id for c in candidates}
    labels: dict[str, object] = {}
    for key, label in _entries(folder, "candidates", files):
        part = _part(key, "candidates")
        id_ = None if leaves(key) else by_part.get(part)
        if id_ is None:
            id_ = assign_ids([_stem(part)], f"{movie.id}_", taken)[0]
            objection = _objection(key, folder / "candidates" / part, fence)
            problem = (
                f"candidate.json names {shown(key)}, which {objection}; "
                f"candidate {id_} is ranked last."
            )
            files.tell(id_, problem)
            still = Still(f"{movie.id}/missing/{id_}", NOWHERE)
            candidates.append(Candidate(id_, still, problem=problem))
            by_part.setdefault(part, id_)
        if id_ in labels:
            files.tell(id_, f"candidate.json labels {id_} twice; the first label counts.")
        labels.setdefault(id_, label)
    candidates.sort(key=lambda candidate: candidate.id)
    return replace(movie, candidates=tuple(candidates)), labels


def _entries(folder: Path, part: str, files: LabelFiles) -> list[tuple[str, object]]:
    """What ``<folder>/<part>.json`` says, else what the one beside the folder says of it."""
    own, beside = _label_files(folder)[:2] if part == "cast" else _label_files(folder)[2:]
    entries = list(files.load(own).items())
    if entries:
        return entries
    shared = files.load(beside)
    for key in shared:
        if leaves(key):
            files.tell(shown(beside), f"{shown(beside)} names {shown(key)}, which is refused.")
    return [(key, label) for key, label in shared.items() if f"/{folder.name}/" in f"/{key}"]


def _part(key: str, part: str) -> str:
    """The path below ``cast`` or ``candidates``; the bare file name where the key has no such."""
    _, found, tail = f"/{key}".replace("\\", "/").rpartition(f"/{part}/")
    tail = tail if found else posixpath.basename(tail)
    return unicodedata.normalize("NFC", shown(tail))


def _stem(part: str) -> str:
    return posixpath.splitext(posixpath.basename(part))[0]


def _objection(key: str, path: Path, fence: Fence) -> str:
    if leaves(key):
        return fence.outside
    return fence.objection(path) or "is not one of the pictures in its folder"
