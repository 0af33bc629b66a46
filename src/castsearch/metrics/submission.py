"""Rankings as files: read the course and the challenge form, write both."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from castsearch.errors import InputError
from castsearch.runtime.extras import need
from castsearch.runtime.files import whole_text_file
from castsearch.runtime.oserrors import sentence
from castsearch.runtime.spreadsheet import from_cell
from castsearch.types import Ranking

if TYPE_CHECKING:
    import polars as pl

_NEW_LINE = re.compile(r"\r\n|\n|\r")
_HEADER = re.compile(r'\s*"?id"?\s*,\s*"?rank"?\s*', re.IGNORECASE)
# Written out instead of the csv module, whose 128 KiB field limit a large movie comes near to.
_CSV_FIELD = r'(?:\s*"([^",]*)"\s*|([^",]*))'
_CSV_ROW = re.compile(f"{_CSV_FIELD},{_CSV_FIELD}")
_SCORES = "movie,query,candidate,score,rank,"
"""How the table ``scores.csv`` of a run begins."""
_PARQUET_MAGIC = b"PAR1"
_COLUMNS = ("query", "candidate", "rank")


@dataclass(frozen=True, slots=True)
class Row:
    """One list: a query, its candidates best first, and the line it stands on (from 1)."""

    query: str
    candidates: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Submission:
    """Lists as submitted, unchecked. ``unit`` names what ``Row.line`` counts, for messages."""

    rows: tuple[Row, ...]
    source: str = "ranking"
    unit: str = "line"
    messages: tuple[str, ...] = ()


def submission_of(rankings: Iterable[Ranking]) -> Submission:
    """Rankings of a run as a submission; rows are numbered from 1."""
    rows = (Row(r.query_id, tuple(r.candidate_ids), i) for i, r in enumerate(rankings, start=1))
    return Submission(tuple(rows), unit="row")


def read_ranking(path: Path) -> Submission:
    """Read a ranking; the form is told apart by itself.

    Forms: CSV ``Id,Rank`` with space separated candidates (header and quotes optional), WIDER text
    ``tt_nm id,id,...``, the ``scores.csv`` of a run (columns query, candidate, rank), and the
    ``scores.parquet`` of an earlier version (needs castsearch[parquet]). Ids are not checked here
    but in :func:`castsearch.metrics.evaluate`. Blank lines are skipped with a message.

    Raises:
        InputError: the file cannot be read, or a line has another form (first 10 are named).
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(sentence(error, path, "read as a ranking")) from error
    if content.startswith(_PARQUET_MAGIC):
        return _read_parquet(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a UTF-8 text file; save it as UTF-8") from error
    if text.startswith(_SCORES):
        return _parse_scores(text, str(path))
    return _parse(text, str(path))


def write_submission_csv(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write the course form ``Id,Rank``, candidates separated by spaces.

    Raises:
        InputError: an id holds whitespace, a comma, a quote or an unprintable character.
    """
    lines = (f"{_safe(r.query_id)},{' '.join(map(_safe, r.candidate_ids))}" for r in rankings)
    _write(Path(path), itertools.chain(["Id,Rank"], lines))


def write_submission_wider(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write the challenge form ``tt_nm id,id,...``.

    Raises:
        InputError: an id holds whitespace, a comma, a quote or an unprintable character.
    """
    lines = (f"{_safe(r.query_id)} {','.join(map(_safe, r.candidate_ids))}" for r in rankings)
    _write(Path(path), lines)


def _parse(text: str, source: str) -> Submission:
    # The newline that ends the last line does not start another one.
    lines = _NEW_LINE.split(text)
    if lines[-1] == "":
        lines.pop()
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    blank = [number for number, line in enumerate(lines, start=1) if not line.strip()]
    has_header = bool(filled) and _HEADER.fullmatch(filled[0][1]) is not None
    data = filled[1:] if has_header else filled
    if not data:
        raise InputError(f"{source}: holds no ranking; expected lines such as tt1_nm1,tt1_0 tt1_1")
    split = _split_csv if has_header or _is_csv(data[0][1]) else _split_wider
    rows = []
    faults = []
    for number, line in data:
        try:
            query, candidates = split(line)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
        else:
            rows.append(Row(query, candidates, number))
    if faults:
        raise InputError(refusal(source, faults))
    messages = tuple(f"{source}: line {number} is blank and was skipped" for number in blank)
    return Submission(tuple(rows), source, messages=messages)


def _parse_scores(text: str, source: str) -> Submission:
    """The lists in a run's ``scores.csv``, each by its ranks; rows are counted without the head."""
    lists: dict[str, dict[int, str]] = {}
    first: dict[str, int] = {}
    faults = []
    for number, cells in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=1):
        query, candidate, rank = (cells[name] or "" for name in _COLUMNS)
        if not (query and candidate and rank.isascii() and rank.isdigit()):
            faults.append(f"row {number}: expected a query, a candidate and a whole rank")
            continue
        query = from_cell(query)
        ranks = lists.setdefault(query, {})
        first.setdefault(query, number)
        if int(rank) in ranks:
            faults.append(f"row {number}: rank {rank} of {query} occurs twice")
        ranks[int(rank)] = from_cell(candidate)
    if faults:
        raise InputError(refusal(source, faults))
    rows = tuple(
        Row(query, tuple(ranks[rank] for rank in sorted(ranks)), first[query])
        for query, ranks in lists.items()
    )
    return Submission(rows, source, unit="row")


def refusal(source: str, faults: list[str]) -> str:
    """One message that lists the first 10 faults and says how many there are."""
    more = f" (the first 10 of {len(faults)})" if len(faults) > 10 else ""
    return f"{source} cannot be scored{more}: " + "; ".join(faults[:10])


def _is_csv(line: str) -> bool:
    """The CSV form has a comma after the query, the WIDER form a blank."""
    separator = re.search(r"[\s,]", line.strip())
    return line.lstrip().startswith('"') or (separator is not None and separator[0] == ",")


def _split_csv(line: str) -> tuple[str, tuple[str, ...]]:
    match = _CSV_ROW.fullmatch(line)
    if match is None:
        raise ValueError("expected a query, one comma, and candidates separated by spaces")
    query = (match[1] or match[2] or "").strip()
    _check_query(query)
    return query, tuple((match[3] or match[4] or "").split())


def _split_wider(line: str) -> tuple[str, tuple[str, ...]]:
    query, *rest = line.split(maxsplit=1)
    _check_query(query)
    if not rest:
        return query, ()
    candidates = [item.strip() for item in rest[0].split(",")]
    if not candidates[-1]:
        candidates.pop()
    if not all(candidates) or any(len(item.split()) > 1 for item in candidates):
        raise ValueError("expected a query, a blank, and candidates separated by commas")
    return query, tuple(candidates)


def _check_query(query: str) -> None:
    if not query or any(c.isspace() or c in ',"' for c in query):
        raise ValueError(f"{query!r} is not a query id")


def _read_parquet(path: Path) -> Submission:
    need("parquet", "polars", purpose=f"{path}: reading Parquet")
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        # A changed byte inside a page makes the reader panic, which no Exception stands for.
        raise InputError(f"{path}: a damaged parquet file; run castsearch rank again") from error
    absent = [name for name in _COLUMNS if name not in frame.columns]
    if absent:
        raise InputError(f"{path}: no column {', '.join(absent)}; expected a scores.parquet")
    frame = frame.select(_COLUMNS).with_row_index("row", offset=1)
    fits = frame["rank"].dtype.is_integer() and all(
        frame[name].dtype == pl.String for name in ("query", "candidate")
    )
    if not fits or any(frame.null_count().row(0)):
        raise InputError(f"{path}: expected text in query and candidate and whole numbers in rank")
    return Submission(tuple(_parquet_rows(path, frame)), str(path), unit="row")


def _parquet_rows(path: Path, frame: pl.DataFrame) -> Iterable[Row]:
    twice = frame.filter(frame.select("query", "rank").is_duplicated())
    if len(twice):
        faults = [
            f"row {row}: rank {rank} of {query} occurs twice"
            for row, query, _, rank in twice.rows()
        ]
        raise InputError(refusal(str(path), faults))
    for (query,), group in frame.group_by(["query"], maintain_order=True):
        yield Row(str(query), tuple(group.sort("rank")["candidate"]), int(group["row"][0]))


def _safe(any_id: str) -> str:
    if not any_id or not any_id.isprintable() or any(c.isspace() or c in ',"' for c in any_id):
        raise InputError(
            f"the id {any_id!r} cannot stand in a submission: ids have no blanks, commas or "
            "quotes; rename the picture"
        )
    return any_id


def _write(path: Path, lines: Iterable[str]) -> None:
    """One line after another, so that rankings that are read one by one stay so."""
    with whole_text_file(path) as file:
        file.writelines(f"{line}\n" for line in lines)
