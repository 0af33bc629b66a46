"""A bar chart with intervals, drawn as SVG: no library, no script, no style of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from castsearch.metrics.comparison import AblationRow

WIDTH, RIGHT, ROW, TOP, BOTTOM = 480, 60, 30, 8, 46
"""Room for bars and figures; height of a row; room above and below; in pixels."""
LETTER, LONGEST = 8, 40
"""Room for a letter of a name, and how many letters are written."""


def bar_chart(rows: Sequence[AblationRow]) -> str:
    """One bar per row from 0 to its mAP, with its interval, as an SVG element.

    Colours are attributes, and letters take the colour of the text around, so that the same
    picture stands in a page of any colours and in a file of its own.
    """
    names = [_shortened(row.variant.name) for row in rows]
    left = 20 + LETTER * max(map(len, names))

    def across(value: float) -> float:
        return round(left + WIDTH * value, 1)

    height = TOP + ROW * len(rows) + BOTTOM
    base = TOP + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + WIDTH + RIGHT} {height}" '
        f'width="{left + WIDTH + RIGHT}" height="{height}" role="img" '
        'aria-label="mAP of each preset with its 95 % interval; the table has the same figures" '
        'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
    ]
    for tick in range(6):
        x = across(tick / 5)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{base}" stroke="#888" stroke-opacity=".35"/>'
            f'<text x="{x}" y="{base + 18}" text-anchor="middle">{tick / 5:.1f}</text>'
        )
    for i, (name, row) in enumerate(zip(names, rows, strict=True)):
        middle = TOP + ROW * i + ROW // 2
        low, high = across(row.mAP.low), across(row.mAP.high)
        length = round(across(row.mAP.mean) - left, 1)
        parts.append(
            f'<text x="{left - 10}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{left}" y="{middle - 9}" width="{length}" height="18" '
            'fill="#3f7fc4"/>'
            f'<path d="M{low} {middle}H{high}M{low} {middle - 5}v10M{high} {middle - 5}v10" '
            'stroke="currentColor" stroke-width="1.5" fill="none"/>'
            f'<text x="{left + WIDTH + 8}" y="{middle + 4}">{row.mAP.mean:.3f}</text>'
        )
    parts.append(
        f'<text x="{left + WIDTH / 2}" y="{base + 38}" text-anchor="middle">'
        "mAP, with its 95 % interval over queries</text></svg>"
    )
    return "".join(parts)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
