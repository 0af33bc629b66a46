"""``rank``, the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AsJson, Layout, Machine, PresetName
from castsearch.cli.printing import print_json, tell_skipped

if TYPE_CHECKING:
    from castsearch.verbs.rank import RunResult


def rank(
    source: Path,
    /,
    *,
    preset: PresetName = "castsearch",
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-out"),
    settings: Annotated[
        tuple[str, ...], Parameter(name="--set", consume_multiple=False, negative="")
    ] = (),
    layout: Layout = "auto",
    face_model: str | None = None,
    body_models: Annotated[
        tuple[str, ...], Parameter(name="--body-model", consume_multiple=False, negative="")
    ] = (),
    machine: Machine = Machine(),
    as_json: AsJson = False,
) -> int:
    """Rank and print what came out.

    Args:
        source: Folder or file with the movies: IMDb course layout, WIDER layout, or plain folders.
        out: Folder that the results are written to.
        settings: Replace one value of the preset, as NAME=VALUE; may be given several times.
        face_model: Face encoder: a name of `castsearch models`, or the path of an ONNX file.
        body_models: Body encoder in place of the preset's: a name of `castsearch models`, or the
            path of an ONNX file; may be given several times.
    """
    run = castsearch.rank(
        source,
        preset=preset,
        settings=settings,
        out=out,
        layout=layout,
        face_model=face_model,
        body_models=body_models,
        runtime=machine.runtime(as_json=as_json),
    )
    return print_run(run, out, as_json=as_json, quiet=machine.quiet)


def print_run(run: RunResult, out: Path, *, as_json: bool, quiet: bool) -> int:
    """What a run came to, as JSON or in words; its exit status."""
    from castsearch.metrics import to_json

    status = tell_skipped(run.problems)
    if as_json:
        document: dict[str, Any] = {"out": str(out), "skipped": len(run.problems)}
        if run.evaluation is not None:
            document |= to_json(run.evaluation)
        print_json(document)
    elif not quiet:
        print(f"ranked {run.n_queries} queries in {len(run.movies)} movies; ", end="")
        print(f"{run.n_ties} places were tied and decided by id")
        if run.evaluation is not None:
            for movie in run.evaluation.movies:
                print(f"{movie.movie}: mAP {movie.mAP:.4f}")
            print(f"mAP {run.evaluation.mAP:.4f}")
        if run.summary and run.summary.without_names:
            print(f"no names.csv: {run.summary.without_names}")
        if run.summary and run.summary.left_alone:
            print(f"left alone, written by no run: {', '.join(run.summary.left_alone)}")
        print(f"report: {out / 'report' / 'index.html'}")
    return status
