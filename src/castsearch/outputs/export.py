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
from castsearch.outputs.tables import NAMED_FROM, Table, tables_of
from castsearch.runtime.files import make_folder, whole_text_file
from castsearch.runtime.spreadsheet import BYTE_ORDER_MARK
from castsearch.types import MovieResult

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

    These are ``ranking.csv``, the tables (:data:`castsearch.outputs.tables.TABLES`), ``report/``
    and ``run.json``. The tables start with a byte order mark, without which Excel takes UTF-8 for
    another encoding. ``run.json`` is what the run says of itself, the ``files``, why there is no
    ``names.csv``, and ``left_alone``; with ``since``, a reading of ``time.perf_counter``, the
    seconds that writing took are put to those of the run. Thumbnails that the folder ``earlier``
    has in its report are not written again; their names are given too.

    Raises:
        InputError: An id cannot stand in ``ranking.csv``, or the run is damaged.
        CastsearchError: A file cannot be written.
    """
    make_folder(folder)
    write_submission_csv(folder / "ranking.csv", run.rankings())
    with contextlib.ExitStack() as files:
        tables = [
            files.enter_context(_opened(table, folder / name))
            for name, table in tables_of(named=run.named).items()
        ]
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
    written = names_of_files(named=run.named)
    document = run.about | {"files": sorted(written), "left_alone": list(left_alone)}
    if not run.named:
        document["without_names"] = WITHOUT_NAMES
    if since is not None:
        spent = round(time.perf_counter() - since, 3)
        document["seconds"] = {**document.get("seconds", {}), "write": spent}
    with whole_text_file(folder / "run.json") as file:
        file.write(json.dumps(document, indent=1) + "\n")
    return sorted({*written, *(f"report/{name}" for name in report)})


def names_of_files(*, named: bool) -> tuple[str, ...]:
    """What :func:`export` writes, without the report's pages of single movies and thumbnails."""
    return ("ranking.csv", *tables_of(named=named), "run.json", "report/index.html")


@contextlib.contextmanager
def _opened(table: Table, path: Path) -> Iterator[Callable[[MovieResult], None]]:
    """The file of a table, to which the rows of each movie are added."""
    with whole_text_file(path) as file:
        file.write(BYTE_ORDER_MARK)
        cells = csv.writer(file)
        cells.writerow(table.columns)
        yield lambda result: cells.writerows(table.rows(result))


def _tabled(
    results: Iterable[MovieResult], tables: Sequence[Callable[[MovieResult], None]]
) -> Iterator[MovieResult]:
    """The results, each put into the tables on its way: every movie is read once."""
    for result in results:
        for add in tables:
            add(result)
        yield result
