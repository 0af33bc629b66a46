"""One movie's result as rows of the tables, and back without a difference."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from castsearch.outputs.page import picture_name
from castsearch.outputs.values import (
    from_npy,
    from_sides,
    from_text,
    to_maybe_text,
    to_npy,
    to_real,
    to_sides,
    to_text,
)
from castsearch.types import (
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

Rows = Iterable[Sequence[Any]]


def write_movie(connection: sqlite3.Connection, result: MovieResult, seconds: float | None) -> None:
    """Put the rows of one movie in place of whatever was saved of it, within a transaction."""
    name = to_text(result.movie.id)
    (number,) = connection.execute(
        "SELECT coalesce((SELECT movie FROM movies WHERE id = ?1), "
        "(SELECT coalesce(max(movie), 0) + 1 FROM movies))",
        (name,),
    ).fetchone()
    earlier = connection.execute(
        "SELECT DISTINCT thumbnail FROM crops WHERE movie = ? AND thumbnail IS NOT NULL", (number,)
    ).fetchall()
    connection.execute("DELETE FROM movies WHERE movie = ?", (number,))
    connection.execute("INSERT INTO movies VALUES (?, ?, ?)", (number, name, to_real(seconds)))

    def insert(table: str, rows: Rows) -> None:
        numbered = [(number, *row) for row in rows]
        if numbered:
            places = ", ".join("?" * len(numbered[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", numbered)

    _insert_movie(insert, result.movie)
    connection.executemany(
        "INSERT OR IGNORE INTO thumbnails VALUES (?, ?)",
        {picture_name(jpeg): jpeg for jpeg in result.thumbnails.values()}.items(),
    )
    insert("crops", _crop_rows(result))
    insert(
        "pictures",
        ((to_text(i), to_text(p.key), p.width, p.height) for i, p in result.pictures.items()),
    )
    for position, ranking in enumerate(result.rankings):
        insert("rankings", [(position, to_text(ranking.query_id), int(ranking.n_ties))])
        insert("ranked", _ranked_rows(position, ranking))
    insert("problems", problem_rows("read", result.movie.problems))
    insert("problems", problem_rows("rank", result.problems))
    insert("evidence", ((to_text(name), to_npy(a)) for name, a in result.evidence.items()))
    insert("facts", _fact_rows(result.facts))
    connection.executemany(
        "DELETE FROM thumbnails WHERE name = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM crops WHERE thumbnail = ?1)",
        earlier,
    )


def read_movie(
    connection: sqlite3.Connection, number: int, *, evidence: bool = True
) -> MovieResult:
    """The result that was saved under a movie's number; its evidence only where it is wanted.

    Raises:
        ValueError, TypeError, LookupError: A row is not what :func:`write_movie` writes.
    """

    def select(columns: str, table: str, order: str = "position") -> list[Any]:
        query = f"SELECT {columns} FROM {table} WHERE movie = ? ORDER BY {order}"
        return connection.execute(query, (number,)).fetchall()

    def problems(stage: str) -> tuple[Problem, ...]:
        rows = select("stage, place, message", "problems")
        return tuple(Problem(from_text(w), from_text(m)) for s, w, m in rows if s == stage)

    ((movie_id,),) = select("id", "movies", "movie")
    crops = select("*", "crops", "id")
    pictures = select("id, key, width, height", "pictures", "id")
    arrays = select("name, npy", "evidence", "name") if evidence else []
    facts = select("kind, a, b", "facts")
    movie = _read_movie(select, from_text(movie_id), problems("read"))
    jpegs = dict(
        connection.execute(
            "SELECT name, jpeg FROM thumbnails WHERE name IN "
            "(SELECT thumbnail FROM crops WHERE movie = ?)",
            (number,),
        )
    )

    def pairs(kind: str) -> tuple[tuple[str, str], ...]:
        return tuple((from_text(a), from_text(b)) for k, a, b in facts if k == kind)

    return MovieResult(
        movie,
        tuple(read_rankings(connection, number)),
        faces={
            from_text(i): Face(
                from_sides(x0, y0, x1, y1),
                float(score),
                tuple((float(x), float(y)) for x, y in json.loads(landmarks)),
            )
            for _, i, x0, y0, x1, y1, score, landmarks, *_ in crops
            if x0 is not None
        },
        thumbnails={from_text(row[1]): jpegs[row[12]] for row in crops if row[12] is not None},
        frames={from_text(row[1]): from_sides(*row[8:12]) for row in crops if row[8] is not None},
        problems=problems("rank"),
        pictures={
            from_text(i): PictureInfo(from_text(key), int(width), int(height))
            for i, key, width, height in pictures
        },
        evidence={from_text(name): from_npy(npy) for name, npy in arrays},
        facts=Facts(pairs("same"), pairs("different"), dict(pairs("label")), pairs("denied")),
    )


def read_rankings(
    connection: sqlite3.Connection, number: int, *, reasons: bool = True
) -> Iterator[Ranking]:
    """The rankings of a movie one by one; without ``reasons`` they leave those out."""
    texts: dict[Any, str] = {}

    def text(value: Any) -> str:
        """Each id and each reason is one object in memory, however many rows name it."""
        if value not in texts:
            texts[value] = from_text(value)
        return texts[value]

    for position, query, n_ties in connection.execute(
        "SELECT position, query, n_ties FROM rankings WHERE movie = ? ORDER BY position", (number,)
    ).fetchall():
        rows = connection.execute(
            "SELECT candidate, score, reason FROM ranked WHERE movie = ? AND ranking = ? "
            "ORDER BY rank",
            (number, position),
        ).fetchall()
        yield Ranking(
            from_text(query),
            tuple(text(candidate) for candidate, _, _ in rows),
            tuple(float(score) for _, score, _ in rows if score is not None),
            tuple(text(reason) for *_, reason in rows if reason is not None) if reasons else (),
            int(n_ties),
        )


def problem_rows(stage: str, problems: Iterable[Problem]) -> Rows:
    """Rows of the table of problems, without the movie."""
    return [(stage, i, to_text(p.where), to_text(p.message)) for i, p in enumerate(problems)]


def _insert_movie(insert: Any, movie: Movie) -> None:
    """The rows of what was read: stills, cast, portraits, candidates."""
    numbers: dict[Still, int] = {}
    stills: list[tuple[Still, int | None]] = [(s, i) for i, s in enumerate(movie.stills)]
    for i, still in enumerate(movie.stills):
        numbers.setdefault(still, i)

    def number_of(still: Still) -> int:
        if still not in numbers:
            numbers[still] = len(stills)
            stills.append((still, None))
        return numbers[still]

    insert("cast_members", ((i, to_text(m.id), to_text(m.name)) for i, m in enumerate(movie.cast)))
    for i, member in enumerate(movie.cast):
        insert("portraits", ((i, j, number_of(p)) for j, p in enumerate(member.portraits)))
    insert(
        "candidates",
        (
            [
                i,
                to_text(c.id),
                number_of(c.still),
                *to_sides(c.box),
                to_maybe_text(c.label),
                to_maybe_text(c.problem),
            ]
            for i, c in enumerate(movie.candidates)
        ),
    )
    insert(
        "stills",
        (
            (i, to_text(s.id), to_text(str(s.path)), s.frame, to_real(s.seconds), whole)
            for i, (s, whole) in enumerate(stills)
        ),
    )


def _read_movie(select: Any, movie_id: str, problems: tuple[Problem, ...]) -> Movie:
    stills: dict[int, Still] = {}
    whole: dict[int, Still] = {}
    for number, i, path, frame, seconds, place in select(
        "still, id, path, frame, seconds, whole", "stills", "still"
    ):
        time = None if seconds is None else float(seconds)
        stills[number] = Still(from_text(i), Path(from_text(path)), frame, time)
        if place is not None:
            whole[place] = stills[number]
    portraits: dict[int, list[Still]] = {}
    for member, still in select("member, still", "portraits", "member, position"):
        portraits.setdefault(member, []).append(stills[still])
    return Movie(
        movie_id,
        tuple(
            CastMember(from_text(i), from_text(name), tuple(portraits.get(position, ())))
            for position, i, name in select("position, id, name", "cast_members")
        ),
        tuple(
            Candidate(
                from_text(i),
                stills[still],
                None if sides[0] is None else from_sides(*sides),
                None if label is None else from_text(label),
                None if problem is None else from_text(problem),
            )
            for i, still, *sides, label, problem in select(
                "id, still, x0, y0, x1, y1, label, problem", "candidates"
            )
        ),
        tuple(whole[place] for place in sorted(whole)),
        problems,
    )


def _crop_rows(result: MovieResult) -> Rows:
    for i in dict.fromkeys([*result.faces, *result.frames, *result.thumbnails]):
        face = result.faces.get(i)
        marks = None
        if face is not None:
            marks = json.dumps([[float(x), float(y)] for x, y in face.landmarks])
        jpeg = result.thumbnails.get(i)
        yield (
            to_text(i),
            *to_sides(face.box if face else None),
            to_real(face.score if face else None),
            marks,
            *to_sides(result.frames.get(i)),
            None if jpeg is None else picture_name(jpeg),
        )


def _ranked_rows(position: int, ranking: Ranking) -> Rows:
    n = len(ranking.candidate_ids)
    scores: Sequence[float | None] = ranking.scores or (None,) * n
    reasons: Sequence[str | None] = ranking.reasons or (None,) * n
    for rank, (candidate, score, reason) in enumerate(
        zip(ranking.candidate_ids, scores, reasons, strict=True), start=1
    ):
        yield position, rank, to_text(candidate), to_real(score), to_maybe_text(reason)


def _fact_rows(facts: Facts) -> Rows:
    kinds: Mapping[str, Iterable[tuple[str, str]]] = {
        "same": facts.same,
        "different": facts.different,
        "label": facts.labels.items(),
        "denied": facts.denied,
    }
    for kind, pairs in kinds.items():
        for i, (a, b) in enumerate(pairs):
            yield kind, i, to_text(a), to_text(b)
