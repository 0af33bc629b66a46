"""Show an evaluation on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from castsearch.metrics.score import BinScore, Evaluation

N_WORST = 10
"""How many of the worst queries are shown."""


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the means, then tables per movie, per number of positives, and the worst queries."""
    console.print(
        f"mAP {evaluation.mAP:.6f}  (mean over {evaluation.n_queries} queries; "
        f"mean over movies {evaluation.movie_macro_mAP:.6f})"
    )
    console.print(
        f"rank-1 {evaluation.rank1:.6f}  rank-5 {evaluation.rank5:.6f}  "
        f"rank-10 {evaluation.rank10:.6f}"
    )
    console.print(_movies(evaluation))
    console.print(_positives(evaluation))
    console.print(_worst(evaluation))
    for message in evaluation.messages:
        console.print(f"[yellow]note[/yellow] {escape(message)}")


def _movies(evaluation: Evaluation) -> Table:
    table = Table(title="Per movie", title_justify="left")
    table.add_column("movie")
    table.add_column("queries", justify="right")
    table.add_column("mAP", justify="right")
    for movie in evaluation.movies:
        table.add_row(escape(movie.movie), str(movie.n_queries), _figure(movie.mAP))
    return table


def _positives(evaluation: Evaluation) -> Table:
    table = Table(title="Per number of positives", title_justify="left")
    table.add_column("positives")
    table.add_column("queries", justify="right")
    table.add_column("mAP", justify="right")
    for part in evaluation.by_positives:
        table.add_row(_span(part), str(part.n_queries), _figure(part.mAP))
    return table


def _worst(evaluation: Evaluation) -> Table:
    table = Table(title="Worst queries", title_justify="left")
    table.add_column("query")
    for heading in ("AP", "positives", "ranked", "first hit"):
        table.add_column(heading, justify="right")
    counted = [(query.AP, query) for query in evaluation.queries if query.AP is not None]
    counted.sort(key=lambda pair: (pair[0], pair[1].query))
    for value, query in counted[:N_WORST]:
        table.add_row(
            escape(query.query),
            _figure(value),
            str(query.n_positives),
            str(query.n_ranked),
            "-" if query.first_hit is None else str(query.first_hit),
        )
    return table


def _span(part: BinScore) -> str:
    return f"{part.low} or more" if part.high is None else f"{part.low} to {part.high}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
