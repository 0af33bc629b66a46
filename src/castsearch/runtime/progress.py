"""How far long work has come: bars on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Style = Literal["auto", "lines", "quiet"]
SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def track(what: str, total: int, style: Style = "auto") -> Iterator[Callable[[], None]]:
    """Show progress of ``total`` steps on stderr; yields the function to call after each."""
    if style == "quiet" or total == 0:
        yield lambda: None
    elif style == "auto" and sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        yield _lines(what, total)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    start = time.monotonic()
    n_done = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, rate="")

        def advance() -> None:
            nonlocal n_done
            n_done += 1
            rate = n_done / max(time.monotonic() - start, 1e-9)
            progress.update(task, advance=1, rate=f"{rate:.1f}/s")

        yield advance


def _lines(what: str, total: int) -> Callable[[], None]:
    start = last = time.monotonic()
    n_done = 0

    def advance() -> None:
        nonlocal n_done, last
        n_done += 1
        now = time.monotonic()
        if n_done < total and now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = n_done / max(now - start, 1e-9)
        left = (total - n_done) / rate
        print(f"{what}: {n_done}/{total}, {rate:.1f}/s, {left:.0f} s left", file=sys.stderr)

    return advance
