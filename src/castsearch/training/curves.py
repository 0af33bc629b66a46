"""The curves of a run as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from castsearch.runtime.files import whole_file
from castsearch.training.log import Row

_PANELS = (
    ("loss", "loss"),
    ("active", "share of active triplets"),
    ("spread", "embedding spread"),
    ("val_mAP", "validation mAP"),
)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Loss, share of active triplets, embedding spread and validation mAP over the steps.

    Args:
        rows: Of the log; a panel without values says so.
        path: The PNG that is written.
    """
    # The figure's own canvas, so that neither a display nor matplotlib's global state is touched.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, title) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        points = [(row["step"], row[name]) for row in rows if name in row]
        axes.set_title(title)
        axes.set_xlabel("step")
        if not points:
            axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
            continue
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, marker="o" if name == "val_mAP" else None, linewidth=1)
        axes.grid(alpha=0.3)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
