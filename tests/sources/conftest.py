"""Small data sets made at test time; reading decodes nothing, so that a picture may be a byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, object]], Path]:
    """Writes files into a folder "data": bytes and text as they are, anything else as JSON."""
    root = tmp_path / "data"
    root.mkdir()

    def write(files: dict[str, object]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content if isinstance(content, str) else json.dumps(content))
        return root

    return write
