"""The scorer: public golden figures, cases by hand, and a brute-force form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics import (
    Evaluation,
    Row,
    Submission,
    Truth,
    average_precision,
    evaluate,
    read_ranking,
    read_truth,
    to_json,
)

BY_HAND = Truth(
    {"tt1_nm1": frozenset({"tt1_0000", "tt1_0002"}), "tt1_nm2": frozenset({"tt1_0003"})}
)


def submit(*lines: str) -> Submission:
    """A submission with one row per text ``query candidate candidate ...``."""
    words = [line.split() for line in lines]
    return Submission(tuple(Row(w[0], tuple(w[1:]), i) for i, w in enumerate(words, start=1)))


def cut(submission: Submission, depth: int) -> Submission:
    rows = tuple(replace(row, candidates=row.candidates[:depth]) for row in submission.rows)
    return replace(submission, rows=rows)


@pytest.fixture(scope="module")
def wider18(data_dir: Path) -> tuple[Truth, Submission]:
    folder = data_dir / "wider18-scores"
    return (
        read_truth(folder / "wider18_val_GT.json"),
        read_ranking(folder / "wider18_val_submission_ntu.csv"),
    )


@pytest.mark.parametrize("name", ["submission_ntu.csv", "submission_wider.txt"])
def test_full_public_list_in_both_forms(data_dir: Path, name: str) -> None:
    folder = data_dir / "wider18-scores"
    result = evaluate(
        read_truth(folder / "wider18_val_GT.json"), read_ranking(folder / f"wider18_val_{name}")
    )
    assert round(result.mAP, 6) == 0.712862
    assert round(result.rank1, 6) == 0.870748
    assert round(result.rank5, 6) == 0.904762
    assert round(result.rank10, 6) == 0.911565
    assert round(result.movie_macro_mAP, 4) == 0.6972
    assert result.n_queries == 147
    assert len(result.movies) == 19
    assert sum(part.n_queries for part in result.by_positives) == 147
    assert round(result.by_positives[0].mAP, 3) == 0.575
    assert round(result.by_positives[-1].mAP, 3) == 0.823
    assert result.messages == ()


@pytest.mark.parametrize(("depth", "expected"), [(10, 0.310591), (50, 0.573014), (100, 0.642201)])
def test_cut_lists_count_the_rest_as_not_found(
    wider18: tuple[Truth, Submission], depth: int, expected: float
) -> None:
    truth, submission = wider18
    result = evaluate(truth, cut(submission, depth))
    assert round(result.mAP, 6) == expected
    assert any("positives are missing from their lists" in m for m in result.messages)


def test_by_hand_with_a_missing_query() -> None:
    # tt1_nm1: (1/1 + 2/3) / 2 = 5/6; tt1_nm2 has no row: 0; the mean is 5/12.
    result = evaluate(BY_HAND, submit("tt1_nm1 tt1_0000 tt1_0001 tt1_0002"))
    assert round(result.mAP, 6) == 0.416667
    assert (result.rank1, result.rank5, result.rank10) == (0.5, 0.5, 0.5)
    assert [query.AP for query in result.queries] == [pytest.approx(5 / 6), 0.0]
    assert result.queries[1].first_hit is None
    assert result.messages == ("ranking: 1 of 2 queries have no row and score 0: tt1_nm2",)


def test_first_hit_decides_rank_5_and_10() -> None:
    truth = Truth({"t_a": frozenset({"t_5"}), "t_b": frozenset({"t_6"})})
    row = " t_1 t_2 t_3 t_4 t_5 t_6"
    result = evaluate(truth, submit("t_a" + row, "t_b" + row))
    assert (result.rank1, result.rank5, result.rank10) == (0.0, 0.5, 1.0)
    assert [query.first_hit for query in result.queries] == [5, 6]
    assert result.mAP == pytest.approx((1 / 5 + 1 / 6) / 2)


def test_rank_10_ends_at_the_tenth() -> None:
    truth = Truth({"t_a": frozenset({"t_10"}), "t_b": frozenset({"t_11"})})
    row = " ".join(f"t_{i}" for i in range(1, 13))
    result = evaluate(truth, submit(f"t_a {row}", f"t_b {row}"))
    assert (result.rank5, result.rank10) == (0.0, 0.5)


def test_movies_and_queries_are_averaged_apart() -> None:
    truth = Truth({q: frozenset({f"{q[0]}_1"}) for q in ("x_a", "x_b", "y_a")})
    result = evaluate(truth, submit("x_a x_1 x_2", "x_b x_1 x_2", "y_a y_2 y_1"))
    assert result.mAP == pytest.approx(2.5 / 3)
    assert result.movie_macro_mAP == pytest.approx(0.75)
    assert [(m.movie, m.mAP, m.n_queries) for m in result.movies] == [("x", 1.0, 2), ("y", 0.5, 1)]


def test_query_without_positives_is_named_and_left_out() -> None:
    truth = Truth({"t_a": frozenset({"t_1"}), "t_b": frozenset()})
    result = evaluate(truth, submit("t_a t_1", "t_b t_1"))
    assert result.mAP == 1.0
    assert result.queries[1].AP is None
    assert any("no positive candidate" in m and "t_b" in m for m in result.messages)
    assert to_json(result)["n_queries"] == 1


def test_query_without_positives_and_row_does_not_count_as_zero() -> None:
    truth = Truth({"t_a": frozenset({"t_1"}), "t_b": frozenset()})
    result = evaluate(truth, submit("t_a t_1"))
    assert result.mAP == 1.0
    assert result.messages == (
        "1 queries have no positive candidate, so they have no average precision and are left "
        "out of the means: t_b",
    )


def test_left_out_candidates_are_counted_where_all_are_known() -> None:
    truth = Truth({"t_a": frozenset({"t_1"})}, {"t": frozenset({"t_1", "t_2", "t_3"})})
    result = evaluate(truth, submit("t_a t_1"))
    assert result.messages == (
        "ranking: 1 lists leave out 2 candidates, which count as not found: t_a (2)",
    )


def test_a_list_longer_than_a_thousand_is_not_cut() -> None:
    ids = [f"t_{i:04d}" for i in range(1500)]
    result = evaluate(Truth({"t_a": frozenset({ids[-1]})}), submit(" ".join(["t_a", *ids])))
    assert result.mAP == pytest.approx(1 / 1500)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["tt1_nm1 tt1_0 tt1_1 tt1_0"], "line 1: tt1_0 occurs twice in the list of tt1_nm1"),
        (["tt1_nm1 tt1_0", "tt1_nm1 tt1_1"], "line 2: tt1_nm1 has a list already on line 1"),
        (["tt1_nm1 tt1_0", "tt1_nm9 tt1_1"], "line 2: the truth has no query tt1_nm9"),
        (["tt1_nm1 tt2_0"], "line 1: tt2_0 is no candidate of tt1"),
        (["tt1_nm1 nonsense"], "line 1: nonsense is no candidate of tt1"),
    ],
)
def test_what_would_falsify_the_score_is_refused(lines: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        evaluate(BY_HAND, submit(*lines))
    assert sentence in str(error.value)
    assert error.value.exit_code == 2


def test_known_candidates_decide_what_is_unknown() -> None:
    truth = Truth({"t_a": frozenset({"t_1"})}, {"t": frozenset({"t_1", "odd"})})
    assert evaluate(truth, submit("t_a t_1 odd")).mAP == 1.0
    with pytest.raises(InputError, match="line 1: t_2 is no candidate of t"):
        evaluate(truth, submit("t_a t_1 t_2"))


def test_a_true_positive_is_known_whatever_its_id() -> None:
    assert evaluate(Truth({"t_a": frozenset({"odd"})}), submit("t_a odd t_1")).mAP == 1.0


def test_only_the_first_ten_faults_are_spelt_out() -> None:
    lines = [f"tt9_nm{i} tt9_0" for i in range(12)]
    with pytest.raises(InputError, match=r"the first 10 of 12") as error:
        evaluate(BY_HAND, submit(*lines))
    assert "line 10:" in str(error.value)
    assert "line 11:" not in str(error.value)


def test_others_row_is_skipped_with_a_message() -> None:
    result = evaluate(BY_HAND, submit("tt1_nm1 tt1_0000", "others tt1_0001"))
    assert any(m.startswith("line 2: others was skipped") for m in result.messages)


def test_truth_without_any_positive_has_no_score() -> None:
    with pytest.raises(InputError, match="no query with a positive candidate"):
        evaluate(Truth({"t_a": frozenset()}), submit("t_a t_1"))


def test_ids_may_be_of_any_characters() -> None:
    odd = "t_\ud800\0"
    result = evaluate(Truth({"t_\0": frozenset({odd})}), submit(f"t_\0 t_1 {odd}"))
    assert result.mAP == 0.5


def test_json_has_the_promised_keys_and_is_json(wider18: tuple[Truth, Submission]) -> None:
    document = json.loads(json.dumps(to_json(evaluate(*wider18)), allow_nan=False))
    assert {"mAP", "rank1", "rank5", "rank10", "movies", "queries"} <= document.keys()
    assert len(document["queries"]) == 147
    query = document["queries"]["tt0056923_nm0094585"]
    assert query.keys() >= {"AP", "n_positives", "n_ranked", "first_hit"}


@st.composite
def scored_cases(draw: st.DrawFn) -> tuple[Truth, Submission]:
    """Up to 4 queries over up to 30 candidates, some rows absent, lists cut and shuffled."""
    ids = [f"t_{i}" for i in range(draw(st.integers(1, 30)))]
    positives = {}
    rows = []
    for i in range(draw(st.integers(1, 4))):
        query = f"t_q{i}"
        positives[query] = frozenset(draw(st.lists(st.sampled_from(ids), unique=True)))
        order = draw(st.permutations(ids))[: draw(st.integers(0, len(ids)))]
        if draw(st.booleans()):
            rows.append(Row(query, tuple(order), i + 1))
    return Truth(positives, {"t": frozenset(ids)}), Submission(tuple(rows))


def brute_force(truth: Truth, submission: Submission) -> tuple[float, float, float] | None:
    """mAP, rank-1 and rank-5 as sums written out from the definition."""
    lists = {row.query: row.candidates for row in submission.rows}
    ap, first, fifth = [], [], []
    for query, positives in truth.positives.items():
        if not positives:
            continue
        ranked = lists.get(query, ())
        total = 0.0
        for k in range(1, len(ranked) + 1):
            if ranked[k - 1] in positives:
                total += sum(c in positives for c in ranked[:k]) / k
        ap.append(total / len(positives))
        first.append(any(c in positives for c in ranked[:1]))
        fifth.append(any(c in positives for c in ranked[:5]))
    if not ap:
        return None
    return sum(ap) / len(ap), sum(first) / len(ap), sum(fifth) / len(ap)


@settings(max_examples=150, deadline=None)
@given(scored_cases())
def test_equals_the_formula_written_out(case: tuple[Truth, Submission]) -> None:
    expected = brute_force(*case)
    if expected is None:
        with pytest.raises(InputError):
            evaluate(*case)
        return
    result: Evaluation = evaluate(*case)
    assert result.mAP == pytest.approx(expected[0], abs=1e-12)
    assert result.rank1 == pytest.approx(expected[1])
    assert result.rank5 == pytest.approx(expected[2])
    assert 0.0 <= result.mAP <= 1.0


@settings(max_examples=100, deadline=None)
@given(scored_cases())
def test_average_precision_is_that_of_ir_measures(case: tuple[Truth, Submission]) -> None:
    from ir_measures import AP, evaluator

    truth, submission = case
    lists = {row.query: row.candidates for row in submission.rows}
    qrels = {q: dict.fromkeys(ids, 1) for q, ids in truth.positives.items() if ids}
    # Scores that strictly fall leave the other program no ties to break.
    run = {q: {c: -float(k) for k, c in enumerate(ids)} for q, ids in lists.items() if ids}
    if not qrels:
        return
    expected = {m.query_id: m.value for m in evaluator([AP], qrels).iter_calc(run)} if run else {}
    for query, ap in ((q.query, q.AP) for q in evaluate(truth, submission).queries):
        if ap is not None:
            assert ap == pytest.approx(expected.get(query, 0.0), abs=1e-12)


@pytest.mark.parametrize(
    ("places", "n_positives", "expected"),
    [((1, 3), 2, 5 / 6), ((2,), 4, 1 / 8), ((), 3, 0.0), ((1, 2, 3), 3, 1.0)],
)
def test_average_precision_by_hand(places, n_positives, expected) -> None:
    assert average_precision(places, n_positives) == pytest.approx(expected)
