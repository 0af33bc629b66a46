"""``embed``: crops in, unit vectors out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from castsearch.cli.app import RUNNING, AsJson, Running, app, print_json, tell_skipped
from castsearch.sources.layouts import AnyLayout


@app.command
def embed(
    source: Path,
    /,
    *,
    model: str,
    out: Annotated[Path, Parameter(alias="-o")],
    layout: AnyLayout = "auto",
    flip: Annotated[bool, Parameter(negative="")] = False,
    running: Running = RUNNING,
    as_json: AsJson = False,
) -> int:
    """Write a unit vector for every person crop in SOURCE.

    Args:
        source: Movies, as for `rank`, or a folder of pictures, at any depth.
        model: Body or face encoder: a name of `castsearch models`, or the path of the ONNX file of
            a body encoder.
        out: File to write: .npz (arrays `ids` and `vectors`) or .parquet (columns `id` and
            `vector`).
        layout: How SOURCE is laid out; told by itself unless given.
        flip: Average each vector with that of the mirror image.
        running: How it runs.
        as_json: Print what was done as JSON.
    """
    from castsearch.verbs import embed as vectors

    vectors.check_ending(out)
    made = vectors.embed(
        source,
        model,
        layout=layout,
        flip=flip,
        runtime=running.runtime(as_json=as_json),
    )
    vectors.write_vectors(out, made)
    status = tell_skipped(made.problems)
    n_vectors, dim = made.vectors.shape
    if as_json:
        facts = {"out": str(out), "model": made.model, "n_vectors": n_vectors, "dim": dim}
        facts |= {"skipped": len(made.problems), "work": dataclasses.asdict(made.work)}
        print_json(facts)
    elif not running.quiet:
        print(f"wrote {n_vectors} vectors of {dim} numbers to {out}")
    return status
