"""The log of a run: rows, what a broken run leaves, and the line that people see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from castsearch.training.log import Reporter, RunLog, read_log

ROW = {"step": 3, "loss": 0.5, "active": 0.25, "spread": 0.125, "lr": 1e-3}


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3, "lo')
    assert read_log(path) == [{"step": 1}, {"step": 2}]


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    log = RunLog(tmp_path, -1)
    log.add({"step": 1, "loss": 2.0})
    # Read while the run goes on, as people do.
    assert read_log(tmp_path / "log.jsonl") == [{"step": 1, "loss": 2.0}]
    log.add({"step": 1, "event": "collapsed", "message": "all alike"})
    log.close()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line).get("event") for line in lines] == [None, "collapsed"]


def test_rows_beyond_the_step_gone_on_from_are_dropped(tmp_path: Path) -> None:
    log = RunLog(tmp_path, -1)
    for step in (1, 2, 3, 4):
        log.add({"step": step})
    log.close()
    log = RunLog(tmp_path, 2)
    log.add({"step": 3, "again": 1.0})
    log.close()
    rows = read_log(tmp_path / "log.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[-1]["again"] == 1.0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_run_from_the_start_begins_the_log_anew(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 9}\n')
    RunLog(tmp_path, -1).close()
    assert read_log(tmp_path / "log.jsonl") == []


def test_scalars_of_tensorboard_are_grouped_and_words_are_left_out(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = RunLog(tmp_path, -1)
    log.add({"step": 5, "loss": 0.5, "val_mAP": 0.25, "message": "words"})
    log.close()
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert set(board.Tags()["scalars"]) == {"training/loss", "validation/val_mAP"}
    (event,) = board.Scalars("validation/val_mAP")
    assert (event.step, event.value) == (5, 0.25)


def test_the_line_for_people_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter("lines").step(ROW, 0.5, 61.4)
    words = "step 3, 50%: loss 0.5000, active 25%, spread 0.125, lr 1.0e-03, 1:01 left\n"
    assert capsys.readouterr().err == words


def test_lines_are_seconds_apart_and_the_last_is_always_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter("lines")
    for step, done in ((1, 0.1), (2, 0.2), (3, 1.0)):
        reporter.step(ROW | {"step": step}, done, 0.0)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["step 1", "step 3"]


def test_quiet_says_warnings_alone(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter("quiet")
    reporter.step(ROW, 1.0, 0.0)
    reporter.say(["the data"])
    reporter.warn("the trouble")
    assert capsys.readouterr().err == "the trouble\n"
