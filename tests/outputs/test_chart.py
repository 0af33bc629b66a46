"""The chart of an ablation, by hand."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from castsearch.metrics.comparison import Ablation, QueryAP, Variant, ablation_of
from castsearch.outputs.chart import bar_chart

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def table() -> Ablation:
    """One query, so that every interval is a point."""
    variants = [Variant("dlib_allcast", "row 4", 0.4940, 0.50801), Variant("a|b<i>&", "hostile")]
    query = QueryAP("set", "m1", "m1_a", (0.25, 0.75), (0.125, 0.5), 3, 1)
    return ablation_of(variants, [query], against="a|b<i>&", n_resamples=10)


def test_bars_are_as_long_as_their_scores(table: Ablation) -> None:
    picture = ElementTree.fromstring(bar_chart(table.rows))
    bars = [float(bar.get("width", 0)) for bar in picture.iter(f"{SVG}rect")]
    assert bars == [0.25 * 480, 0.75 * 480]
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert "a|b<i>&" in texts
    assert "0.750" in texts
    assert picture.get("role") == "img"


def test_a_long_name_is_cut() -> None:
    variant = Variant("castsearch:" + "x" * 50, "")
    query = QueryAP("set", "m1", "m1_a", (0.25,), None, 3, 0)
    table = ablation_of([variant], [query], against=variant.name, n_resamples=2)
    texts = [text.text or "" for text in ElementTree.fromstring(bar_chart(table.rows)).iter()]
    assert "castsearch:" + "x" * 28 + "…" in texts
