"""The WIDER person search layout (2018): ``<split>.json`` with boxes, pictures in ``<split>/``."""

from __future__ import annotations

import math
import posixpath
from dataclasses import dataclass, field, replace
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import shown
from castsearch.sources.folder import is_movie
from castsearch.sources.jsonfile import LabelFiles, load_json
from castsearch.sources.labels import MovieLabels, note_unlabelled, with_labels
from castsearch.sources.paths import (
    NOWHERE,
    Fence,
    full_id,
    is_file,
    is_fit_id,
    is_folder,
    leaves,
    slug,
)
from castsearch.types import Box, Candidate, CastMember, Movie, Problem, Still

_SPLITS = ("train", "val", "test")
# Files of this layout and of its neighbour that lie beside a folder of their own name.
_NO_SPLITS = ("cast.json", "candidate.json", "candidates.json")


def find_splits(path: Path) -> list[Path]:
    """The ``<split>.json`` files of ``path``: itself, those in it, or the one it belongs to.

    ``path`` is such a file, the folder that holds it, the folder of its pictures, or one movie in
    there. Empty where it is none of these.

    Raises:
        InputError: A folder cannot be listed.
    """
    if not is_folder(path):
        return [path] if path.suffix.lower() == ".json" else []
    inside = [file for file in sorted(path.glob("*.json")) if _is_split(file)]
    if inside:
        return inside
    above = [folder.with_name(f"{folder.name}.json") for folder in (path, path.parent)]
    return [file for file in above if is_file(file) and _is_split(file)][:1]


def is_wider(path: Path) -> bool:
    """Whether there is a split of this layout; see :func:`find_splits`."""
    return bool(find_splits(path))


def _is_split(file: Path) -> bool:
    if file.stem in _SPLITS:
        return True
    pictures = file.with_suffix("")
    if file.name in _NO_SPLITS or not is_folder(pictures) or is_movie(pictures):
        return False
    if Fence(file.parent).objection(file):
        return True  # and is refused when it is read
    try:
        document, _ = load_json(file)
    except InputError:
        return True  # likewise
    # Any other file may happen to lie beside a folder of its name.
    return isinstance(document, dict) and any(
        isinstance(entry, dict) and not entry.keys().isdisjoint(("cast", "candidates"))
        for entry in document.values()
    )


def read_wider(path: Path) -> list[Movie]:
    """Read every split of ``path`` (see :func:`find_splits`); empty where there is none.

    A split that cannot be read comes back as a movie of its name, with nothing but a problem.
    """
    movies: list[Movie] = []
    for file in find_splits(path):
        # Given one movie of a split, only that one is read.
        only = path.name if path.parent == file.with_suffix("") else None
        fence = Fence(file.parent)
        try:
            # A link that the user gives by name may lead anywhere, one that is found may not.
            movies += _read_split(file, fence, only, is_trusted=file == path)
        except InputError as error:
            problem = Problem(shown(file), str(error))
            movies.append(Movie(slug(file.stem), (), (), problems=(problem,)))
    return movies


def _read_split(file: Path, fence: Fence, only: str | None, *, is_trusted: bool) -> list[Movie]:
    objection = None if is_trusted else fence.objection(file)
    if objection:
        raise InputError(f"{shown(file)} {objection}.")
    document, repeated = load_json(file)
    if not isinstance(document, dict) or not document:
        raise InputError(
            f"{shown(file)} is not a WIDER split; it should be a JSON object with an entry per "
            "movie, each with the lists cast and candidates."
        )
    pictures = file.with_suffix("")
    if not is_folder(pictures):
        raise InputError(
            f"The folder {shown(pictures)} is missing; put the pictures that {shown(file)} names "
            "there."
        )
    files = LabelFiles(fence)
    for key in repeated:
        files.tell(shown(file), f"{shown(file)} has {shown(key)} twice; the first one counts.")
    movies: list[Movie] = []
    for tt in sorted(document):
        if only not in (None, tt):
            continue
        movie = _Reader(file, pictures, fence, slug(tt)).movie(document[tt])
        for truth_name in (f"{file.stem}_label.json", f"{file.stem}_GT.json"):
            if any(candidate.label is None for candidate in movie.candidates):
                part = files.labels(file.with_name(truth_name)).of(movie.id)
                movie = with_labels(movie, part, truth_name)
        movie = replace(movie, problems=(*movie.problems, *files.untold()))
        movies.append(note_unlabelled(movie))
    if not movies:
        raise InputError(f"{shown(file)} has no entry for the movie {only}; give another folder.")
    return movies


@dataclass
class _Reader:
    """One movie while it is read: its problems so far, and the stills that boxes share."""

    file: Path
    pictures: Path
    fence: Fence
    tt: str
    problems: list[Problem] = field(default_factory=list)
    stills: dict[str, tuple[Still, str | None]] = field(default_factory=dict)

    def movie(self, entry: object) -> Movie:
        lists = entry if isinstance(entry, dict) else {}
        cast: list[CastMember] = []
        named: list[tuple[str, str]] = []
        for id_, value in self._entries(lists, "cast"):
            still, objection = self._still(value.get("img"))
            if objection:
                self._tell(id_, f"The portrait of {id_} {objection}; it is left out.")
            name = id_.removeprefix(f"{self.tt}_")
            cast.append(CastMember(id_, name, () if objection else (still,)))
            label = value.get("label")
            if isinstance(label, str):
                named.append((id_, label))
            elif label is not None:
                self._tell(id_, f"The label of {id_} in {shown(self.file)} is not text.")
        candidates: list[Candidate] = []
        labels: dict[str, object] = {}
        for id_, value in self._entries(lists, "candidates"):
            candidates.append(self._candidate(id_, value))
            if value.get("label") is not None:
                labels[id_] = value["label"]
        movie = Movie(
            self.tt,
            tuple(sorted(cast, key=lambda member: member.id)),
            tuple(sorted(candidates, key=lambda candidate: candidate.id)),
            problems=tuple(self.problems),
        )
        return with_labels(movie, MovieLabels(labels, tuple(named)), self.file.name)

    def _tell(self, where: str, message: str) -> None:
        self.problems.append(Problem(where, message))

    def _entries(self, lists: dict[str, object], part: str) -> list[tuple[str, dict[str, object]]]:
        """Id and entry of everything in one list that can be used, each id once."""
        listed = lists.get(part)
        if not isinstance(listed, list) or not listed:
            what = "empty" if listed == [] else "missing or no list"
            self._tell(
                self.tt,
                f'Movie {self.tt} in {shown(self.file)} has no {part}: its list "{part}" is '
                f"{what}; fill it.",
            )
            return []
        entries: dict[str, dict[str, object]] = {}
        for i, value in enumerate(listed):
            id_ = value.get("id") if isinstance(value, dict) else None
            if not isinstance(value, dict) or not isinstance(id_, str) or not is_fit_id(id_):
                self._tell(
                    self.tt,
                    f"{self._place(part, i)} has no id that a ranking file can hold (text without "
                    "spaces, commas, quotes and slashes); it is left out.",
                )
                continue
            id_ = full_id(self.tt, id_) if part == "cast" else id_
            if id_ in entries:
                place = self._place(part, i)
                self._tell(id_, f"{place} has the id {id_} of an earlier one; it is left out.")
                continue
            entries[id_] = value
        return list(entries.items())

    def _place(self, part: str, i: int) -> str:
        return f"Entry {i} of {part} of {self.tt} in {shown(self.file)}"

    def _still(self, img: object) -> tuple[Still, str | None]:
        """The picture that ``img`` names, the same object for the same picture; and what is wrong.

        The second value ends a sentence about the picture's owner.
        """
        if not isinstance(img, str) or not img:
            return Still(f"{self.tt}/unnamed", NOWHERE), "has no picture: img is missing"
        part = posixpath.normpath(img.replace("\\", "/"))
        if part not in self.stills:
            path = self.pictures / part
            is_outside = leaves(img, self.pictures.name)
            objection = self.fence.outside if is_outside else self.fence.objection(path)
            still_id = part if part.startswith(f"{self.tt}/") else f"{self.tt}/{part}"
            said = f"names the picture {shown(img)}, which {objection}" if objection else None
            self.stills[part] = Still(shown(still_id), NOWHERE if objection else path), said
        return self.stills[part]

    def _candidate(self, id_: str, value: dict[str, object]) -> Candidate:
        still, problem = self._still(value.get("img"))
        box = _box(value.get("bbox"))
        if box is None and problem is None:
            problem = "has a box without area, or no bbox of four numbers x, y, width, height"
        if problem:
            problem = f"Candidate {id_} in {shown(self.file)} {problem}; it is ranked last."
            self._tell(id_, problem)
        return Candidate(id_, still, box, problem=problem)


def _box(bbox: object) -> Box | None:
    """The box of ``[x, y, width, height]``; ``None`` where it is something else or has no area."""
    if not isinstance(bbox, list) or len(bbox) != 4:
        return None
    try:
        numbers = [float(n) for n in bbox if type(n) in (int, float)]
    except OverflowError:
        return None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        return None
    box = Box.from_xywh(*numbers)
    return box if 0 < box.area < math.inf else None
