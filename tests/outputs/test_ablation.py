"""The tables of an ablation, by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from castsearch.metrics.bootstrap import Interval
from castsearch.metrics.comparison import Ablation, QueryAP, Variant, ablation_of
from castsearch.outputs.ablation import in_words, markdown, published, to_json, write_tables
from castsearch.outputs.chart import bar_chart


@pytest.fixture
def table() -> Ablation:
    """One query, so that every interval is a point."""
    variants = [Variant("dlib_allcast", "row 4", 0.4940, 0.50801), Variant("a|b<i>&", "hostile")]
    query = QueryAP("set", "m1", "m1_a", (0.25, 0.75), (0.125, 0.5), 3, 1)
    return ablation_of(variants, [query], against="a|b<i>&", n_resamples=10)


def test_markdown(table: Ablation) -> None:
    lines = markdown(table).splitlines()
    assert lines[0] == (
        "| preset | mAP (95 %) | less a\\|b<i>& | no face seen: mAP (95 %) "
        "| reference, other data: val / test | set m1 | what it is |"
    )
    assert lines[2] == (
        "| `dlib_allcast` | 0.250 (0.250 to 0.250) | -0.500 (-0.500 to -0.500) "
        "| 0.125 (0.125 to 0.125) | 0.4940 / 0.50801 | 0.250 | row 4 |"
    )
    assert "not comparable with the rest of the table" in lines[-1]


def test_csv_and_json_hold_the_same_figures(table: Ablation, tmp_path: Path) -> None:
    write_tables(tmp_path, table)
    with (tmp_path / "ablation.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["preset"], first["mAP"], first["set m1"]) == (
        "dlib_allcast",
        "0.250000",
        "0.250000",
    )
    assert (first["reference_val"], second["reference_val"]) == ("0.494", "")
    assert (second["no_face_mAP"], second["less a|b<i>&"]) == ("0.500000", "0.000000")
    with (tmp_path / "queries.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["AP"] for row in rows] == ["0.250000", "0.750000"]
    document = json.loads(json.dumps(to_json(table)))
    assert document["presets"][0]["difference"] == {"mean": -0.5, "low": -0.5, "high": -0.5}
    assert document["presets"][1]["movies"] == {"set/m1": 0.75}
    assert (tmp_path / "chart.svg").read_text() == bar_chart(table.rows)


@pytest.mark.parametrize(
    ("value", "text"), [(0.5010, "0.5010"), (0.40796, "0.40796"), (0.5631, "0.5631"), (None, "-")]
)
def test_published_figures_keep_their_digits(value: float | None, text: str) -> None:
    assert published(value) == text


def test_intervals_in_words() -> None:
    assert in_words(Interval(0.5, 0.4, 0.6)) == "0.500 (0.400 to 0.600)"
    assert in_words(Interval(0.05, -0.1, 0.2), signed=True) == "+0.050 (-0.100 to +0.200)"
