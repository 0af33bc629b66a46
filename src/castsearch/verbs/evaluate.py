"""Score a ranking against the truth."""

from __future__ import annotations

from pathlib import Path

from castsearch import metrics


def evaluate(truth: str | Path, ranking: str | Path) -> metrics.Evaluation:
    """The scores of a ranking file: mAP, rank-1/5/10, per movie, per query.

    Args:
        truth: Ground truth in any form that :func:`castsearch.metrics.read_truth` reads, or a
            labelled source.
        ranking: CSV ``Id,Rank``, WIDER text, or a table of scores.

    Raises:
        InputError: a file cannot be read, or they do not fit each other.
    """
    return metrics.evaluate(metrics.read_truth(Path(truth)), metrics.read_ranking(Path(ranking)))
