"""The main job: a folder or file of movies in, a ranking per cast member and its report out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castsearch import metrics
from castsearch.errors import InputError
from castsearch.features.extract import Work
from castsearch.features.store import Store
from castsearch.models.config import fingerprint
from castsearch.outputs import RunFolder, Summary
from castsearch.outputs.saved import SavedMovies
from castsearch.presets import DEFAULT
from castsearch.runtime.settings import Runtime
from castsearch.sources.layouts import Layout
from castsearch.sources.movies import read
from castsearch.types import Facts, Movie, MovieResult, Problem, Ranking
from castsearch.verbs.stages import Plan, plan, rank_movie


@dataclass(frozen=True, slots=True)
class RunResult:
    """What :func:`rank` found, and where it wrote it; ``evaluation`` is None without truth.

    ``movies`` are in memory, or read one at a time out of the run folder where there is one;
    ``summary`` is what was written there.
    """

    movies: Sequence[MovieResult]
    problems: tuple[Problem, ...]
    evaluation: metrics.Evaluation | None
    work: Work
    seconds: dict[str, float]
    out: Path | None
    n_queries: int = 0
    n_ties: int = 0
    summary: Summary | None = None


@dataclass(slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def rank(
    source: str | Path,
    *,
    preset: str = DEFAULT,
    settings: Iterable[str] = (),
    out: str | Path | None = None,
    layout: Layout = "auto",
    face_model: str | None = None,
    body_models: Sequence[str] = (),
    facts: Mapping[str, Facts] | None = None,
    runtime: Runtime | None = None,
) -> RunResult:
    """Rank all candidates of every movie in ``source`` for each of its cast.

    With ``out`` each movie is saved there as soon as it is ranked, so that a run that was stopped
    goes on with the next one; ``ranking.csv``, ``scores.csv``, ``run.json`` and
    ``report/index.html`` follow at the end. Without it the results stay in memory.

    Args:
        source: A movie, a split or the root of a data set.
        preset: Named pipeline.
        settings: Replace single values of the preset (``"num_jitters=5"``).
        out: The run folder.
        layout: How ``source`` is laid out; told by itself unless given.
        face_model: Face encoder in place of the preset's: a name of the model table, or an ONNX
            file.
        body_models: Body encoders in place of the preset's, likewise.
        facts: What is known of the candidates, by movie id.
        runtime: Where it works, and with how much.

    Raises:
        InputError: nothing in ``source`` can be ranked, or a setting, model or device is wrong.
        CastsearchError: a result cannot be stored or written.
    """
    clock = _Clock()
    how = plan(
        preset,
        tuple(settings),
        face_model=face_model,
        body_models=tuple(body_models),
        runtime=runtime,
    )
    with clock.stage("read"):
        movies = read(source, layout=layout)
    known = dict(facts or {})
    absent = sorted(known.keys() - {movie.id for movie in movies})
    if absent:
        raise InputError(f"There are facts about {absent[0]}, which is no movie of {source}.")
    if out is None:
        return _in_memory(source, movies, how, known, clock)
    return _in_folder(source, movies, how, known, clock, Path(out))


def _in_memory(
    source: str | Path,
    movies: Sequence[Movie],
    how: Plan,
    facts: Mapping[str, Facts],
    clock: _Clock,
) -> RunResult:
    results: list[MovieResult] = []
    problems: list[Problem] = []
    scores: list[metrics.Scores] = []
    with clock.stage("rank"), Store(how.runtime.store) as store:
        for movie, label in _labelled(movies):
            result = _ranked(movie, how, facts, store, label, problems)
            if result:
                results.append(result)
                scores += _scores(result.movie, result.rankings)
    _check(source, len(results), problems)
    problems += [problem for result in results for problem in result.problems]
    lists = [ranking for result in results for ranking in result.rankings]
    evaluation = metrics.evaluation_of(scores)
    n_ties = sum(ranking.n_ties for ranking in lists)
    return RunResult(
        tuple(results),
        tuple(problems),
        evaluation,
        how.work,
        clock.seconds,
        None,
        len(lists),
        n_ties,
    )


def _in_folder(
    source: str | Path,
    movies: Sequence[Movie],
    how: Plan,
    facts: Mapping[str, Facts],
    clock: _Clock,
    out: Path,
) -> RunResult:
    about = _about(source, how)
    run = RunFolder(
        out,
        fingerprint=_fingerprint(about, movies, facts),
        named=how.preset.way.gives_probabilities,
        about=about,
    )
    ranked: list[str] = []
    scores: list[metrics.Scores] = []
    unusable: list[Problem] = []
    problems: list[Problem] = []
    with run, Store(how.runtime.store) as store:
        for movie, label in _labelled(movies):
            start = time.perf_counter()
            with clock.stage("rank"):
                if movie.id in run.done:
                    result: MovieResult | None = run.movie(movie.id)
                else:
                    result = _ranked(movie, how, facts, store, label, unusable)
            if result is None:
                continue
            if movie.id not in run.done:
                with clock.stage("save"):
                    run.save(result, seconds=time.perf_counter() - start)
            ranked.append(movie.id)
            scores += _scores(result.movie, result.rankings)
            problems += result.problems
            # One movie at a time: this one goes before the next is looked at.
            del result
        _check(source, len(ranked), unusable)
        evaluation = metrics.evaluation_of(scores)
        counts = run.counts()
        about |= {
            "counts": dataclasses.asdict(counts),
            "work": dataclasses.asdict(how.work),
            "skipped": [dataclasses.asdict(p) for p in (*unusable, *problems)],
            "seconds": {stage: round(value, 3) for stage, value in clock.seconds.items()},
        }
        document = None if evaluation is None else metrics.to_json(evaluation)
        if document is not None:
            about["evaluation"] = document
        shown = {
            "preset": f"{how.preset.name} ({how.preset.summary})",
            "face encoder": how.asked.encoder.model.name,
            "source": str(source),
            "candidates": str(counts.n_candidates),
            "queries": str(counts.n_queries),
        }
        if evaluation is not None:
            shown["mAP"] = f"{evaluation.mAP:.4f}"
        with clock.stage("write"):
            summary = run.finish(
                title=f"castsearch: {Path(source).resolve().name}",
                report_facts=shown,
                evaluation=document,
                problems=unusable,
                about=about,
            )
    return RunResult(
        SavedMovies(out, ranked),
        (*unusable, *problems),
        evaluation,
        how.work,
        clock.seconds,
        out,
        counts.n_queries,
        counts.n_ties,
        summary,
    )


def _labelled(movies: Sequence[Movie]) -> Iterator[tuple[Movie, str]]:
    """Each movie with what its progress is called where there are several."""
    for i, movie in enumerate(movies, start=1):
        yield movie, f"{movie.id} ({i} of {len(movies)}), " if len(movies) > 1 else ""


def _ranked(
    movie: Movie,
    how: Plan,
    facts: Mapping[str, Facts],
    store: Store,
    label: str,
    problems: list[Problem],
) -> MovieResult | None:
    """One movie ranked; ``None`` where there is nothing to rank, with what is wrong told."""
    if movie.cast and (movie.candidates or movie.stills):
        result = rank_movie(movie, how, facts=facts.get(movie.id), store=store, label=label)
        if result.movie.candidates:
            return result
        movie = result.movie
    problems += movie.problems
    return None


def _check(source: str | Path, n_ranked: int, problems: Sequence[Problem]) -> None:
    if not n_ranked:
        raise InputError(
            f"{source}: no movie in it can be ranked. " + " ".join(p.message for p in problems)
        )


def _scores(movie: Movie, lists: Sequence[Ranking]) -> Iterator[metrics.Scores]:
    """The scores of one movie's lists; none where it has no labels."""
    truth = metrics.truth_of([movie])
    if truth is not None:
        # Scores are kept of all movies, and their lists of none.
        yield metrics.scores_of(truth, metrics.submission_of(lists))


def _about(source: str | Path, how: Plan) -> dict[str, Any]:
    """What a run says of itself, the start of ``run.json``."""
    import castsearch

    return {
        "castsearch": castsearch.__version__,
        "python": platform.python_version(),
        "source": str(source),
        "preset": dataclasses.asdict(how.preset),
        "device": how.asked.place.device.name,
        "provider": how.asked.place.device.provider,
        "models": {model.name: fingerprint(model) for model in how.asked.models},
    }


def _fingerprint(
    about: Mapping[str, Any], movies: Sequence[Movie], facts: Mapping[str, Facts]
) -> str:
    """What decides the result: a run that was stopped goes on only where it is the same."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for part in (*movies, *sorted(facts.items())):
        digest.update(repr(part).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
