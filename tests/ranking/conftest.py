"""The literal forms that fast re-ranking, PPCC and query expansion are compared with."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

LOOPS = runpy.run_path(str(Path(__file__).with_name("loops.py")))


@pytest.fixture(scope="session")
def k_reciprocal_loop() -> Callable:
    return LOOPS["k_reciprocal_loop"]


@pytest.fixture(scope="session")
def ppcc_loop() -> Callable:
    return LOOPS["ppcc_loop"]


@pytest.fixture(scope="session")
def expand_loop() -> Callable:
    return LOOPS["expand_loop"]
