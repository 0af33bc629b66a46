from __future__ import annotations

import time

import pytest

from castsearch.runtime.progress import track


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, to be set by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_lines_come_every_few_seconds_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with track("pictures", 4, "lines") as advance:
        for seconds in (2, 6, 7, 8):
            clock[0] = 100.0 + seconds
            advance()
    # 2 in 6 s is a third a second, which leaves 6 s for the other two.
    assert capsys.readouterr().err.splitlines() == [
        "pictures: 2/4, 0.3/s, 6 s left",
        "pictures: 4/4, 0.5/s, 0 s left",
    ]


def test_where_there_is_no_terminal_auto_means_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with track("stills", 1) as advance:
        advance()
    said = capsys.readouterr()
    assert said.err.startswith("stills: 1/1, ")
    assert said.out == ""


@pytest.mark.parametrize(("total", "style"), [(2, "quiet"), (0, "lines"), (0, "auto")])
def test_nothing_is_said(total: int, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    with track("pictures", total, style) as advance:
        for _ in range(total):
            advance()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with track("pictures", 3) as advance:
        for _ in range(3):
            advance()
    said = capsys.readouterr().err
    assert "pictures" in said
    assert "3/3" in said
