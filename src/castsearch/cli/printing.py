"""What commands print: JSON, figures, and what was skipped."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from castsearch.types import Problem


def tell_skipped(problems: Sequence[Problem]) -> int:
    """Name on stderr what was skipped; the exit status that goes with it."""
    for problem in problems:
        print(f"skipped: {problem.message}", file=sys.stderr)
    return 1 if problems else 0


def print_json(document: Any) -> None:
    """Print ``document`` as indented JSON on stdout."""
    print(json.dumps(document, indent=1))
