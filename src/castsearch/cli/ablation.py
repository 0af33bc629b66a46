"""``ablate``: every preset on the same movies, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from castsearch.cli.app import (
    RUNNING,
    AsJson,
    Running,
    app,
    print_json,
    tell_skipped,
)
from castsearch.sources.layouts import Layout


@app.command
def ablate(
    *sources: Path,
    presets: Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")] = (),
    against: str | None = None,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-ablation"),
    layout: Layout = "auto",
    running: Running = RUNNING,
    as_json: AsJson = False,
) -> int:
    """Compare presets on the labelled movies of every SOURCE: mAP, intervals, differences.

    Writes ablation.csv, queries.csv, ablation.md, chart.svg and index.html.

    Args:
        sources: Labelled folders or files, as `castsearch rank` reads them.
        presets: Which to compare, with commas between them; all unless given. A preset with a
            setting of its own is NAME:SETTING=VALUE.
        against: The one that the others are compared with; the last unless given.
        out: Folder that the results are written to.
        layout: How the sources are laid out; told by itself unless given.
        running: How it runs.
        as_json: Print the table as JSON.
    """
    from castsearch.outputs.ablation import in_words, to_json
    from castsearch.verbs import ablate as ablation

    done = ablation.ablate(
        sources,
        presets=ablation.split_names(presets) if presets else ablation.ALL,
        against=against,
        out=out,
        layout=layout,
        runtime=running.runtime(as_json=as_json),
    )
    status = tell_skipped(done.problems)
    if as_json:
        print_json({"out": str(out), "skipped": len(done.problems), **to_json(done.table)})
    elif not running.quiet:
        width = max(len(row.variant.name) for row in done.table.rows)
        for row in done.table.rows:
            difference = in_words(row.difference, signed=True)
            print(f"{row.variant.name:{width}}  mAP {in_words(row.mAP)}  difference {difference}")
        print(f"page: {out / 'index.html'}")
    return status
