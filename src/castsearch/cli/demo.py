"""``demo``: a composed movie is ranked, to see it all work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import Machine, PresetName
from castsearch.cli.rank import print_run


def demo(
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-demo"),
    preset: PresetName = "castsearch",
    machine: Machine = Machine(),
) -> int:
    """Compose, rank and print what came out.

    Args:
        out: Folder that the movie and the results are written to.
    """
    if not machine.quiet:
        print(
            "The stills are composed at run time from public-domain photographs of two people "
            "and of things; they show the whole job, but they are no frames of a film."
        )
    run = castsearch.demo(out=out, preset=preset, runtime=machine.runtime())
    return print_run(run, out / "results", as_json=False, quiet=machine.quiet)
