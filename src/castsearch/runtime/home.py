"""The folder that castsearch keeps things in between runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "CASTSEARCH_HOME"


def home() -> Path:
    """Where results and models are kept: ``CASTSEARCH_HOME``, or the user's cache folder."""
    return Path(os.environ.get(HOME_VARIABLE) or platformdirs.user_cache_path("castsearch"))
