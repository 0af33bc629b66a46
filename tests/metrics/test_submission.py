"""Rankings as files: both forms, their faults, and the way back."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics import (
    Row,
    Submission,
    evaluate,
    read_ranking,
    read_truth,
    submission_of,
    write_submission_csv,
    write_submission_wider,
)
from castsearch.types import Ranking

EXPECTED = (("q_a", ("m_1", "m_2")), ("q_b", ("m_3",)))


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "ranking.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lists(submission: Submission) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row.query, row.candidates) for row in submission.rows)


@pytest.mark.parametrize(
    "text",
    [
        "Id,Rank\nq_a,m_1 m_2\nq_b,m_3\n",
        "q_a,m_1 m_2\nq_b,m_3",
        "\ufeffId,Rank\r\nq_a,m_1 m_2\r\nq_b,m_3\r\n",
        '"Id","Rank"\n"q_a","m_1 m_2"\n"q_b","m_3"\n',
        "id, rank\nq_a, m_1  m_2 \nq_b, m_3\n",
        "q_a m_1,m_2\nq_b m_3\n",
        "q_a\tm_1, m_2\r\nq_b\tm_3,\r\n",
        "\ufeffq_a m_1,m_2\nq_b m_3",
    ],
)
def test_every_form_reads_alike(tmp_path: Path, text: str) -> None:
    submission = read_ranking(written(tmp_path, text))
    assert lists(submission) == EXPECTED
    assert submission.messages == ()


def test_line_numbers_count_header_and_blank_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "Id,Rank\n\nq_a,m_1\n \nq_b,\n")
    submission = read_ranking(path)
    assert submission.rows == (Row("q_a", ("m_1",), 3), Row("q_b", (), 5))
    assert submission.messages == tuple(
        f"{path}: line {number} is blank and was skipped" for number in (2, 4)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no ranking"),
        ("Id,Rank\n", "holds no ranking"),
        ("Id,Rank\nq_a,m_1\nq_b m_3\n", "line 3: expected a query, one comma"),
        ("q_a,m_1,m_2\n", "line 1: expected a query, one comma"),
        ('q_a,"m_1 m_2\n', "line 1: expected a query, one comma"),
        ("Id,Rank\n,m_1\n", "line 2: '' is not a query id"),
        ("q_a m_1,m_2\nq_b m_1,,m_2\n", "line 2: expected a query, a blank"),
        ("q_a m_1 m_2\n", "line 1: expected a query, a blank"),
        (b"Id,Rank\nq_a,\xff\n", "not a UTF-8 text file"),
        (b"PAR1 and nothing else", "a damaged parquet file"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_ranking(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"read as a ranking \(No such file or directory\); check",
    ):
        read_ranking(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"read as a ranking \(Is a directory\); give a file"):
        read_ranking(tmp_path)


def test_file_to_figure_by_hand(tmp_path: Path) -> None:
    (tmp_path / "GT.json").write_text(
        '{"tt1_nm1": ["tt1_0000", "tt1_0002"], "tt1_nm2": ["tt1_0003"]}'
    )
    path = written(tmp_path, "tt1_nm1,tt1_0000 tt1_0001 tt1_0002\n\n")
    result = evaluate(read_truth(tmp_path / "GT.json"), read_ranking(path))
    assert round(result.mAP, 6) == 0.416667
    assert result.messages == (
        f"{path}: line 2 is blank and was skipped",
        f"{path}: 1 of 2 queries have no row and score 0: tt1_nm2",
    )


IDS = st.text(min_size=1, max_size=8).filter(
    lambda s: s.isprintable() and not any(c.isspace() or c in ',"' for c in s)
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(IDS, st.lists(IDS, unique=True, max_size=6), min_size=1, max_size=5),
    st.sampled_from([write_submission_csv, write_submission_wider]),
)
def test_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    content: dict[str, list[str]],
    write: object,
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.txt"
    rankings = [Ranking(query, tuple(found)) for query, found in content.items()]
    assert callable(write)
    write(path, rankings)
    assert lists(read_ranking(path)) == lists(submission_of(rankings))


@pytest.mark.parametrize("write", [write_submission_csv, write_submission_wider])
@pytest.mark.parametrize("bad", ["a b", "a,b", 'a"b', "", "a\nb", "a\u2028b"])
def test_ids_that_would_break_a_line_are_refused(tmp_path: Path, write: object, bad: str) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    assert callable(write)
    for ranking in (Ranking(bad, ("x",)), Ranking("q", ("x", bad))):
        with pytest.raises(InputError, match="cannot stand in a submission"):
            write(path, [ranking])
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_bytes_written(tmp_path: Path) -> None:
    rankings = [Ranking("q_a", ("m_1", "m_2")), Ranking("q_b", ())]
    write_submission_csv(tmp_path / "a", rankings)
    write_submission_wider(tmp_path / "b", rankings)
    assert (tmp_path / "a").read_bytes() == b"Id,Rank\nq_a,m_1 m_2\nq_b,\n"
    assert (tmp_path / "b").read_bytes() == b"q_a m_1,m_2\nq_b \n"
    write_submission_csv(tmp_path / "new" / "a", rankings)
    assert (tmp_path / "new" / "a").read_bytes() == (tmp_path / "a").read_bytes()
    with pytest.raises(InputError, match="cannot be written"):
        write_submission_csv(tmp_path / "a" / "b", rankings)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_submission_csv(tmp_path / "taken", [Ranking("q_a", ("m_1",))])
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | st.text(alphabet='q_ ,"\n\r\t1Id', max_size=40))
def test_random_text_raises_input_error_alone(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.csv"
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert read_ranking(path).rows


def frame(**columns: list[object]) -> pl.DataFrame:
    base: dict[str, list[object]] = {
        "movie": ["m", "m", "m"],
        "query": ["q_a", "q_b", "q_a"],
        "candidate": ["m_2", "m_3", "m_1"],
        "score": [0.1, 0.9, 0.8],
        "rank": [2, 1, 1],
    }
    return pl.DataFrame(base | columns)


HEAD = "movie,query,candidate,score,rank,face_x0\n"


def test_scores_csv_is_ordered_by_rank(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    rows = "m,m_a,c2,0.1,2,\nm,m_b,c1,,1,\nm,m_a,'=c1,0.5,1,3.5\n"
    path.write_text("\ufeff" + HEAD + rows, encoding="utf-8")
    submission = read_ranking(path)
    assert submission.rows == (Row("m_a", ("=c1", "c2"), 1), Row("m_b", ("c1",), 2))
    assert submission.unit == "row"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("m,q,c,0.5,1,\nm,q,d,0.5,1,\n", "row 2: rank 1 of q occurs twice"),
        ("m,q,c,0.5,first,\n", "row 1: expected a query, a candidate and a whole rank"),
        ("m,q,c,0.5,\u00b2,\n", "row 1: expected"),
        ("m,q\n", "row 1: expected"),
        ("m,,c,0.5,1,\n", "row 1: expected"),
    ],
)
def test_a_scores_csv_that_is_none(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_ranking(path)


def test_scores_parquet_is_ordered_by_rank(tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "scores.parquet")
    submission = read_ranking(tmp_path / "scores.parquet")
    assert lists(submission) == EXPECTED
    assert submission.unit == "row"
    frame(rank=[1, 1, 2]).write_parquet(tmp_path / "scores.parquet")
    turned = read_ranking(tmp_path / "scores.parquet")
    assert lists(turned) == (("q_a", ("m_2", "m_1")), ("q_b", ("m_3",)))


def test_without_polars_a_sentence_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame().write_parquet(tmp_path / "scores.parquet")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "polars" else find(name)
    )
    with pytest.raises(InputError, match=r"scores.parquet: reading Parquet needs polars.*parquet"):
        read_ranking(tmp_path / "scores.parquet")


def test_a_cut_off_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    frame().write_parquet(path)
    content = path.read_bytes()
    for length in range(4, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="damaged parquet"):
            read_ranking(path)


def test_a_panic_of_the_parquet_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(path: Path) -> pl.DataFrame:
        raise pl.exceptions.PanicException("assertion failed")

    frame().write_parquet(tmp_path / "scores.parquet")
    # Which changed byte makes polars panic differs by its version; that it may does not.
    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(InputError, match="damaged parquet"):
        read_ranking(tmp_path / "scores.parquet")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (frame().drop("rank"), "no column rank"),
        (frame(rank=[2.5, 1.0, 1.0]), "whole numbers in rank"),
        (frame(candidate=["m_2", None, "m_1"]), "expected text in query and candidate"),
        (frame(rank=[1, 1, 1]), "row 3: rank 1 of q_a occurs twice"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, table: pl.DataFrame, sentence: str) -> None:
    table.write_parquet(tmp_path / "scores.parquet")
    with pytest.raises(InputError) as error:
        read_ranking(tmp_path / "scores.parquet")
    assert sentence in str(error.value)
