"""What a run shows: the page that opens from disk, and the scores as a table."""

from __future__ import annotations

from castsearch.outputs.page import write_report
from castsearch.outputs.tables import write_scores

__all__ = ["write_report", "write_scores"]
