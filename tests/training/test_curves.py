"""The picture of a run's curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from castsearch.training.curves import draw

ROWS = [
    {"step": 0, "val_mAP": 0.25},
    {"step": 1, "loss": 2.0, "active": 0.5, "spread": 0.75},
    {"step": 2, "loss": 1.0, "active": 0.25, "spread": 0.5},
    {"step": 2, "val_mAP": 0.5},
]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved, in the order in which they are."""
    figures: list[Figure] = []
    save = Figure.savefig

    def noted(figure: Figure, *arguments, **options) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", noted)
    return figures


def test_each_panel_has_its_points(tmp_path: Path, figures: list[Figure]) -> None:
    draw(ROWS, tmp_path / "curves.png")
    panels = {axes.get_title(): axes for axes in figures[0].axes}
    points = {
        title: [line.get_xydata().tolist() for line in axes.lines] for title, axes in panels.items()
    }
    assert points == {
        "loss": [[[1, 2.0], [2, 1.0]]],
        "share of active triplets": [[[1, 0.5], [2, 0.25]]],
        "embedding spread": [[[1, 0.75], [2, 0.5]]],
        "validation mAP": [[[0, 0.25], [2, 0.5]]],
    }


def test_a_panel_without_values_says_so(tmp_path: Path, figures: list[Figure]) -> None:
    draw(ROWS[1:3], tmp_path / "curves.png")
    words = {axes.get_title(): [t.get_text() for t in axes.texts] for axes in figures[0].axes}
    assert words["validation mAP"] == ["not measured"]
    assert words["loss"] == []


def test_the_file_is_a_picture_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    path.write_bytes(b"the one before")
    draw(ROWS, path)
    with Image.open(path) as image:
        assert image.size == (1100, 770)
        assert np.asarray(image.convert("L")).std() > 5
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]
