"""``embed``: crops in, unit vectors out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AnyLayout, AsJson, Flip, Machine
from castsearch.cli.printing import print_json, tell_skipped


def embed(
    source: Path,
    /,
    *,
    model: str,
    out: Annotated[Path, Parameter(alias="-o")],
    layout: AnyLayout = "auto",
    flip: Flip = False,
    machine: Machine = Machine(),
    as_json: AsJson = False,
) -> int:
    """Embed and print how many vectors were written.

    Args:
        source: Movies, as for `rank`, or a folder of pictures, at any depth.
        model: Body or face encoder: a name of `castsearch models`, or the path of the ONNX file of
            a body encoder.
        out: File to write: .npz (arrays `ids` and `vectors`) or, with castsearch[parquet], .parquet
            (columns `id` and `vector`).
    """
    made = castsearch.embed(
        source,
        model,
        out=out,
        layout=layout,
        flip=flip,
        runtime=machine.runtime(as_json=as_json),
    )
    status = tell_skipped(made.problems)
    n_vectors, dim = made.vectors.shape
    if as_json:
        facts = {"out": str(out), "model": made.model, "n_vectors": n_vectors, "dim": dim}
        facts |= {"skipped": len(made.problems), "work": dataclasses.asdict(made.work)}
        print_json(facts)
    elif not machine.quiet:
        print(f"wrote {n_vectors} vectors of {dim} numbers to {out}")
    return status
