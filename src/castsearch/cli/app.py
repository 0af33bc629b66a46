"""The application that every verb registers with, and what verbs share."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from castsearch.errors import InputError
from castsearch.runtime.progress import Style
from castsearch.types import Problem

app = App(
    name="castsearch",
    help="Find who is who in films: rank every person crop for each cast member's portrait.",
)

Quiet = Annotated[bool, Parameter(negative="")]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]


def checked_jobs(jobs: int | None) -> int | None:
    """``jobs`` as it is given.

    Raises:
        InputError: it is below 1.
    """
    if jobs is not None and jobs < 1:
        raise InputError("--jobs takes 1 or more.")
    return jobs


def style_of(quiet: bool, as_json: bool) -> Style:
    """How progress is shown: not at all beside ``--quiet`` and ``--json``."""
    return "quiet" if quiet or as_json else "auto"


def tell_skipped(problems: Sequence[Problem]) -> int:
    """Name on stderr what was skipped; the exit status that goes with it."""
    for problem in problems:
        print(f"skipped: {problem.message}", file=sys.stderr)
    return 1 if problems else 0


def print_json(document: Any) -> None:
    """Print ``document`` as indented JSON on stdout."""
    print(json.dumps(document, indent=1))
