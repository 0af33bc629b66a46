"""The application that every verb registers with, and what verbs share."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from castsearch.errors import InputError
from castsearch.runtime.progress import Style
from castsearch.runtime.settings import Runtime
from castsearch.types import Problem

app = App(
    name="castsearch",
    help="Find who is who in films: rank every person crop for each cast member's portrait.",
)

Quiet = Annotated[bool, Parameter(negative="")]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]


def style_of(quiet: bool, as_json: bool) -> Style:
    """How progress is shown: not at all beside ``--quiet`` and ``--json``."""
    return "quiet" if quiet or as_json else "auto"


@Parameter(name="*")
@dataclass(frozen=True)
class Running:
    """How a command runs: the options that all commands over pictures share."""

    device: Annotated[
        str,
        Parameter(help="What networks run on: auto, cpu, cuda, tensorrt, rocm, coreml, directml."),
    ] = "auto"
    jobs: Annotated[
        int | None,
        Parameter(help="How many pictures are worked on at once; all cores unless given."),
    ] = None
    max_megapixels: Annotated[
        float, Parameter(help="Pictures with more pixels than this are refused.")
    ] = 100.0
    store: Annotated[
        Path | None, Parameter(help="File that detections and embeddings are kept in.")
    ] = None
    quiet: Annotated[
        bool, Parameter(negative="", help="Show no progress, and nothing but problems.")
    ] = False

    def runtime(self, *, as_json: bool = False) -> Runtime:
        """The options as the verbs take them; progress is not shown beside ``--json``.

        Raises:
            InputError: ``--jobs`` is below 1.
        """
        if self.jobs is not None and self.jobs < 1:
            raise InputError("--jobs takes 1 or more.")
        style = style_of(self.quiet, as_json)
        return Runtime(self.store, self.jobs, self.device, self.max_megapixels, style)


RUNNING = Running()
"""What a command runs with unless told otherwise."""


def tell_skipped(problems: Sequence[Problem]) -> int:
    """Name on stderr what was skipped; the exit status that goes with it."""
    for problem in problems:
        print(f"skipped: {problem.message}", file=sys.stderr)
    return 1 if problems else 0


def print_json(document: Any) -> None:
    """Print ``document`` as indented JSON on stdout."""
    print(json.dumps(document, indent=1))
