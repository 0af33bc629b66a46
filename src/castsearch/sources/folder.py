"""A plain folder: ``cast/`` with portraits, and ``candidates/`` (crops) or ``stills/``."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import shown
from castsearch.sources.paths import NOWHERE, Fence, assign_ids, is_folder, listing
from castsearch.types import Candidate, CastMember, Movie, Problem, Still

PARTS = ("cast", "candidates", "stills")


def read_folder(path: Path) -> list[Movie]:
    """Read the movie in ``path``, or each folder in it that is one; empty where there is none."""
    folders = movie_folders(path)
    movie_ids = assign_ids([shown(folder.name) for folder in folders], "", set())
    fence = Fence(path)
    taken: set[str] = set()
    return [
        read_movie(folder, fence, movie_id, taken)
        for folder, movie_id in zip(folders, movie_ids, strict=True)
    ]


def movie_folders(path: Path) -> list[Path]:
    """``path`` itself where it holds a movie, else the folders in it that hold one.

    Raises:
        InputError: ``path`` cannot be listed.
    """
    if is_movie(path):
        return [path]
    return [folder for folder in listing(path)[1] if is_movie(folder)]


def is_folder_of_movies(path: Path) -> bool:
    """Whether ``path`` is a movie or holds one; see :func:`movie_folders`."""
    return is_folder(path) and bool(movie_folders(path))


def is_movie(folder: Path) -> bool:
    """Whether ``folder`` has at least one of the folders cast, candidates and stills."""
    return any(is_folder(folder / part) for part in PARTS)


def read_movie(folder: Path, fence: Fence, movie_id: str, taken: set[str]) -> Movie:
    """One movie without labels; what cannot be used is in its problems.

    Args:
        folder: Holds cast, and candidates or stills.
        fence: No picture outside of it is used.
        movie_id: Becomes the start of every id.
        taken: Ids of all movies so far; the new ones are added.
    """
    problems: list[Problem] = []
    cast = _cast(folder / "cast", fence, movie_id, taken, problems)
    candidates: list[Candidate] = []
    for id_, path, objection in _pictures(folder / "candidates", fence, movie_id, taken, problems):
        problem = None
        if objection:
            problem = f"The picture {shown(path)} {objection}; candidate {id_} is ranked last."
            problems.append(Problem(id_, problem))
        still = Still(f"{movie_id}/candidates/{shown(path.name)}", NOWHERE if objection else path)
        candidates.append(Candidate(id_, still, problem=problem))
    stills: list[Still] = []
    for id_, path, objection in _pictures(folder / "stills", fence, movie_id, taken, problems):
        if objection:
            message = f"The still {shown(path)} {objection}; it is left out."
            problems.append(Problem(id_, message))
        else:
            stills.append(Still(id_, path))
    if not cast:
        message = (
            f"Movie {movie_id} has no cast; put one portrait per person into "
            f"{shown(folder / 'cast')}."
        )
        problems.append(Problem(movie_id, message))
    if not candidates and not stills:
        message = (
            f"Movie {movie_id} has no candidates; put crops into {shown(folder / 'candidates')} "
            f"or whole pictures into {shown(folder / 'stills')}."
        )
        problems.append(Problem(movie_id, message))
    return Movie(
        movie_id,
        tuple(sorted(cast, key=lambda member: member.id)),
        tuple(sorted(candidates, key=lambda candidate: candidate.id)),
        tuple(sorted(stills, key=lambda still: still.id)),
        tuple(problems),
    )


def _listed(folder: Path, fence: Fence, problems: list[Problem]) -> tuple[list[Path], list[Path]]:
    """Pictures and folders in ``folder``; nothing where it is missing or leaves the data set."""
    if not is_folder(folder):
        return [], []
    if not fence.holds(folder):
        message = (
            f"The folder {shown(folder)} lies outside the folder {shown(fence.root)} and is "
            "refused; copy it into there."
        )
        problems.append(Problem(shown(folder), message))
        return [], []
    try:
        return listing(folder)
    except InputError as error:
        problems.append(Problem(shown(folder), str(error)))
        return [], []


def _pictures(
    folder: Path, fence: Fence, movie_id: str, taken: set[str], problems: list[Problem]
) -> list[tuple[str, Path, str | None]]:
    """Id, path and objection of each picture in ``folder``."""
    pictures, inner = _listed(folder, fence, problems)
    if inner:
        message = (
            f"The folders in {shown(folder)} are not looked into ({len(inner)}, first: "
            f"{shown(inner[0].name)}); put the pictures beside each other."
        )
        problems.append(Problem(shown(folder), message))
    ids = assign_ids([shown(path.stem) for path in pictures], f"{movie_id}_", taken)
    return [(id_, path, fence.objection(path)) for id_, path in zip(ids, pictures, strict=True)]


def _name(text: str) -> str:
    # The same name is written in two ways (NFC, NFD) by different systems.
    return unicodedata.normalize("NFC", shown(text))


def _cast(
    folder: Path, fence: Fence, movie_id: str, taken: set[str], problems: list[Problem]
) -> list[CastMember]:
    """One member per name: portraits are ``<name>.<ending>`` and all in ``<name>/``."""
    pictures, inner = _listed(folder, fence, problems)
    portraits: dict[str, list[Path]] = {}
    for path in pictures:
        portraits.setdefault(_name(path.stem), []).append(path)
    for person in inner:
        found = _listed(person, fence, problems)[0]
        portraits.setdefault(_name(person.name), []).extend(found)
    names = sorted(portraits)
    cast: list[CastMember] = []
    for id_, name in zip(assign_ids(names, f"{movie_id}_", taken), names, strict=True):
        usable: list[Still] = []
        for path in portraits[name]:
            objection = fence.objection(path)
            if objection:
                message = f"The portrait {shown(path)} of {id_} {objection}; it is left out."
                problems.append(Problem(id_, message))
            else:
                part = shown(path.relative_to(folder).as_posix())
                usable.append(Still(f"{movie_id}/cast/{part}", path))
        if not portraits[name]:
            message = (
                f"The folder {shown(folder / name)} holds no portrait of {id_}; put one there."
            )
            problems.append(Problem(id_, message))
        cast.append(CastMember(id_, name.removeprefix(f"{movie_id}_"), tuple(usable)))
    return cast
