"""castsearch: find who is who in films, from one portrait per cast member."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("castsearch")
