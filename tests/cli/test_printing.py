"""What was skipped goes to stderr and decides the status; documents go to stdout."""

from __future__ import annotations

import json

from castsearch.cli.printing import print_json, tell_skipped
from castsearch.types import Problem


def test_nothing_skipped_is_a_good_end(capsys) -> None:
    assert tell_skipped(()) == 0
    assert capsys.readouterr() == ("", "")


def test_each_problem_is_a_line_and_the_status_is_one(capsys) -> None:
    assert tell_skipped([Problem("a", "a.jpg: broken."), Problem("b", "b.jpg: empty.")]) == 1
    out, errors = capsys.readouterr()
    assert (out, errors) == ("", "skipped: a.jpg: broken.\nskipped: b.jpg: empty.\n")


def test_json_is_read_back(capsys) -> None:
    print_json({"mAP": 0.5, "movies": ["tt1"]})
    assert json.loads(capsys.readouterr().out) == {"mAP": 0.5, "movies": ["tt1"]}
