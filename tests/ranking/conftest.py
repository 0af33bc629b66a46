"""The literal forms that the fast ranking is compared with, and graphs to try it on."""

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


@pytest.fixture(scope="session")
def likeness_loop() -> Callable:
    return LOOPS["likeness_loop"]


@pytest.fixture(scope="session")
def links_loop() -> Callable:
    return LOOPS["links_loop"]


@pytest.fixture(scope="session")
def exclusive_loop() -> Callable:
    return LOOPS["exclusive_loop"]


@pytest.fixture(scope="session")
def film_loop() -> Callable:
    return LOOPS["film_loop"]
