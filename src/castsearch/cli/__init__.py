"""The command line: one verb per public function, one file per verb."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from castsearch.cli.app import app
from castsearch.errors import CastsearchError, InputError

__all__ = ["app", "main", "run"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 failure or skips, 2 bad input, 130."""
    try:
        result = app(
            list(sys.argv[1:] if arguments is None else arguments),
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except CycloptsError:
        return InputError.exit_code
    except CastsearchError as error:
        print(f"castsearch: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print(
            "castsearch: interrupted; what was done is kept, run it again to go on.",
            file=sys.stderr,
        )
        return 130
    return result if isinstance(result, int) else 0


def run() -> None:
    """Entry point of the installed command."""
    raise SystemExit(main())
