"""Pictures in, faces and vectors out: each picture decoded at most once, each result stored.

ONNX networks release the interpreter lock, so pictures run in threads, one core each; dlib does
not, so its pictures run in processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from castsearch import recipe as recipes
from castsearch.errors import ImageError
from castsearch.features import (
    BODY,
    FACES,
    VECTOR,
    Features,
    Region,
    Values,
    new_values,
    stored_features,
)
from castsearch.read.images import content_hash, decode, read_bytes
from castsearch.recipe import Recipe
from castsearch.store import Store
from castsearch.workers import executor, n_cores


@dataclass(slots=True)
class Work:
    """What a run had to do, for ``run.json``."""

    n_pictures: int = 0
    n_decoded: int = 0
    n_detected: int = 0
    n_embedded: int = 0
    n_bodies: int = 0


Results = dict[str, Values]
"""Stored values by region key."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture: the regions asked of it, and what the store already has of them."""

    path: Path
    regions: tuple[Region, ...]
    known: Results = field(default_factory=dict)
    picture: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker made of a job: new results, and a sentence per region that failed."""

    job: Job
    picture: str = ""
    new: Results = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def extract(
    regions: Sequence[Region],
    recipe: Recipe,
    store: Store,
    *,
    max_megapixels: float = 100.0,
    n_jobs: int | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Features], Work]:
    """Features of every region by its id; whatever the store has is not done again.

    ``advance`` is called after each picture. A picture that cannot be read gives its regions a
    ``problem`` and does not stop the others.

    Raises:
        InputError: a model is missing, or cannot be used with this preset.
        CastsearchError: the store cannot be written.
    """
    by_path: dict[Path, list[Region]] = {}
    for region in regions:
        by_path.setdefault(region.path, []).append(region)
    n_jobs = n_jobs or n_cores()
    work = Work(n_pictures=len(by_path))
    features: dict[str, Features] = {}
    to_do: list[Job] = []
    loading: Future[None] | None = None
    with ThreadPoolExecutor(n_jobs) as readers, ThreadPoolExecutor(1) as loader:
        for job in readers.map(_hashed, by_path, map(tuple, by_path.values())):
            known = {r.key: store.read(job.picture, r.key) for r in job.regions}
            found = {r.id: stored_features(r, recipe, known[r.key]) for r in job.regions}
            if job.problem:
                features |= {r.id: Features(problem=job.problem) for r in job.regions}
            elif all(found.values()):
                features |= {id_: f for id_, f in found.items() if f}
            else:
                to_do.append(Job(job.path, job.regions, known, job.picture))
                # Networks are loaded while the rest is looked up, and only if one is needed.
                loading = loading or loader.submit(
                    recipes.load, recipe, faces=any(r.role != "body" for r in regions)
                )
                continue
            advance()
    if loading is not None:
        loading.result()
        for outcome in _run(to_do, recipe, n_jobs, max_megapixels):
            features |= _keep(outcome, recipe, store, work)
            advance()
    return features, work


def _hashed(path: Path, regions: tuple[Region, ...]) -> Job:
    try:
        return Job(path, regions, picture=content_hash(read_bytes(path)))
    except ImageError as error:
        return Job(path, regions, problem=str(error))


def _run(jobs: Sequence[Job], recipe: Recipe, n_jobs: int, megapixels: float) -> Iterator[Outcome]:
    """Outcomes as they finish; at most a few jobs per core wait, so memory stays bounded."""
    # dlib holds the interpreter lock, onnxruntime does not.
    threads = recipe.preset.locator == "yunet" and recipe.encoder.extra != "dlib"
    with executor(min(n_jobs, len(jobs)), threads=threads) as pool:
        waiting: set[Future[Outcome]] = set()
        todo = iter(jobs)
        try:
            while True:
                while len(waiting) < 4 * n_jobs and (job := next(todo, None)):
                    waiting.add(pool.submit(process, job, recipe, megapixels))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _keep(outcome: Outcome, recipe: Recipe, store: Store, work: Work) -> dict[str, Features]:
    """Store what is new, and put the features of the picture's regions together."""
    rows = [
        (region, name, value) for region, new in outcome.new.items() for name, value in new.items()
    ]
    store.write(outcome.picture, rows)
    work.n_decoded += 1
    work.n_detected += sum(name.startswith(FACES) for _, name, _ in rows)
    work.n_embedded += sum(name.startswith(VECTOR) for _, name, _ in rows)
    work.n_bodies += sum(name.startswith(BODY) for _, name, _ in rows)
    features = {}
    for region in outcome.job.regions:
        problem = outcome.problems.get(region.key)
        values = outcome.job.known.get(region.key, {}) | outcome.new.get(region.key, {})
        done = None if problem else stored_features(region, recipe, values)
        features[region.id] = done or Features(problem=problem or "its features are incomplete")
    return features


def process(job: Job, recipe: Recipe, max_megapixels: float) -> Outcome:
    """Decode one picture and do whatever its regions lack; runs in a worker."""
    try:
        data = read_bytes(job.path)
        image = decode(data, job.path.name, max_megapixels=max_megapixels)
    except ImageError as error:
        return Outcome(job, problems={region.key: str(error) for region in job.regions})
    picture = content_hash(data)
    # Where the file changed since it was looked up, nothing known of it holds.
    known = job.known if picture == job.picture else {}
    outcome = Outcome(Job(job.path, job.regions, known, picture), picture)
    for region in job.regions:
        try:
            outcome.new[region.key] = outcome.new.get(region.key, {}) | new_values(
                image, region, recipe, known.get(region.key, {})
            )
        except ImageError as error:
            outcome.problems[region.key] = str(error)
    return outcome
