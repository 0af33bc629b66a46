"""Pictures in, faces and vectors out: each picture decoded at most once, each result stored.

ONNX networks release the interpreter lock, so pictures run in threads, one core each; dlib does
not, so its pictures run in processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from castsearch.errors import ImageError
from castsearch.features import recipe as recipes
from castsearch.features.features import (
    BODY,
    FACES,
    VECTOR,
    Features,
    Look,
    Region,
    Values,
    encode_faces,
    look,
    stored_features,
)
from castsearch.features.recipe import Recipe
from castsearch.features.store import Store
from castsearch.runtime.workers import executor, n_cores
from castsearch.sources.images import content_hash, decode, read_bytes
from castsearch.types import ImageArray

PER_TASK = 4
"""Pictures that a thread takes at a time: faces of several pictures are encoded in one call."""
KEPT_BYTES = 2**20
"""Files up to this size are read once; larger ones once more, when it is their turn, so that what
waits stays small."""


@dataclass(slots=True)
class Work:
    """What a run had to do, for ``run.json``."""

    n_pictures: int = 0
    n_decoded: int = 0
    n_detected: int = 0
    n_embedded: int = 0
    n_bodies: int = 0


T = TypeVar("T")
R = TypeVar("R")

Results = dict[str, Values]
"""Stored values by region key."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture: the regions asked of it, and what the store already has of them.

    ``data`` are its bytes, unless they are too many to keep.
    """

    path: Path
    regions: tuple[Region, ...]
    data: bytes = b""
    picture: str = ""
    problem: str = ""
    known: Results = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker made of a job: new results, and a sentence per region that failed."""

    job: Job
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

    # dlib holds the interpreter lock, onnxruntime does not.
    threads = recipe.preset.locator == "yunet" and recipe.encoder.extra != "dlib"
    tasks = list(_tasks(list(by_path.items()), n_jobs, PER_TASK if threads else 1))

    def incomplete() -> Iterator[list[Job]]:
        """The pictures of which the store lacks something; features of the others are kept."""
        with ThreadPoolExecutor(n_jobs) as readers:
            for jobs in _as_finished(readers, _read, tasks, 2 * n_jobs):
                left = []
                for job in jobs:
                    known = {r.key: store.read(job.picture, r.key) for r in job.regions}
                    found = {r.id: _found(job, r, recipe, known[r.key]) for r in job.regions}
                    if all(found.values()):
                        features.update({id_: f for id_, f in found.items() if f})
                        advance()
                    else:
                        left.append(replace(job, known=known))
                if left:
                    yield left

    jobs = incomplete()
    first = next(jobs, None)
    if first is None:
        return features, work
    # Networks are loaded only if one is needed, and before any worker asks for one.
    recipes.load(recipe, faces=any(r.role != "body" for r in regions))
    with executor(n_jobs, threads=threads) as pool:
        doing = partial(process, recipe=recipe, max_megapixels=max_megapixels)
        for outcomes in _as_finished(pool, doing, chain([first], jobs), 2 * n_jobs):
            _keep(outcomes, store, work)
            for outcome in outcomes:
                features |= _features(outcome, recipe)
                advance()
    return features, work


def _tasks(items: Sequence[T], n_jobs: int, largest: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most ``largest``; shorter at the end, so that no worker idles."""
    start = 0
    while start < len(items):
        size = max(1, min(largest, (len(items) - start) // (2 * n_jobs)))
        yield items[start : start + size]
        start += size


def _as_finished(
    pool: Executor, do: Callable[[T], R], items: Iterable[T], n_waiting: int
) -> Iterator[R]:
    """Results in the order they are ready; few items are under way, so memory stays bounded."""
    waiting: set[Future[R]] = set()
    todo = iter(items)
    try:
        while True:
            waiting |= {pool.submit(do, item) for item in islice(todo, n_waiting - len(waiting))}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read(items: Sequence[tuple[Path, Sequence[Region]]]) -> list[Job]:
    jobs = []
    for path, regions in items:
        try:
            data = read_bytes(path)
        except ImageError as error:
            jobs.append(Job(path, tuple(regions), problem=str(error)))
        else:
            kept = data if len(data) <= KEPT_BYTES else b""
            jobs.append(Job(path, tuple(regions), kept, content_hash(data)))
    return jobs


def _found(job: Job, region: Region, recipe: Recipe, known: Values) -> Features | None:
    """What is known of a region without looking at its picture, if that is all there is to know."""
    return Features(problem=job.problem) if job.problem else stored_features(region, recipe, known)


def _keep(outcomes: Sequence[Outcome], store: Store, work: Work) -> None:
    """Store what is new, and count it."""
    rows = [
        (outcome.job.picture, region, name, value)
        for outcome in outcomes
        for region, new in outcome.new.items()
        for name, value in new.items()
    ]
    store.write(rows)
    work.n_decoded += len(outcomes)
    work.n_detected += sum(name.startswith(FACES) for _, _, name, _ in rows)
    work.n_embedded += sum(name.startswith(VECTOR) for _, _, name, _ in rows)
    work.n_bodies += sum(name.startswith(BODY) for _, _, name, _ in rows)


def _features(outcome: Outcome, recipe: Recipe) -> dict[str, Features]:
    """The features of the picture's regions, from what was known and what is new."""
    features = {}
    for region in outcome.job.regions:
        problem = outcome.problems.get(region.key)
        values = outcome.job.known.get(region.key, {}) | outcome.new.get(region.key, {})
        done = None if problem else stored_features(region, recipe, values)
        features[region.id] = done or Features(problem=problem or "its features are incomplete")
    return features


def process(jobs: Sequence[Job], recipe: Recipe, max_megapixels: float) -> list[Outcome]:
    """Decode pictures and do whatever their regions lack; runs in a worker."""
    outcomes = []
    looks: list[tuple[Results, str, Look]] = []
    for task in jobs:
        try:
            job, image = _decoded(task, max_megapixels)
        except ImageError as error:
            problems = {region.key: str(error) for region in task.regions}
            outcomes.append(Outcome(replace(task, data=b""), problems=problems))
            continue
        outcome = Outcome(job)
        outcomes.append(outcome)
        for region in job.regions:
            try:
                seen = look(image, region, recipe, job.known.get(region.key, {}))
            except ImageError as error:
                outcome.problems[region.key] = str(error)
            else:
                looks.append((outcome.new, region.key, seen))
    encode_faces([seen for _, _, seen in looks], recipe)
    for new, key, seen in looks:
        new[key] = new.get(key, {}) | seen.new
    return outcomes


def _decoded(job: Job, max_megapixels: float) -> tuple[Job, ImageArray]:
    """The picture, and the job without the bytes of it, which nobody needs any more."""
    data = job.data or read_bytes(job.path)
    picture = job.picture if job.data else content_hash(data)
    # Where the file changed since it was looked up, nothing known of it holds.
    known = job.known if picture == job.picture else {}
    image = decode(data, job.path.name, max_megapixels=max_megapixels)
    return replace(job, data=b"", picture=picture, known=known), image
