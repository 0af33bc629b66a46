"""Evaluate: score rankings against the truth, and face encoders on pairs."""

from __future__ import annotations

from castsearch.metrics.market1501 import MarketScore, score_market
from castsearch.metrics.score import (
    BinScore,
    Evaluation,
    MovieScore,
    QueryScore,
    Scores,
    average_precision,
    evaluate,
    evaluation_of,
    scores_of,
    to_json,
)
from castsearch.metrics.submission import (
    Row,
    Submission,
    read_ranking,
    submission_of,
    write_submission_csv,
    write_submission_wider,
)
from castsearch.metrics.table import print_evaluation
from castsearch.metrics.truth import Truth, read_truth, truth_of
from castsearch.metrics.verification import Pair, Verification, read_pairs, verification

__all__ = [
    "BinScore",
    "Evaluation",
    "MarketScore",
    "MovieScore",
    "Pair",
    "QueryScore",
    "Row",
    "Scores",
    "Submission",
    "Truth",
    "Verification",
    "average_precision",
    "evaluate",
    "evaluation_of",
    "print_evaluation",
    "read_pairs",
    "read_ranking",
    "read_truth",
    "score_market",
    "scores_of",
    "submission_of",
    "to_json",
    "truth_of",
    "verification",
    "write_submission_csv",
    "write_submission_wider",
]
