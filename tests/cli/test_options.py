"""Shared options become one Runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.cli.options import Machine
from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime


def test_what_is_not_given_is_as_the_functions_have_it_but_for_progress() -> None:
    assert Machine().runtime() == Runtime(progress="auto")


def test_every_option_reaches_the_runtime() -> None:
    machine = Machine(Path("s.sqlite"), 3, "cpu", 12.5, quiet=False)
    assert machine.runtime() == Runtime(Path("s.sqlite"), 3, "cpu", 12.5, "auto")


@pytest.mark.parametrize(
    ("quiet", "as_json", "progress"),
    [(False, False, "auto"), (True, False, "quiet"), (False, True, "quiet")],
)
def test_no_progress_is_shown_beside_json_or_in_quiet(quiet, as_json, progress) -> None:
    assert Machine(quiet=quiet).runtime(as_json=as_json).progress == progress


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_below_one_are_refused(jobs) -> None:
    with pytest.raises(InputError, match="--jobs takes 1 or more"):
        Machine(jobs=jobs).runtime()
