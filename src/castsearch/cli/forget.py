"""``forget``: delete what is kept of people's pictures."""

from __future__ import annotations

from pathlib import Path

import castsearch
from castsearch.cli.options import AnyLayout, Store
from castsearch.runtime.settings import Runtime


def forget(source: Path, /, *, layout: AnyLayout = "auto", store: Store = None) -> int:
    """Forget and print how much that was.

    Args:
        source: Folder or file with the movies, as for `rank`, or pictures, as for `embed`.
    """
    deleted = castsearch.forget(source, layout=layout, runtime=Runtime(store=store))
    print(f"deleted {deleted.n_results} results of {deleted.n_pictures} pictures")
    return 0
