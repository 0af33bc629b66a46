"""What a run writes down as it goes: JSON lines, TensorBoard events, and a line for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from castsearch.errors import CastsearchError
from castsearch.runtime.files import whole_text_file
from castsearch.runtime.progress import SECONDS_BETWEEN_LINES, Style

Row = dict[str, Any]


def read_log(path: Path) -> list[Row]:
    """The rows of a log file; a last line that was cut off is left out."""
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


class RunLog:
    """``log.jsonl`` and ``tensorboard/`` of a run.

    Rows beyond the step that a run goes on from are dropped, so that the file reads as if it had
    never been broken off.

    Args:
        folder: Where both lie.
        step: The last step that is kept; -1 begins anew.

    Raises:
        CastsearchError: the files cannot be written.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / "log.jsonl"
        rows = [r for r in read_log(self.path) if r["step"] <= step] if self.path.exists() else []
        try:
            with whole_text_file(self.path) as file:
                file.writelines(_line(row) for row in rows)
            self._file = self.path.open("a", encoding="utf-8")
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
        except OSError as error:
            raise self._failed(error) from error

    def add(self, row: Row) -> None:
        """Write a row; numbers other than the step become scalars of TensorBoard too."""
        try:
            self._file.write(_line(row))
            self._file.flush()
            for name, value in row.items():
                if name != "step" and isinstance(value, int | float):
                    group = "validation" if name.startswith("val_") else "training"
                    self._board.add_scalar(f"{group}/{name}", value, row["step"])
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Write out what is left; a full disk is no reason to fail here."""
        for part in (self._board, self._file):
            try:
                part.close()
            except OSError as error:
                print(f"castsearch: {self.path}: {error}", file=sys.stderr)

    def _failed(self, error: OSError) -> CastsearchError:
        return CastsearchError(
            f"{self.path}: the log cannot be written ({error.strerror}); the last checkpoint is "
            "kept. Make room and run the same command again to go on."
        )


def _line(row: Row) -> str:
    return json.dumps(row) + "\n"


class Reporter:
    """Tells people on stderr how far the run has come and how long it will take.

    Args:
        style: "quiet" says nothing but warnings.
    """

    def __init__(self, style: Style) -> None:
        self._quiet = style == "quiet"
        self._rewrites = style == "auto" and sys.stderr.isatty()
        self._last = -SECONDS_BETWEEN_LINES

    def step(self, row: Row, done: float, seconds_left: float) -> None:
        """One step, in a line that is written over on a terminal, every few seconds elsewhere."""
        now = time.monotonic()
        wait = 0.2 if self._rewrites else SECONDS_BETWEEN_LINES
        if self._quiet or (now - self._last < wait and done < 1.0):
            return
        self._last = now
        minutes, seconds = divmod(round(seconds_left), 60)
        text = (
            f"step {row['step']}, {done:.0%}: loss {row['loss']:.4f}, active {row['active']:.0%}, "
            f"spread {row['spread']:.3f}, lr {row['lr']:.1e}, {minutes}:{seconds:02} left"
        )
        print(f"\r\x1b[2K{text}" if self._rewrites else text, file=sys.stderr, end="")
        print(end="" if self._rewrites else "\n", file=sys.stderr, flush=True)

    def say(self, sentences: Iterable[str]) -> None:
        """Sentences about the data or a validation."""
        for sentence in sentences:
            if not self._quiet:
                self.warn(sentence)

    def warn(self, sentence: str) -> None:
        """A sentence that is said even when quiet."""
        print(f"\r\x1b[2K{sentence}" if self._rewrites else sentence, file=sys.stderr, flush=True)
