"""The ablation as tables, in words, and as a chart."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from castsearch.metrics.bootstrap import Interval
from castsearch.metrics.comparison import Ablation, AblationRow
from castsearch.outputs.chart import bar_chart
from castsearch.runtime.files import whole_text_file


def write_tables(out: Path, table: Ablation) -> None:
    """Write ``ablation.csv``, ``queries.csv``, ``ablation.md`` and ``chart.svg``.

    Raises:
        CastsearchError: a file cannot be written.
    """
    _write_csv(out / "ablation.csv", [_fields(table, row) for row in table.rows])
    _write_csv(out / "queries.csv", _query_rows(table))
    for name, text in (("ablation.md", markdown(table)), ("chart.svg", bar_chart(table.rows))):
        with whole_text_file(out / name) as file:
            file.write(text)


def to_json(table: Ablation) -> dict[str, Any]:
    """What ``castsearch ablate --json`` prints of the table: plain numbers, lists and strings."""
    return {
        "against": table.against,
        "n_queries": len(table.queries),
        "n_no_face_queries": table.n_no_face_queries,
        "n_resamples": table.n_resamples,
        "seed": table.seed,
        "presets": [
            {
                "preset": row.variant.name,
                "note": row.variant.note,
                "mAP": _ends(row.mAP),
                "no_face": None if row.no_face is None else _ends(row.no_face),
                "difference": _ends(row.difference),
                "movies": {
                    f"{source}/{movie}": value
                    for (source, movie), value in zip(table.movies, row.by_movie, strict=True)
                },
                "reference_val": row.variant.reference_val,
                "reference_test": row.variant.reference_test,
            }
            for row in table.rows
        ],
    }


def markdown(table: Ablation) -> str:
    """The table in Markdown, with what its figures are."""
    movies = [f"{source} {movie}" for source, movie in table.movies]
    head = [
        "preset",
        "mAP (95 %)",
        f"less {table.against}",
        "no face seen: mAP (95 %)",
        "reference, other data: val / test",
        *movies,
        "what it is",
    ]
    lines = [_line(head), "|---" * len(head) + "|"]
    for row in table.rows:
        reference = (
            f"{published(row.variant.reference_val)} / {published(row.variant.reference_test)}"
        )
        lines.append(
            _line(
                [
                    f"`{row.variant.name}`",
                    in_words(row.mAP),
                    in_words(row.difference, signed=True),
                    "-" if row.no_face is None else in_words(row.no_face),
                    reference,
                    *(f"{value:.3f}" for value in row.by_movie),
                    row.variant.note,
                ]
            )
        )
    return "\n".join([*lines, "", *explained(table), ""])


def explained(table: Ablation) -> list[str]:
    """What the figures of the table are, a sentence or two each."""
    return [
        f"mAP is the mean over {len(table.queries)} queries; per movie, over those of the movie.",
        "In brackets: 95 % intervals of the bootstrap over queries, percentiles of "
        f"{table.n_resamples} draws with seed {table.seed}; queries of one id are drawn together. "
        "Differences are paired: of the same draws.",
        '"No face seen" ranks the same lists without the candidates in which the default preset '
        f"finds a face; {table.n_no_face_queries} queries have a right candidate left.",
        "The reference's figures are its own, for 25 validation and 100 test movies that are not "
        "public: of other data, not comparable with the rest of the table.",
    ]


def in_words(value: Interval, *, signed: bool = False) -> str:
    """``0.712 (0.655 to 0.764)``; with a sign for differences."""
    form = "+.3f" if signed else ".3f"
    return f"{value.mean:{form}} ({value.low:{form}} to {value.high:{form}})"


def published(value: float | None) -> str:
    """A figure of the reference with the digits that it was printed with, four or five."""
    return "-" if value is None else f"{value:.5f}".removesuffix("0")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _ends(value: Interval) -> dict[str, float]:
    return {"mean": value.mean, "low": value.low, "high": value.high}


def _fields(table: Ablation, row: AblationRow) -> dict[str, Any]:
    fields: dict[str, Any] = {"preset": row.variant.name}
    parts = {"mAP": row.mAP, "no_face_mAP": row.no_face, f"less {table.against}": row.difference}
    for name, value in parts.items():
        fields[name] = "" if value is None else f"{value.mean:.6f}"
        fields[f"{name} low"] = "" if value is None else f"{value.low:.6f}"
        fields[f"{name} high"] = "" if value is None else f"{value.high:.6f}"
    for (source, movie), mean in zip(table.movies, row.by_movie, strict=True):
        fields[f"{source} {movie}"] = f"{mean:.6f}"
    fields["reference_val"] = row.variant.reference_val
    fields["reference_test"] = row.variant.reference_test
    fields["note"] = row.variant.note
    return fields


def _query_rows(table: Ablation) -> list[dict[str, Any]]:
    """One row per query and preset."""
    return [
        {
            "source": query.source,
            "movie": query.movie,
            "query": query.query,
            "preset": row.variant.name,
            "AP": f"{query.AP[i]:.6f}",
            "no_face_AP": f"{query.AP_no_face[i]:.6f}" if query.AP_no_face else "",
            "positives": query.n_positives,
            "no_face_positives": query.n_no_face,
        }
        for query in table.queries
        for i, row in enumerate(table.rows)
    ]


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with whole_text_file(path) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
