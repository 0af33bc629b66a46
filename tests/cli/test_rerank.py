"""``castsearch rerank``: what it is worth is printed, and the file is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from castsearch.cli import main

# With alpha 3 and shift 0, tt1_1 is claimed by the second list: -ln 2 - 3 ln 2 = -ln 16 falls
# below tt1_2's -ln 3 - 3 ln 1.5 = -ln 10.125.
LISTS = "Id,Rank\ntt1_nm1,tt1_0 tt1_1 tt1_2\ntt1_nm2,tt1_1 tt1_2 tt1_0\n"
AFTER = "Id,Rank\ntt1_nm1,tt1_0 tt1_2 tt1_1\ntt1_nm2,tt1_1 tt1_2 tt1_0\n"
OPTIONS = ["--alpha", "3", "--shift", "0"]


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The truth of the lists, which are beside it in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text(LISTS)
    Path("GT.json").write_text('{"tt1_nm1": ["tt1_0", "tt1_2"], "tt1_nm2": ["tt1_1"]}')
    return "GT.json"


@pytest.mark.usefixtures("truth")
def test_without_a_truth_the_file_is_named(capsys) -> None:
    assert main(["rerank", "mine.csv", *OPTIONS]) == 0
    assert capsys.readouterr().out == "wrote mine-competition.csv\n"
    assert Path("mine-competition.csv").read_text() == AFTER


def test_with_a_truth_it_is_scored(truth: str, capsys) -> None:
    assert main(["rerank", "mine.csv", *OPTIONS, "--truth", truth, "-o", "new.csv"]) == 0
    # Before, the lists have ((1 + 2/3) / 2 + 1) / 2; afterwards all right ones are in front.
    assert capsys.readouterr().out.splitlines() == [
        "wrote new.csv",
        "mAP before 0.9167",
        "mAP after  1.0000",
        "one movie only: nothing to tune on",
    ]


def test_as_json(truth: str, capsys) -> None:
    assert main(["rerank", "mine.csv", *OPTIONS, "--truth", truth, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == {
        "out": "mine-competition.csv",
        "before": pytest.approx(11 / 12),
        "after": 1.0,
        "tuned": None,
    }
    assert main(["rerank", "mine.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"out": "mine-competition.csv"}
