from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from castsearch.runtime.home import HOME_VARIABLE, home


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "/somewhere/else")
    assert home() == Path("/somewhere/else")


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_user_s_cache_is_taken(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(HOME_VARIABLE)
    if value is not None:
        monkeypatch.setenv(HOME_VARIABLE, value)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: Path("/cache") / name)
    assert home() == Path("/cache/castsearch")
