"""``evaluate``: score a ranking, or a model, against the truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import castsearch
from castsearch.cli.options import AsJson, Flip, Machine, PresetName
from castsearch.cli.printing import print_json, tell_skipped

if TYPE_CHECKING:
    from castsearch.verbs.embed import IdentityScore


def evaluate(
    truth: Path,
    ranking: Path | None = None,
    /,
    *,
    protocol: Literal["cast", "lfw", "market1501"] = "cast",
    preset: PresetName = "castsearch",
    face_model: str | None = None,
    model: str | None = None,
    flip: Flip = False,
    machine: Machine = Machine(),
    as_json: AsJson = False,
) -> int:
    """Score and print the figures.

    Args:
        truth: Ground truth: GT.json, a WIDER label file, or a labelled SOURCE; with
            `--protocol lfw` the folder or pairs file; with `--protocol market1501` the data set.
        ranking: Submission: CSV `Id,Rank`, WIDER text, or the scores.csv of a run.
        protocol: `cast` scores rankings; `lfw` verifies pairs of faces with a face encoder;
            `market1501` scores re-identification with the vectors of a model.
        preset: For lfw: the pipeline whose detector and encoder are measured.
        face_model: For lfw: another face encoder than the preset's.
        model: For market1501: body encoder, a name of `castsearch models` or an ONNX file.
        flip: For market1501: average each vector with that of the mirror image.
        as_json: Print JSON with the keys mAP, rank1, rank5, rank10, movies, queries.
    """
    runtime = machine.runtime(as_json=as_json)
    if protocol == "lfw":
        figures = castsearch.evaluate(
            truth, protocol=protocol, preset=preset, face_model=face_model, runtime=runtime
        )
        print_json(dataclasses.asdict(figures))
        return 0
    if protocol == "market1501":
        score = castsearch.evaluate(
            truth, protocol=protocol, model=model, flip=flip, runtime=runtime
        )
        return _print_identities(score, as_json=as_json)
    from castsearch.metrics import print_evaluation, to_json

    evaluation = castsearch.evaluate(truth, ranking)
    if as_json:
        print_json(to_json(evaluation))
    else:
        from rich.console import Console

        print_evaluation(evaluation, Console())
    return 0


def _print_identities(score: IdentityScore, *, as_json: bool) -> int:
    status = tell_skipped(score.problems)
    market = score.market
    if as_json:
        print_json(dataclasses.asdict(market) | {"skipped": len(score.problems)})
    else:
        print(f"mAP {market.mAP:.4f} (trapezoid form {market.mAP_trapezoid:.4f})")
        print(f"rank-1 {market.rank1:.4f}  rank-5 {market.rank5:.4f}  rank-10 {market.rank10:.4f}")
        print(
            f"{market.n_queries} queries, {market.n_gallery} pictures in the gallery; "
            f"{market.n_skipped} queries have no right answer"
        )
    return status
