"""``ablate``: every preset on the same movies, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AsJson, Layout, Machine
from castsearch.cli.printing import print_json, tell_skipped


def ablate(
    *sources: Path,
    presets: Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")] = (),
    against: str | None = None,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-ablation"),
    layout: Layout = "auto",
    machine: Machine = Machine(),
    as_json: AsJson = False,
) -> int:
    """Compare and print the table.

    Args:
        sources: Labelled folders or files, as `castsearch rank` reads them.
        presets: Which to compare, with commas between them; all unless given. A preset with a
            setting of its own is NAME:SETTING=VALUE.
        against: The one that the others are compared with; the last unless given.
        out: Folder that the results are written to.
    """
    from castsearch.outputs.ablation import in_words, to_json
    from castsearch.verbs.ablate import ALL, split_names

    done = castsearch.ablate(
        sources,
        presets=split_names(presets) if presets else ALL,
        against=against,
        out=out,
        layout=layout,
        runtime=machine.runtime(as_json=as_json),
    )
    status = tell_skipped(done.problems)
    if as_json:
        print_json({"out": str(out), "skipped": len(done.problems), **to_json(done.table)})
    elif not machine.quiet:
        width = max(len(row.variant.name) for row in done.table.rows)
        for row in done.table.rows:
            difference = in_words(row.difference, signed=True)
            print(f"{row.variant.name:{width}}  mAP {in_words(row.mAP)}  difference {difference}")
        print(f"page: {out / 'index.html'}")
    return status
