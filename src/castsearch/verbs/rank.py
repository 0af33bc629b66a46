"""The main job: a folder or file of movies in, a ranking per cast member and its report out."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castsearch import metrics as scoring
from castsearch.detectors.choose import body_box
from castsearch.errors import InputError
from castsearch.features.extract import Work, extract
from castsearch.features.features import Region
from castsearch.features.recipe import Recipe, recipe_of
from castsearch.features.store import Store
from castsearch.models import config as model_table
from castsearch.outputs import write_report
from castsearch.outputs.tables import NAMED_FROM, write_names, write_scores
from castsearch.presets import DEFAULT, Preset
from castsearch.presets import preset as preset_of
from castsearch.ranking.movie import ranked_movie, regions_of
from castsearch.runtime.files import whole_file
from castsearch.runtime.progress import Style, track
from castsearch.runtime.settings import Runtime
from castsearch.sources.movies import read
from castsearch.types import Candidate, Movie, MovieResult, Problem


@dataclass(frozen=True, slots=True)
class RunResult:
    """What :func:`rank` found, and where it wrote it; ``evaluation`` is None without truth."""

    movies: tuple[MovieResult, ...]
    problems: tuple[Problem, ...]
    evaluation: scoring.Evaluation | None
    work: Work
    seconds: dict[str, float]
    out: Path | None

    @property
    def n_ties(self) -> int:
        """Places that a candidate id decided, over all lists."""
        return sum(r.n_ties for movie in self.movies for r in movie.rankings)


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
    layout: str = "auto",
    face_model: str | None = None,
    body_models: Sequence[str] = (),
    runtime: Runtime = Runtime(),
) -> RunResult:
    """Rank all candidates of every movie in ``source`` for each of its cast.

    With ``out`` the files ``ranking.csv``, ``scores.parquet``, ``run.json`` and
    ``report/index.html`` are written there. ``settings`` replace single values of the preset
    (``"num_jitters=5"``); ``face_model`` is a name of the model table or an ONNX file, and so are
    ``body_models``, which take the place of the preset's body encoders.

    Raises:
        InputError: nothing in ``source`` can be ranked, or a setting or model is wrong.
        CastsearchError: a result cannot be stored or written.
    """
    clock = _Clock()
    chosen = preset_of(preset, settings)
    out = None if out is None else Path(out)
    progress = runtime.progress
    max_megapixels, n_jobs = runtime.max_megapixels, runtime.n_jobs
    recipe = recipe_of(chosen, face_model, body_models)
    with clock.stage("read"):
        movies = read(source, layout=layout)
    if out is not None:
        _writable(out)
    with Store(runtime.store) as kept, clock.stage("detect and embed"):
        movies = _with_candidates(movies, recipe, kept, max_megapixels, n_jobs, progress)
        regions = [r for movie in movies for r in regions_of(movie)]
        n_pictures = len({r.path for r in regions})
        with track("pictures", n_pictures, progress) as advance:
            features, work = extract(
                regions,
                recipe,
                kept,
                max_megapixels=max_megapixels,
                n_jobs=n_jobs,
                advance=advance,
            )
    with clock.stage("rank"):
        results = tuple(
            ranked_movie(movie, features, recipe)
            for movie in movies
            if movie.cast and movie.candidates
        )
    problems = tuple(p for m in movies for p in m.problems if not (m.cast and m.candidates))
    problems += tuple(p for result in results for p in result.problems)
    if not results:
        raise InputError(
            f"{source}: no movie in it can be ranked. " + " ".join(p.message for p in problems)
        )
    with clock.stage("evaluate"):
        truth = scoring.truth_of([result.movie for result in results])
        lists = [ranking for result in results for ranking in result.rankings]
        evaluation = None
        if truth is not None and any(truth.positives.values()):
            evaluation = scoring.evaluate(truth, scoring.submission_of(lists))
    run = RunResult(results, problems, evaluation, work, clock.seconds, out)
    if out is not None:
        with clock.stage("write"):
            _write(run, out, source, chosen, recipe)
        document = json.dumps(_facts(run, source, chosen, recipe), indent=1) + "\n"
        with whole_file(out / "run.json") as temporary:
            temporary.write_text(document, encoding="utf-8")
    return run


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: this folder cannot be made: {error.strerror}.") from error
    if not os.access(out, os.W_OK):
        raise InputError(f"{out}: this folder cannot be written to.")


def _with_candidates(
    movies: Sequence[Movie],
    recipe: Recipe,
    store: Store,
    max_megapixels: float,
    n_jobs: int | None,
    progress: Style,
) -> list[Movie]:
    """The movies, with whole stills turned into candidates: a body box grown from each face."""
    regions = [Region(s.id, s.path, role="still") for movie in movies for s in movie.stills]
    if not regions:
        return list(movies)
    with track("stills", len(regions), progress) as advance:
        found, _ = extract(
            regions,
            recipe,
            store,
            max_megapixels=max_megapixels,
            n_jobs=n_jobs,
            advance=advance,
        )
    grown = []
    for movie in movies:
        candidates, problems = [], []
        for still in movie.stills:
            seen = found[still.id]
            if seen.problem:
                problems.append(Problem(still.id, seen.problem))
            elif seen.frame:
                candidates += [
                    Candidate(
                        f"{still.id}_f{i}",
                        still,
                        body_box(face.box, seen.frame.width, seen.frame.height),
                    )
                    for i, face in enumerate(seen.faces)
                ]
        if movie.stills and not candidates and not movie.candidates:
            problems.append(Problem(movie.id, f"{movie.id}: no face was found in its stills."))
        grown.append(
            dataclasses.replace(
                movie,
                candidates=(*movie.candidates, *candidates),
                problems=(*movie.problems, *problems),
            )
        )
    return grown


def _write(run: RunResult, out: Path, source: str | Path, chosen: Preset, recipe: Recipe) -> None:
    lists = [ranking for result in run.movies for ranking in result.rankings]
    scoring.write_submission_csv(out / "ranking.csv", lists)
    write_scores(out / "scores.parquet", run.movies)
    if chosen.fusion == "film":
        write_names(out / "names.csv", run.movies)
    facts = {
        "preset": f"{chosen.name} ({chosen.summary})",
        "face encoder": recipe.encoder.name,
        "source": str(source),
        "candidates": str(sum(len(r.movie.candidates) for r in run.movies)),
        "queries": str(len(lists)),
    }
    if run.evaluation is not None:
        facts["mAP"] = f"{run.evaluation.mAP:.4f}"
    write_report(
        out / "report",
        run.movies,
        title=f"castsearch: {Path(source).resolve().name}",
        facts=facts,
        evaluation=None if run.evaluation is None else scoring.to_json(run.evaluation),
        problems=run.problems,
        named_from=NAMED_FROM if chosen.fusion == "film" else None,
    )


def _facts(run: RunResult, source: str | Path, chosen: Preset, recipe: Recipe) -> dict[str, Any]:
    """The content of ``run.json``."""
    import castsearch

    used = [m for m in (recipe.detector, recipe.encoder, *recipe.body) if m]
    facts: dict[str, Any] = {
        "castsearch": castsearch.__version__,
        "python": platform.python_version(),
        "source": str(source),
        "preset": dataclasses.asdict(chosen),
        "models": {m.name: model_table.fingerprint(m) for m in used},
        "counts": {
            "movies": len(run.movies),
            "queries": sum(len(r.rankings) for r in run.movies),
            "candidates": sum(len(r.movie.candidates) for r in run.movies),
            "candidates with a face": sum(
                c.id in r.faces for r in run.movies for c in r.movie.candidates
            ),
            "ties": run.n_ties,
        },
        "work": dataclasses.asdict(run.work),
        "skipped": [dataclasses.asdict(p) for p in run.problems],
        "seconds": {k: round(v, 3) for k, v in run.seconds.items()},
    }
    if run.evaluation is not None:
        facts["evaluation"] = scoring.to_json(run.evaluation)
    return facts
