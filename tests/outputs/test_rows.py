"""A result goes into the tables and comes back as it was."""

from __future__ import annotations

import dataclasses
import math
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.outputs.database import TABLES, create, transaction
from castsearch.outputs.rows import read_movie, read_rankings, write_movie
from castsearch.outputs.values import to_text
from castsearch.types import (
    OTHERS,
    Box,
    Candidate,
    CastMember,
    Face,
    Facts,
    Movie,
    MovieResult,
    PictureInfo,
    Problem,
    Ranking,
    Still,
)

# Everything that a name may be in Python: NULs, lone surrogates, quotes, nothing at all.
texts = (
    st.text(max_size=8)
    | st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=2)
    | st.sampled_from(["", "\0", "a\0b", "'", "; DROP TABLE movies", "\udcf6", "None", "1", "1.0"])
)
reals = st.floats(allow_nan=False) | st.sampled_from([math.inf, -math.inf, 0.0, 5e-324])
counts = st.integers(0, 2**40)
boxes = st.builds(Box, reals, reals, reals, reals)
paths = texts.map(Path)
stills = st.builds(Still, texts, paths) | st.builds(Still, texts, paths, counts, reals)
problems = st.lists(st.builds(Problem, texts, texts), max_size=2).map(tuple)
faces = st.builds(Face, boxes, reals, st.just(()) | st.tuples(*[st.tuples(reals, reals)] * 5))
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
arrays = st.sampled_from(
    [
        np.zeros((0, 3), np.float32),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.array(["Ä", ""]),
        np.array(3.5),
        np.array([np.nan, -np.inf], np.float16),
    ]
)


def lists_of(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(elements, max_size=3).map(tuple)


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    ids = draw(lists_of(texts))
    scores = draw(st.just(()) | st.tuples(*[reals] * len(ids)))
    reasons = draw(st.just(()) | st.tuples(*[texts] * len(ids)))
    return Ranking(draw(texts), ids, scores, reasons, draw(counts))


movies = st.builds(
    Movie,
    texts,
    lists_of(st.builds(CastMember, texts, texts, lists_of(stills))),
    lists_of(
        st.builds(
            Candidate,
            texts,
            stills,
            st.none() | boxes,
            st.none() | texts | st.just(OTHERS),
            st.none() | texts,
        )
    ),
    lists_of(stills),
    problems,
)
results = st.builds(
    MovieResult,
    movies,
    lists_of(rankings()),
    st.dictionaries(texts, faces, max_size=3),
    st.dictionaries(texts, st.binary(max_size=9), max_size=3),
    st.dictionaries(texts, boxes, max_size=3),
    problems,
    st.dictionaries(texts, st.builds(PictureInfo, texts, counts, counts), max_size=2),
    st.dictionaries(texts, arrays, max_size=3),
    st.builds(Facts, pairs, pairs, st.dictionaries(texts, texts, max_size=2), pairs),
)


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    return create(tmp_path / "run.sqlite")


def same(first: MovieResult, second: MovieResult) -> bool:
    """Equality, with arrays compared by their bytes and kinds."""

    def parts(result: MovieResult) -> dict[str, tuple[Any, ...]]:
        return {n: (a.dtype, a.shape, a.tobytes()) for n, a in result.evidence.items()}

    bare = [dataclasses.replace(result, evidence={}) for result in (first, second)]
    return bare[0] == bare[1] and parts(first) == parts(second)


@settings(max_examples=200, deadline=None)
@given(result=results, other=results)
def test_a_result_comes_back_as_it_was(result: MovieResult, other: MovieResult) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(TABLES)
    connection.execute("PRAGMA foreign_keys = ON")
    with transaction(connection):
        write_movie(connection, other, None)
        write_movie(connection, result, 1.5)
    ids = {text: number for number, text in connection.execute("SELECT movie, id FROM movies")}
    assert len(ids) == len({result.movie.id, other.movie.id})
    assert same(read_movie(connection, ids[to_text(result.movie.id)]), result)
    if other.movie.id != result.movie.id:
        assert same(read_movie(connection, ids[to_text(other.movie.id)]), other)
    connection.close()


def small(movie_id: str = "tt1", jpeg: bytes = b"jpeg", n: int = 2) -> MovieResult:
    candidates = tuple(Candidate(f"c{i}", Still("s", Path("s.jpg"))) for i in range(n))
    ranking = Ranking("a", tuple(c.id for c in candidates), (0.5,) * n, ("face",) * n)
    movie = Movie(movie_id, (CastMember("a", "Ada", ()),), candidates)
    return MovieResult(movie, (ranking,), {}, {"c0": jpeg}, {}, (Problem("s.jpg", "odd"),))


def test_a_movie_saved_again_leaves_nothing_of_before(connection: sqlite3.Connection) -> None:
    def sizes() -> dict[str, int]:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in names.fetchall()
        }

    with transaction(connection):
        write_movie(connection, small(n=1), None)
    before = sizes()
    with transaction(connection):
        write_movie(connection, small(jpeg=b"another", n=5), None)
        write_movie(connection, small(n=1), None)
    assert sizes() == before
    assert same(read_movie(connection, 1), small(n=1))
    assert connection.execute("SELECT jpeg FROM thumbnails").fetchall() == [(b"jpeg",)]


def test_a_thumbnail_that_another_movie_shows_stays(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        write_movie(connection, small("tt1"), None)
        write_movie(connection, small("tt2"), None)
        write_movie(connection, small("tt1", b"new"), None)
    jpegs = connection.execute("SELECT jpeg FROM thumbnails ORDER BY 1").fetchall()
    assert jpegs == [(b"jpeg",), (b"new",)]


def test_a_failure_in_the_middle_keeps_what_was_saved(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        write_movie(connection, small(), None)
    broken = dataclasses.replace(
        small(n=3), evidence={"objects": np.array([object()], dtype=object)}
    )
    with pytest.raises(ValueError, match="Object arrays"), transaction(connection):
        write_movie(connection, broken, None)
    assert same(read_movie(connection, 1), small())


def test_plain_sql_reads_a_ranking(connection: sqlite3.Connection) -> None:
    ranking = Ranking("a", ("c1", "c0"), (0.5, -math.inf), ("face", "no face"), 2)
    with transaction(connection):
        write_movie(connection, dataclasses.replace(small(), rankings=(ranking,)), None)
    rows = connection.execute("SELECT * FROM scores").fetchall()
    assert rows == [("tt1", "a", "c1", 1, 0.5, "face"), ("tt1", "a", "c0", 2, -math.inf, "no face")]
    (n,) = connection.execute("SELECT count(*) FROM ranked WHERE score > 0").fetchone()
    assert n == 1


def test_no_number_is_told_from_no_score(connection: sqlite3.Connection) -> None:
    ranking = Ranking("a", ("c1", "c0"), (0.5, math.nan))
    with transaction(connection):
        write_movie(connection, dataclasses.replace(small(), rankings=(ranking,)), None)
    ((first, second),) = [r.scores for r in read_rankings(connection, 1)]
    assert first == 0.5
    assert math.isnan(second)


def test_equal_ids_are_one_object(connection: sqlite3.Connection) -> None:
    result = small()
    with transaction(connection):
        write_movie(connection, dataclasses.replace(result, rankings=result.rankings * 2), None)
    first, second = read_rankings(connection, 1, reasons=False)
    assert first.candidate_ids[0] is second.candidate_ids[0]
    assert first.reasons == ()
