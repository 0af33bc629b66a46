"""What a run leaves: a folder that is the result, and in it the tables and pages that people open.

The folder's ``run.sqlite`` is the result; tables and report are made from it alone, and anew at any
time.
"""

from __future__ import annotations

from castsearch.outputs.export import export
from castsearch.outputs.run import Run, read_run
from castsearch.outputs.run_folder import RunFolder, Summary

__all__ = ["Run", "RunFolder", "Summary", "export", "read_run"]
