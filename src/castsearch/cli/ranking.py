"""The main job: ``rank``, and ``demo``, which ranks a composed movie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from castsearch.cli.app import (
    AsJson,
    Quiet,
    app,
    checked_jobs,
    print_json,
    style_of,
    tell_skipped,
)
from castsearch.presets import DEFAULT
from castsearch.sources.layouts import Layout


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
    max_megapixels: float = 100.0,
    jobs: int | None = None,
    store: Path | None = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Rank all candidates of every movie in SOURCE for each of its cast.

    Writes ranking.csv, scores.parquet, run.json and report/index.html.

    Args:
        source: Folder or file with the movies: IMDb course layout, WIDER layout, or plain folders.
        preset: Named pipeline; `castsearch presets` lists them.
        out: Folder that the results are written to.
        settings: Replace one value of the preset, as NAME=VALUE; may be given several times.
        layout: How SOURCE is laid out; told by itself unless given.
        face_model: Face encoder: a name of `castsearch models`, or the path of an ONNX file.
        body_model: Body encoder in place of the preset's: a name of `castsearch models`, or the
            path of an ONNX file; may be given several times.
        max_megapixels: Pictures with more pixels than this are refused.
        jobs: How many pictures are worked on at once; all cores unless given.
        store: File that detections and embeddings are kept in.
        quiet: Show no progress, and nothing but problems.
        as_json: Print the result as JSON.
    """
    from castsearch import metrics as scoring
    from castsearch.verbs import rank as pipeline

    run = pipeline.rank(
        source,
        preset_name=preset,
        settings=settings,
        out=out,
        layout=layout,
        face_model=face_model,
        body_models=body_model,
        max_megapixels=max_megapixels,
        n_jobs=checked_jobs(jobs),
        store=store,
        progress=style_of(quiet, as_json),
    )
    status = tell_skipped(run.problems)
    if as_json:
        document: dict[str, Any] = {"out": str(out), "skipped": len(run.problems)}
        if run.evaluation is not None:
            document |= scoring.to_json(run.evaluation)
        print_json(document)
    elif not quiet:
        n_queries = sum(len(result.rankings) for result in run.movies)
        print(f"ranked {n_queries} queries in {len(run.movies)} movies; ", end="")
        print(f"{run.n_ties} places were tied and decided by id")
        if run.evaluation is not None:
            for movie in run.evaluation.movies:
                print(f"{movie.movie}: mAP {movie.mAP:.4f}")
            print(f"mAP {run.evaluation.mAP:.4f}")
        print(f"report: {out / 'report' / 'index.html'}")
    return status


@app.command
def demo(
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-demo"),
    preset: str = DEFAULT,
    quiet: Quiet = False,
) -> int:
    """Compose a small movie from public-domain photographs, rank it, and show the report.

    Args:
        out: Folder that the movie and the results are written to.
        preset: Named pipeline; `castsearch presets` lists them.
        quiet: Show no progress, and nothing but problems.
    """
    from castsearch.verbs.demo import compose

    source = compose(out / "movie")
    if not quiet:
        print(
            "The stills are composed at run time from public-domain photographs of two people "
            "and of things; they show the whole job, but they are no frames of a film."
        )
    return rank(source, preset=preset, out=out / "results", quiet=quiet)
