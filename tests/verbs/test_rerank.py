"""Re-ranking of ranking files: by hand, in every form, and on the public WIDER 2018 lists."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import pytest

from castsearch.cli import main
from castsearch.errors import InputError
from castsearch.metrics import Row, Submission, Truth, read_ranking, read_truth
from castsearch.verbs.rerank import by_competition, compare, rerank

LISTS = Submission(
    (
        Row("tt1_nm1", ("tt1_0", "tt1_1", "tt1_2"), 1),
        Row("tt1_nm2", ("tt1_1", "tt1_2", "tt1_0"), 2),
    )
)


def test_a_candidate_that_another_list_has_higher_drops() -> None:
    first, second = by_competition(LISTS, alpha=1, shift=0)
    # S of the first list is 0, -ln 2, -ln 3; candidates 1 and 2 are claimed at 0 and -ln 2:
    # f = -ln 2 - ln 2 = -ln 4 and -ln 3 - ln 1.5 = -ln 4.5, so the order stays.
    assert first.candidate_ids == ("tt1_0", "tt1_1", "tt1_2")
    assert first.scores == pytest.approx((0, -log(4), -log(4.5)))
    assert second.candidate_ids == ("tt1_1", "tt1_2", "tt1_0")
    # With alpha 3: -ln 2 - 3 ln 2 = -ln 16 falls below -ln 3 - 3 ln 1.5 = -ln 10.125.
    first, _ = by_competition(LISTS, alpha=3, shift=0)
    assert first.candidate_ids == ("tt1_0", "tt1_2", "tt1_1")


def test_alpha_0_changes_nothing() -> None:
    same = by_competition(LISTS, alpha=0)
    assert [r.candidate_ids for r in same] == [row.candidates for row in LISTS.rows]


def test_movies_do_not_compete_with_one_another() -> None:
    rows = (Row("tt1_nm1", ("a", "b"), 1), Row("tt2_nm1", ("b", "a"), 2))
    apart = by_competition(Submission(rows), alpha=100, shift=0)
    assert [r.candidate_ids for r in apart] == [("a", "b"), ("b", "a")]


def test_lists_keep_their_candidates_when_others_are_longer() -> None:
    rows = (Row("t_1", ("a",), 1), Row("t_2", ("b", "a", "c"), 2), Row("t_3", (), 3))
    result = by_competition(Submission(rows), alpha=2, shift=1)
    assert [sorted(r.candidate_ids) for r in result] == [["a"], ["a", "b", "c"], []]
    # "a" is claimed from place 1 by the first list, so it falls behind "c" in the second.
    assert result[1].candidate_ids == ("b", "c", "a")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((Row("t_1", ("a", "a"), 4),), "line 4: the list of t_1 names a candidate twice"),
        ((Row("t_1", ("a",), 1), Row("t_1", ("b",), 2)), "line 2: t_1 has a list already"),
    ],
)
def test_lists_that_contradict_themselves_are_refused(rows, message) -> None:
    with pytest.raises(InputError, match=message):
        by_competition(Submission(rows))


@pytest.mark.parametrize("options", [{"alpha": -1}, {"shift": -1}])
def test_negative_parameters_are_refused(options) -> None:
    with pytest.raises(InputError, match="must be 0 or more"):
        by_competition(LISTS, **options)


def test_one_movie_has_nothing_to_tune_on() -> None:
    truth = Truth({"tt1_nm1": frozenset({"tt1_0"}), "tt1_nm2": frozenset({"tt1_2"})})
    result = compare(LISTS, truth)
    assert result.before == pytest.approx(0.75)
    assert result.tuned is None


@pytest.mark.parametrize(
    "text",
    [
        "Id,Rank\nt_1,a b\nt_2,b a\n",
        "t_1 a,b\nt_2 b,a\n",
        "\nt_1 a,b\nt_2 b,a\n",
    ],
)
def test_the_form_of_the_file_is_kept(text, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "mine.txt").write_text(text)
    monkeypatch.chdir(tmp_path)
    result = rerank(tmp_path / "mine.txt", alpha=0)
    assert result.out == Path("mine-competition.txt")
    assert result.out.read_text() == text.lstrip("\n")
    with pytest.raises(InputError, match="no re-ranking by 'magic'"):
        rerank(tmp_path / "mine.txt", by="magic")


def test_the_public_lists_gain_without_tuning_on_the_movie_itself(data_dir: Path) -> None:
    folder = data_dir / "wider18-scores"
    submission = read_ranking(folder / "wider18_val_submission_ntu.csv")
    result = compare(submission, read_truth(folder / "wider18_val_GT.json"))
    assert result.before == pytest.approx(0.7129, abs=5e-5)
    assert result.tuned is not None
    assert result.tuned >= 0.7250
    assert result.after >= 0.7250
    assert len(result.choices) == 19


@pytest.mark.parametrize(
    "name", ["wider18_val_submission_ntu.csv", "wider18_val_submission_wider.txt"]
)
def test_the_command_on_the_public_lists(name, data_dir: Path, tmp_path: Path, capsys) -> None:
    folder = data_dir / "wider18-scores"
    out = tmp_path / name
    arguments = ["rerank", str(folder / name), "--by", "competition", "--out", str(out), "--json"]
    assert main([*arguments, "--truth", str(folder / "wider18_val_GT.json")]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["tuned"] >= 0.7250 > 0.7130 > figures["before"]
    assert out.read_text()[:7] == (folder / name).read_text()[:7]
    assert main(["evaluate", str(folder / "wider18_val_GT.json"), str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mAP"] == pytest.approx(figures["after"])
