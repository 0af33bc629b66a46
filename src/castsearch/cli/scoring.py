"""``evaluate``: score a ranking, or a face encoder, against the truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from castsearch.cli.app import RUNNING, AsJson, Running, app, print_json, tell_skipped
from castsearch.errors import InputError
from castsearch.presets import DEFAULT


@app.command
def evaluate(
    truth: Path,
    ranking: Path | None = None,
    /,
    *,
    protocol: Literal["cast", "lfw", "market1501"] = "cast",
    preset: str = DEFAULT,
    face_model: str | None = None,
    model: str | None = None,
    flip: Annotated[bool, Parameter(negative="")] = False,
    running: Running = RUNNING,
    as_json: AsJson = False,
) -> int:
    """Score RANKING against TRUTH: mAP, rank-1/5/10, per movie and per query.

    Args:
        truth: Ground truth: GT.json, a WIDER label file, or a labelled SOURCE; with
            `--protocol lfw` the folder or pairs file; with `--protocol market1501` the data set.
        ranking: Submission: CSV `Id,Rank`, WIDER text, or scores.parquet.
        protocol: `cast` scores rankings; `lfw` verifies pairs of faces with a face encoder;
            `market1501` scores re-identification with the vectors of a model.
        preset: For lfw: the pipeline whose detector and encoder are measured.
        face_model: For lfw: another face encoder than the preset's.
        model: For market1501: body encoder, a name of `castsearch models` or an ONNX file.
        flip: For market1501: average each vector with that of the mirror image.
        running: How it runs, for lfw and market1501.
        as_json: Print JSON with the keys mAP, rank1, rank5, rank10, movies, queries.
    """
    from rich.console import Console

    from castsearch.metrics import print_evaluation, to_json
    from castsearch.verbs.evaluate import evaluate as score

    if protocol == "lfw":
        from castsearch.verbs.verify import verify

        runtime = running.runtime(as_json=as_json)
        scores = verify(truth, preset=preset, face_model=face_model, runtime=runtime)
        print_json(dataclasses.asdict(scores))
        return 0
    if protocol == "market1501":
        return _market1501(truth, model, flip=flip, running=running, as_json=as_json)
    if ranking is None:
        raise InputError("RANKING is missing: castsearch evaluate TRUTH RANKING.")
    evaluation = score(truth, ranking)
    if as_json:
        print_json(to_json(evaluation))
    else:
        print_evaluation(evaluation, Console())
    return 0


def _market1501(
    source: Path, model: str | None, *, flip: bool, running: Running, as_json: bool
) -> int:
    from castsearch.verbs.embed import score_identities

    if model is None:
        raise InputError("--protocol market1501 needs --model: castsearch models lists them.")
    score, problems = score_identities(
        source, model, flip=flip, runtime=running.runtime(as_json=as_json)
    )
    status = tell_skipped(problems)
    if as_json:
        print_json(dataclasses.asdict(score) | {"skipped": len(problems)})
    else:
        print(f"mAP {score.mAP:.4f} (trapezoid form {score.mAP_trapezoid:.4f})")
        print(f"rank-1 {score.rank1:.4f}  rank-5 {score.rank5:.4f}  rank-10 {score.rank10:.4f}")
        print(
            f"{score.n_queries} queries, {score.n_gallery} pictures in the gallery; "
            f"{score.n_skipped} queries have no right answer"
        )
    return status
