"""The command line: one verb per public function."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from castsearch.errors import CastsearchError, InputError
from castsearch.presets import DEFAULT, PRESETS
from castsearch.progress import Style

app = App(
    name="castsearch",
    help="Find who is who in films: rank every person crop for each cast member's portrait.",
)

Layout = Literal["auto", "imdb", "wider", "folder"]


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=1))


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
    max_megapixels: float = 100.0,
    jobs: int | None = None,
    store: Path | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
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
        max_megapixels: Pictures with more pixels than this are refused.
        jobs: How many pictures are worked on at once; all cores unless given.
        store: File that detections and embeddings are kept in.
        quiet: Show no progress, and nothing but problems.
        as_json: Print the result as JSON.
    """
    from castsearch import evaluate as scoring
    from castsearch import pipeline

    if jobs is not None and jobs < 1:
        raise InputError("--jobs takes 1 or more.")
    style: Style = "quiet" if quiet or as_json else "auto"
    run = pipeline.rank(
        source,
        preset_name=preset,
        settings=settings,
        out=out,
        layout=layout,
        face_model=face_model,
        max_megapixels=max_megapixels,
        n_jobs=jobs,
        store=store,
        progress=style,
    )
    for problem in run.problems:
        print(f"skipped: {problem.message}", file=sys.stderr)
    if as_json:
        document: dict[str, Any] = {"out": str(out), "skipped": len(run.problems)}
        if run.evaluation is not None:
            document |= scoring.to_json(run.evaluation)
        _print_json(document)
    elif not quiet:
        n_queries = sum(len(result.rankings) for result in run.movies)
        print(f"ranked {n_queries} queries in {len(run.movies)} movies; ", end="")
        print(f"{run.n_ties} places were tied and decided by id")
        if run.evaluation is not None:
            for movie in run.evaluation.movies:
                print(f"{movie.movie}: mAP {movie.mAP:.4f}")
            print(f"mAP {run.evaluation.mAP:.4f}")
        print(f"report: {out / 'report' / 'index.html'}")
    return 1 if run.problems else 0


@app.command
def evaluate(
    truth: Path,
    ranking: Path | None = None,
    /,
    *,
    protocol: Literal["cast", "lfw"] = "cast",
    preset: str = DEFAULT,
    face_model: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Score RANKING against TRUTH: mAP, rank-1/5/10, per movie and per query.

    Args:
        truth: Ground truth: GT.json, a WIDER label file, or a labelled SOURCE; with
            `--protocol lfw` the folder or pairs file.
        ranking: Submission: CSV `Id,Rank`, WIDER text, or scores.parquet.
        protocol: `cast` scores rankings; `lfw` verifies pairs of faces with a face encoder.
        preset: For lfw: the pipeline whose detector and encoder are measured.
        face_model: For lfw: another face encoder than the preset's.
        as_json: Print JSON with the keys mAP, rank1, rank5, rank10, movies, queries.
    """
    from rich.console import Console

    from castsearch import evaluate as scoring

    if protocol == "lfw":
        from castsearch.lfw import verify

        _print_json(dataclasses.asdict(verify(truth, preset_name=preset, face_model=face_model)))
        return 0
    if ranking is None:
        raise InputError("RANKING is missing: castsearch evaluate TRUTH RANKING.")
    evaluation = scoring.evaluate(scoring.read_truth(truth), scoring.read_ranking(ranking))
    if as_json:
        _print_json(scoring.to_json(evaluation))
    else:
        scoring.print_evaluation(evaluation, Console())
    return 0


@app.command
def presets(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the named pipelines and their settings.

    Args:
        as_json: Print them as JSON.
    """
    if as_json:
        _print_json({name: dataclasses.asdict(p) for name, p in PRESETS.items()})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "what it does", "locator", "encoder", "relation", box=None)
    for p in PRESETS.values():
        mark = " (default)" if p.name == DEFAULT else ""
        table.add_row(p.name + mark, p.summary, p.locator, p.encoder, p.relation)
    Console().print(table)
    return 0


@app.command
def models(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the models: file, sha256, origin, licence, input, and whether they are present.

    Args:
        as_json: Print them as JSON.
    """
    from castsearch import models as model_table

    rows = [
        dataclasses.asdict(m) | {"present": model_table.locate(m) is not None}
        for m in model_table.table().values()
    ]
    if as_json:
        _print_json(rows)
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "model", "kind", "present", "input", "dim", "sha256", "origin", "licence", box=None
    )
    for row in rows:
        size = "x".join(map(str, row["size"])) if any(row["size"]) else "any"
        present = "yes" if row["present"] else f"no: castsearch[{row['extra']}]"
        table.add_row(
            row["name"],
            row["kind"],
            present,
            size,
            str(row["dim"] or ""),
            row["sha256"][:12],
            row["origin"],
            row["licence"],
        )
    Console().print(table)
    return 0


@app.command
def demo(
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("castsearch-demo"),
    preset: str = DEFAULT,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Compose a small movie from public-domain photographs, rank it, and show the report.

    Args:
        out: Folder that the movie and the results are written to.
        preset: Named pipeline; `castsearch presets` lists them.
        quiet: Show no progress, and nothing but problems.
    """
    from castsearch.demo import compose

    source = compose(out / "movie")
    if not quiet:
        print(
            "The stills are composed at run time from public-domain photographs of two people "
            "and of things; they show the whole job, but they are no frames of a film."
        )
    return rank(source, preset=preset, out=out / "results", quiet=quiet)


@app.command
def forget(source: Path, /, *, layout: Layout = "auto", store: Path | None = None) -> int:
    """Delete every face, vector and thumbnail kept of the pictures in SOURCE.

    Args:
        source: Folder or file with the movies, as for `rank`.
        layout: How SOURCE is laid out; told by itself unless given.
        store: File that detections and embeddings are kept in.
    """
    from castsearch.forget import forget as forget_source

    n_pictures, n_results = forget_source(source, layout=layout, store=store)
    print(f"deleted {n_results} results of {n_pictures} pictures")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 failure or skips, 2 bad input, 130."""
    from rich.console import Console

    try:
        result = app(
            list(sys.argv[1:] if arguments is None else arguments),
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
            error_console=Console(stderr=True),
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
