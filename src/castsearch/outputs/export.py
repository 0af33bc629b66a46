"""A saved run as the files that people open: tables, report, and what the run says of itself."""

from __future__ import annotations

import contextlib
import csv
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from castsearch.metrics.submission import write_submission_csv
from castsearch.outputs.report import write_report
from castsearch.outputs.run import Run
from castsearch.outputs.tables import (
    NAME_COLUMNS,
    NAMED_FROM,
    SCORE_COLUMNS,
    name_rows,
    score_rows,
)
from castsearch.runtime.files import make_folder, whole_text_file
from castsearch.runtime.spreadsheet import BYTE_ORDER_MARK
from castsearch.types import MovieResult

WRITTEN_ALWAYS = ("ranking.csv", "scores.csv", "run.json", "report/index.html")
WITHOUT_NAMES = "the scores of this preset are no probabilities, so it says no names"


def export(
    run: Run,
    folder: Path,
    *,
    left_alone: Sequence[str] = (),
    since: float | None = None,
    earlier: Path | None = None,
) -> list[str]:
    """Write a run's files to ``folder`` movie by movie, and give their names relative to it.

    These are ``ranking.csv``, ``scores.csv``, ``report/`` and ``run.json``, and ``names.csv`` where
    scores are probabilities. The two tables start with a byte order mark, without which Excel takes
    UTF-8 for another encoding. ``run.json`` is what the run says of itself, the ``files``, why
    there is no ``names.csv``, and ``left_alone``; with ``since``, a reading of
    ``time.perf_counter``, the seconds that writing took are put to those of the run. Thumbnails
    that the folder ``earlier`` has in its report are not written again; their names are given too.

    Raises:
        InputError: An id cannot stand in ``ranking.csv``, or the run is damaged.
        CastsearchError: A file cannot be written.
    """
    make_folder(folder)
    write_submission_csv(folder / "ranking.csv", run.rankings())
    with contextlib.ExitStack() as files:
        tables = [files.enter_context(_table(folder / "scores.csv", SCORE_COLUMNS, score_rows))]
        if run.named:
            names = _table(folder / "names.csv", NAME_COLUMNS, name_rows)
            tables.append(files.enter_context(names))
        report = write_report(
            folder / "report",
            _tabled(run.movies(evidence=False), tables),
            n_movies=len(run.movie_ids),
            title=run.title,
            facts=run.report_facts,
            evaluation=run.evaluation,
            problems=run.problems,
            seconds=run.seconds(),
            named_from=NAMED_FROM if run.named else None,
            earlier=earlier and earlier / "report",
        )
    written = [*WRITTEN_ALWAYS, *(["names.csv"] if run.named else [])]
    document = run.about | {"files": sorted(written), "left_alone": list(left_alone)}
    if not run.named:
        document["without_names"] = WITHOUT_NAMES
    if since is not None:
        spent = round(time.perf_counter() - since, 3)
        document["seconds"] = {**document.get("seconds", {}), "write": spent}
    with whole_text_file(folder / "run.json") as file:
        file.write(json.dumps(document, indent=1) + "\n")
    return sorted({*written, *(f"report/{name}" for name in report)})


@contextlib.contextmanager
def _table(
    path: Path, columns: Sequence[str], rows: Callable[[MovieResult], Iterable[Sequence[str]]]
) -> Iterator[Callable[[MovieResult], None]]:
    """A CSV file that each movie's ``rows`` are added to."""
    with whole_text_file(path) as file:
        file.write(BYTE_ORDER_MARK)
        table = csv.writer(file)
        table.writerow(columns)
        yield lambda result: table.writerows(rows(result))


def _tabled(
    results: Iterable[MovieResult], tables: Sequence[Callable[[MovieResult], None]]
) -> Iterator[MovieResult]:
    """The results, each put into the tables on its way: every movie is read once."""
    for result in results:
        for add in tables:
            add(result)
        yield result
