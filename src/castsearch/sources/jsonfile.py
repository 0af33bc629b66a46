"""JSON documents out of files that nobody vouches for."""

from __future__ import annotations

import json
from pathlib import Path

from castsearch.errors import InputError
from castsearch.runtime.oserrors import sentence, shown
from castsearch.sources.labels import Labels, parse
from castsearch.sources.paths import Fence
from castsearch.types import Problem


def load_json(path: Path) -> tuple[object, list[str]]:
    """The document in ``path``, and the keys that one of its objects has more than once.

    Of such a key the first value counts.

    Raises:
        InputError: The file cannot be read, is no JSON, or is nested too deeply.
    """
    repeated: list[str] = []

    def first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
        document = dict(pairs)
        if len(document) < len(pairs):
            document = {}
            for key, value in pairs:
                if key in document:
                    repeated.append(key)
                else:
                    document[key] = value
        return document

    try:
        # utf-8-sig: editors on Windows put a byte order mark in front.
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=first_of_each), repeated
    except json.JSONDecodeError as error:
        raise InputError(
            f"{shown(path)} is broken JSON at line {error.lineno}, column {error.colno} "
            f"({error.msg}); mend it or write it again."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown(path)} is not UTF-8 text (byte {error.start}); save it as UTF-8 JSON."
        ) from error
    except RecursionError as error:
        raise InputError(
            f"{shown(path)} is nested too deeply to be a list of labels or pictures; write it "
            "again."
        ) from error
    except ValueError as error:  # a number of more than 4300 digits
        raise InputError(
            f"{shown(path)} holds a number that is too long; write it again."
        ) from error
    except OSError as error:
        raise InputError(sentence(error, path, "read")) from error


class LabelFiles:
    """Optional files with one JSON object of labels: each is read once, its problems told once."""

    def __init__(self, fence: Fence) -> None:
        """Read files inside ``fence``, and files in the folders above it."""
        self._fence = fence
        self._documents: dict[Path, dict[str, object]] = {}
        self._labels: dict[Path, Labels] = {}
        self._problems: dict[Problem, bool] = {}

    def load(self, path: Path) -> dict[str, object]:
        """The object in ``path``; empty where there is no such file or it cannot be used."""
        if path not in self._documents:
            try:
                self._documents[path] = self._load(path)
            except InputError as error:
                self.tell(shown(path), f"{error} No label is taken from it.")
                self._documents[path] = {}
        return self._documents[path]

    def labels(self, path: Path) -> Labels:
        """The truth in ``path``; empty likewise."""
        if path not in self._labels:
            labels = parse(self.load(path))
            for problem in labels.problems:
                if not problem.where:
                    self.tell(shown(path), f"{shown(path)}: {problem.message}.")
            self._labels[path] = labels
        return self._labels[path]

    def _load(self, path: Path) -> dict[str, object]:
        fence = self._fence if self._fence.holds(path.parent) else Fence(path.parent)
        objection = fence.objection(path)
        if objection == "is missing":
            return {}
        if objection:
            raise InputError(f"{shown(path)} {objection}.")
        document, repeated = load_json(path)
        if not isinstance(document, dict):
            raise InputError(f"{shown(path)} is not a JSON object of labels.")
        for key in repeated:
            self.tell(shown(path), f"{shown(path)} has {shown(key)} twice; the first one counts.")
        return document

    def tell(self, where: str, message: str) -> None:
        """Keep a problem for the next :meth:`untold`, unless it was told before."""
        self._problems.setdefault(Problem(where, message), False)

    def untold(self) -> tuple[Problem, ...]:
        """The problems since the last call."""
        new = tuple(problem for problem, is_told in self._problems.items() if not is_told)
        self._problems.update(dict.fromkeys(new, True))
        return new
