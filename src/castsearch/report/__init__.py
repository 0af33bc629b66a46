"""What a run shows: the page that opens from disk, and the scores as a table."""

from __future__ import annotations

from castsearch.report.export import write_scores
from castsearch.report.html import write_report

__all__ = ["write_report", "write_scores"]
