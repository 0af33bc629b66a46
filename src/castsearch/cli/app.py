"""The application that every verb registers with, and what verbs share."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

app = App(
    name="castsearch",
    help="Find who is who in films: rank every person crop for each cast member's portrait.",
)

Layout = Literal["auto", "imdb", "wider", "folder"]
Quiet = Annotated[bool, Parameter(negative="")]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]


def print_json(document: Any) -> None:
    """Print ``document`` as indented JSON on stdout."""
    print(json.dumps(document, indent=1))
