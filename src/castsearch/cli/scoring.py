"""``evaluate``: score a ranking, or a face encoder, against the truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from castsearch.cli.app import AsJson, app, print_json
from castsearch.errors import InputError
from castsearch.presets import DEFAULT


@app.command
def evaluate(
    truth: Path,
    ranking: Path | None = None,
    /,
    *,
    protocol: Literal["cast", "lfw"] = "cast",
    preset: str = DEFAULT,
    face_model: str | None = None,
    as_json: AsJson = False,
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

        print_json(dataclasses.asdict(verify(truth, preset_name=preset, face_model=face_model)))
        return 0
    if ranking is None:
        raise InputError("RANKING is missing: castsearch evaluate TRUTH RANKING.")
    evaluation = scoring.evaluate(scoring.read_truth(truth), scoring.read_ranking(ranking))
    if as_json:
        print_json(scoring.to_json(evaluation))
    else:
        scoring.print_evaluation(evaluation, Console())
    return 0
