"""``rerank``: improve a ranking file, of this or another system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AsJson
from castsearch.cli.printing import print_json


def rerank(
    ranking: Path,
    /,
    *,
    by: Literal["competition"] = "competition",
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    alpha: float = 1.5,
    shift: float = 50.0,
    truth: Path | None = None,
    as_json: AsJson = False,
) -> int:
    """Rerank and print what it is worth; needs no pictures.

    Args:
        ranking: CSV `Id,Rank`, WIDER text, or the scores.csv of a run.
        by: The method; `competition`: a candidate that another cast claims more strongly drops.
        out: File to write, in the form of RANKING; default `NAME-competition` in this folder.
        alpha: Weight of the other casts' claim; 0 changes nothing.
        shift: Added to the rank before the logarithm.
        truth: Ground truth: prints mAP before and after, and tuned leave-one-movie-out.
        as_json: Print JSON with the keys out, before, after, tuned.
    """
    result = castsearch.rerank(ranking, by=by, out=out, alpha=alpha, shift=shift, truth=truth)
    scores = result.comparison
    if as_json:
        figures = scores and {"before": scores.before, "after": scores.after, "tuned": scores.tuned}
        print_json({"out": str(result.out), **(figures or {})})
        return 0
    for message in result.messages:
        print(message)
    print(f"wrote {result.out}")
    if scores is not None:
        print(f"mAP before {scores.before:.4f}")
        print(f"mAP after  {scores.after:.4f}")
        if scores.tuned is None:
            print("one movie only: nothing to tune on")
        else:
            print(f"mAP tuned  {scores.tuned:.4f} (each movie with the values best on the others)")
    return 0
