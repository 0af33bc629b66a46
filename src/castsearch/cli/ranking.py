"""The main job: ``rank``, and ``demo``, which ranks a composed movie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from castsearch.cli.app import (
    RUNNING,
    AsJson,
    Running,
    app,
    print_json,
    tell_skipped,
)
from castsearch.presets import DEFAULT
from castsearch.sources.layouts import Layout

if TYPE_CHECKING:
    from castsearch.verbs.rank import RunResult


@app.command
def rank(
    source: Path,
    /,
    *,
    preset: str = DEFAULT,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-out"),
    settings: Annotated[
        tuple[str, ...], Parameter(name="--set", consume_multiple=False, negative="")
    ] = (),
    layout: Layout = "auto",
    face_model: str | None = None,
    body_model: Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")] = (),
    running: Running = RUNNING,
    as_json: AsJson = False,
) -> int:
    """Rank all candidates of every movie in SOURCE for each of its cast.

    Writes run.sqlite, ranking.csv, scores.csv, run.json and report/index.html.

    Args:
        source: Folder or file with the movies: IMDb course layout, WIDER layout, or plain folders.
        preset: Named pipeline; `castsearch presets` lists them.
        out: Folder that the results are written to.
        settings: Replace one value of the preset, as NAME=VALUE; may be given several times.
        layout: How SOURCE is laid out; told by itself unless given.
        face_model: Face encoder: a name of `castsearch models`, or the path of an ONNX file.
        body_model: Body encoder in place of the preset's: a name of `castsearch models`, or the
            path of an ONNX file; may be given several times.
        running: How it runs.
        as_json: Print the result as JSON.
    """
    from castsearch.verbs.rank import rank as rank_source

    run = rank_source(
        source,
        preset=preset,
        settings=settings,
        out=out,
        layout=layout,
        face_model=face_model,
        body_models=body_model,
        runtime=running.runtime(as_json=as_json),
    )
    return _tell(run, out, running, as_json=as_json)


@app.command
def demo(
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-demo"),
    preset: str = DEFAULT,
    running: Running = RUNNING,
) -> int:
    """Compose a small movie from public-domain photographs, rank it, and show the report.

    Args:
        out: Folder that the movie and the results are written to.
        preset: Named pipeline; `castsearch presets` lists them.
        running: How it runs.
    """
    from castsearch.verbs.demo import demo as rank_demo

    if not running.quiet:
        print(
            "The stills are composed at run time from public-domain photographs of two people "
            "and of things; they show the whole job, but they are no frames of a film."
        )
    run = rank_demo(out, preset=preset, runtime=running.runtime())
    return _tell(run, out / "results", running, as_json=False)


def _tell(run: RunResult, out: Path, running: Running, *, as_json: bool) -> int:
    """Print what a run found; the exit status that goes with it."""
    from castsearch.metrics import to_json

    status = tell_skipped(run.problems)
    if as_json:
        document: dict[str, Any] = {"out": str(out), "skipped": len(run.problems)}
        if run.evaluation is not None:
            document |= to_json(run.evaluation)
        print_json(document)
    elif not running.quiet:
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
