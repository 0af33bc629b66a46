"""``forget``: delete what is kept of people's pictures."""

from __future__ import annotations

from pathlib import Path

from castsearch.cli.app import app
from castsearch.sources.layouts import AnyLayout


@app.command
def forget(source: Path, /, *, layout: AnyLayout = "auto", store: Path | None = None) -> int:
    """Delete every face, vector and thumbnail kept of the pictures in SOURCE.

    Args:
        source: Folder or file with the movies, as for `rank`, or pictures, as for `embed`.
        layout: How SOURCE is laid out; told by itself unless given.
        store: File that detections and embeddings are kept in.
    """
    from castsearch.verbs.forget import forget as forget_source

    n_pictures, n_results = forget_source(source, layout=layout, store=store)
    print(f"deleted {n_results} results of {n_pictures} pictures")
    return 0
