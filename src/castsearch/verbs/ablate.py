"""Every preset on the same movies: the ablation table, its chart, and two presets side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from castsearch import metrics
from castsearch.errors import InputError
from castsearch.metrics.bootstrap import N_RESAMPLES
from castsearch.metrics.comparison import Ablation, QueryAP, Variant, ablation_of
from castsearch.outputs.ablation import write_tables
from castsearch.outputs.side_by_side import SideBySide, side_by_side, write_comparison
from castsearch.presets import DEFAULT, PRESETS, preset
from castsearch.runtime.settings import Runtime
from castsearch.sources.layouts import Layout
from castsearch.sources.movies import read
from castsearch.types import MovieResult, Problem, Ranking
from castsearch.verbs.rank import RunResult, rank

ALL = tuple(PRESETS)
"""Every preset, in the order of the table."""


@dataclass(frozen=True, slots=True)
class AblationResult:
    """The table, and what was skipped on the way; ``out`` is where it was written."""

    table: Ablation
    problems: tuple[Problem, ...]
    out: Path | None


def ablate(
    sources: Sequence[str | Path],
    *,
    presets: Sequence[str] = ALL,
    against: str | None = None,
    out: str | Path | None = None,
    layout: Layout = "auto",
    runtime: Runtime | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> AblationResult:
    """Rank the movies of all ``sources`` by each preset, and compare what comes out.

    mAP over candidates without a face: the same lists, restricted to the candidates in which the
    default preset finds no face; queries with no right candidate among them are left out.

    Args:
        sources: Labelled folders or files, as :func:`castsearch.verbs.rank.rank` reads them.
        presets: Names of presets; ``NAME:SETTING=VALUE`` is one with a setting of its own, and
            more may follow after further colons.
        against: The entry of ``presets`` that the others are compared with; default the last.
        out: Folder for ``ablation.csv``, ``queries.csv``, ``ablation.md``, ``chart.svg`` and
            ``index.html``.
        layout: As of :func:`~castsearch.verbs.rank.rank`.
        runtime: Likewise; presets share what is stored.
        n_resamples: Draws of the bootstrap.
        seed: Of the draws.

    Raises:
        InputError: a source cannot be ranked or has no labels, or a preset or setting is wrong.
        CastsearchError: a result cannot be stored or written.
    """
    runtime = runtime or Runtime()
    out = None if out is None else Path(out)
    chosen = _variants(presets)
    variants = [variant for variant, _, _ in chosen]
    against = against if against is not None else variants[-1].name
    if against not in {variant.name for variant in variants}:
        names = ", ".join(variant.name for variant in variants)
        raise InputError(f"{against!r} is none of the rows compared: {names}.")
    labels = _labels(sources)
    for source in sources:
        _check_truth(source, layout)
    queries: list[QueryAP] = []
    seen: list[SideBySide] = []
    problems: dict[Problem, None] = {}
    for source, label in zip(sources, labels, strict=True):

        def run_of(name: str, settings: Sequence[str], source: str | Path = source) -> RunResult:
            return rank(source, preset=name, settings=settings, layout=layout, runtime=runtime)

        compared = []
        for variant, name, settings in chosen:
            if runtime.progress != "quiet":
                print(f"{label}: {variant.name}", file=sys.stderr)
            compared.append(run_of(name, settings))
        own = _default(chosen)
        default = run_of(DEFAULT, ()) if own is None else compared[own]
        problems |= dict.fromkeys(p for run in compared for p in run.problems)
        found = _query_scores(label, compared, default)
        queries += found
        if out is not None:
            seen += side_by_side(label, [run.movies for run in compared], found, out / "thumbs")
    table = ablation_of(variants, queries, against=against, n_resamples=n_resamples, seed=seed)
    if out is not None:
        write_tables(out, table)
        write_comparison(out, table, seen, tuple(problems))
    return AblationResult(table, tuple(problems), out)


Chosen = Sequence[tuple[Variant, str, tuple[str, ...]]]
"""Rows with the preset and the settings of each."""


def _variants(names: Sequence[str]) -> Chosen:
    """The rows that are asked for; InputError where one is wrong or comes twice."""
    chosen = []
    for text in names:
        name, *settings = (part.strip() for part in text.split(":"))
        values = preset(name, settings)
        published = None if settings else values.published
        val, test = (published.val, published.test) if published else (None, None)
        note = f"{name} with {', '.join(settings)}" if settings else values.summary
        chosen.append(
            (Variant(":".join((name, *settings)), note, val, test), name, tuple(settings))
        )
    if not chosen:
        raise InputError(f"No preset is named; there are {', '.join(PRESETS)}.")
    twice = {
        v.name for i, (v, _, _) in enumerate(chosen) if v.name in {w.name for w, *_ in chosen[:i]}
    }
    if twice:
        raise InputError(f"A preset is named twice: {', '.join(sorted(twice))}.")
    return chosen


def split_names(texts: Sequence[str]) -> list[str]:
    """Names out of lists with commas; a value may hold commas itself (``face:body=a,b``)."""
    names: list[str] = []
    for text in texts:
        joins = False
        for piece in filter(None, (part.strip() for part in text.split(","))):
            # Behind a setting, what is no preset is more of its value.
            if joins and piece.split(":")[0] not in PRESETS:
                names[-1] += f",{piece}"
            else:
                names.append(piece)
            joins = ":" in names[-1]
    return names


def _labels(sources: Sequence[str | Path]) -> list[str]:
    """A name of each source: the last part of its path where that tells them apart."""
    paths = [Path(source) for source in sources]
    if not paths:
        raise InputError("No SOURCE is given.")
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("A SOURCE is given twice.")
    short = [path.resolve().name for path in paths]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _check_truth(source: str | Path, layout: Layout) -> None:
    movies = read(source, layout=layout)
    truth = metrics.truth_of(movies) if movies else None
    if truth is None or not any(truth.positives.values()):
        raise InputError(
            f"{source}: no candidate in it is labelled with a cast member; to compare presets, "
            "the truth has to be known."
        )


def _default(chosen: Chosen) -> int | None:
    """The row that is the default preset as it stands, if it is asked for."""
    for i, (_, name, settings) in enumerate(chosen):
        if name == DEFAULT and not settings:
            return i
    return None


def _query_scores(label: str, runs: Sequence[RunResult], default: RunResult) -> list[QueryAP]:
    """AP of each query that has any, over all candidates and over those without a face."""
    faceless = {
        result.movie.id: {c.id for c in result.movie.candidates if c.id not in result.faces}
        for result in default.movies
    }
    evaluations = [run.evaluation for run in runs]
    assert all(evaluations)
    whole = [{q.query: q for q in e.queries} for e in evaluations if e]
    blind = [_without_faces(run.movies, faceless) for run in runs]
    return [
        QueryAP(
            label,
            score.movie,
            query,
            tuple(own[query].AP or 0.0 for own in whole),
            tuple(own[query][0] for own in blind) if query in blind[0] else None,
            score.n_positives,
            blind[0][query][1] if query in blind[0] else 0,
        )
        for query, score in whole[0].items()
        if score.AP is not None
    ]


def _without_faces(
    results: Sequence[MovieResult], faceless: dict[str, set[str]]
) -> dict[str, tuple[float, int]]:
    """AP and positives of each query in the lists without candidates that show a face."""
    truth = metrics.truth_of([result.movie for result in results])
    assert truth is not None
    positives = {
        query: found & faceless.get(truth.movie_of(query), set())
        for query, found in truth.positives.items()
    }
    if not any(positives.values()):
        return {}
    lists = [
        Ranking(r.query_id, tuple(c for c in r.candidate_ids if c in faceless[result.movie.id]))
        for result in results
        for r in result.rankings
    ]
    restricted = metrics.Truth(
        positives,
        {movie: frozenset(ids) for movie, ids in faceless.items()},
        truth.movies,
        unlabelled=truth.unlabelled,
    )
    evaluation = metrics.evaluate(restricted, metrics.submission_of(lists))
    return {q.query: (q.AP, q.n_positives) for q in evaluation.queries if q.AP is not None}
