"""The names of the layouts, for signatures and the command line; imports nothing that is slow.

What each name stands for is the table in :mod:`castsearch.sources.movies`.
"""

from __future__ import annotations

from typing import Literal

MovieLayout = Literal["wider", "imdb", "folder"]
"""How movies lie in files."""

Layout = Literal["auto", MovieLayout]
"""How SOURCE is laid out where it has to hold movies; ``auto`` is told by what is there."""

AnyLayout = Literal[Layout, "pictures"]
"""Likewise where it may also be any folder of pictures."""
