"""Without the extra, one sentence says what is missing and what brings it."""

from __future__ import annotations

import importlib.util

import pytest

from castsearch.errors import InputError
from castsearch.training.extra import PACKAGES, need_training
from castsearch.training.train import train


def test_with_the_extra_nothing_is_said() -> None:
    need_training()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_that_is_missing_is_named(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else find(name)
    )
    words = rf"needs {package}, which the extra castsearch\[train\] brings: pip install"
    with pytest.raises(InputError, match=words):
        need_training()
    # Before the source is looked at: nobody is to hear of a missing folder first.
    with pytest.raises(InputError, match=words):
        train("no such folder")
