"""Pictures in, faces and vectors out: each picture decoded at most once, each result stored.

ONNX networks release the interpreter lock, so pictures run in threads, one core each; dlib does
not, so its pictures run in processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import TypeVar

from castsearch.errors import ImageError
from castsearch.features.asked import Asked, load
from castsearch.features.gather import (
    Answers,
    Chips,
    Gathering,
    Values,
    encode_chips,
    gather,
    stored_features,
)
from castsearch.features.region import Features, Region
from castsearch.features.store import Store
from castsearch.runtime.settings import Runtime
from castsearch.runtime.workers import as_finished, executor, n_cores
from castsearch.sources.frames import frames, picture_key
from castsearch.sources.images import content_hash, decode, read_bytes, upright_size
from castsearch.types import ImageArray, Picture, PictureInfo

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

    def add(self, other: Work) -> None:
        """Count the work of another movie too."""
        self.n_pictures += other.n_pictures
        self.n_decoded += other.n_decoded
        self.n_detected += other.n_detected
        self.n_embedded += other.n_embedded
        self.n_bodies += other.n_bodies


T = TypeVar("T")

Results = dict[str, Values]
"""Stored values by region key."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture: the regions asked of it, and what the store already has of them.

    ``key`` is of the picture's content, and ``data`` are the bytes of a file, unless they are too
    many to keep.
    """

    picture: Picture
    regions: tuple[Region, ...]
    key: str = ""
    data: bytes = b""
    info: PictureInfo | None = None
    problem: str = ""
    stored: Results = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker made of a picture: features by region id, and new results to be stored."""

    key: str
    features: dict[str, Features]
    new: Results = field(default_factory=dict)


def extract(
    regions: Sequence[Region],
    what: Asked,
    store: Store,
    runtime: Runtime | None = None,
    *,
    advance: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Features], Work]:
    """Features of every region by its id; whatever the store has is not done again.

    ``advance`` is called after each picture. A picture that cannot be read gives its regions a
    ``problem`` and does not stop the others.

    Raises:
        InputError: a model is missing, or cannot be used with this preset.
        CastsearchError: the store cannot be written.
    """
    runtime = runtime or Runtime()
    by_picture: dict[Picture, list[Region]] = {}
    for region in regions:
        by_picture.setdefault(region.picture, []).append(region)
    n_jobs = runtime.n_jobs or n_cores()
    work = Work(n_pictures=len(by_picture))
    features: dict[str, Features] = {}

    threads = not what.holds_lock
    # Faces of several pictures go through a network in one call.
    largest = what.place.device.per_call("int8") if threads else 1
    tasks = list(_tasks(list(by_picture.items()), n_jobs, largest))

    def incomplete() -> Iterator[list[Job]]:
        """The pictures of which the store lacks something; features of the others are kept."""
        with ThreadPoolExecutor(n_jobs) as readers:
            for jobs in as_finished(readers, _read, tasks, 2 * n_jobs):
                left = []
                for job in jobs:
                    stored = {r.key: store.read(job.key, r.key) for r in job.regions}
                    answers = {r.id: _stored(job, r, what, stored[r.key]) for r in job.regions}
                    if all(answers.values()):
                        features.update({id_: f for id_, f in answers.items() if f})
                        advance()
                    else:
                        left.append(replace(job, stored=stored))
                if left:
                    yield left

    jobs = incomplete()
    first = next(jobs, None)
    if first is None:
        return features, work
    # Networks are loaded only if one is needed, and before any worker asks for one.
    load(what, faces=any(r.role != "body" for r in regions))
    with executor(n_jobs, threads=threads) as pool:
        doing = partial(process, what=what, max_megapixels=runtime.max_megapixels)
        for outcomes in as_finished(pool, doing, chain([first], jobs), 2 * n_jobs):
            _keep(outcomes, store, work)
            for outcome in outcomes:
                features |= outcome.features
                advance()
    return features, work


def _tasks(items: Sequence[T], n_jobs: int, largest: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most ``largest``; shorter at the end, so that no worker idles."""
    start = 0
    while start < len(items):
        size = max(1, min(largest, (len(items) - start) // (2 * n_jobs)))
        yield items[start : start + size]
        start += size


def _read(items: Sequence[tuple[Picture, Sequence[Region]]]) -> list[Job]:
    jobs = []
    for picture, regions in items:
        try:
            if picture.frame is not None:
                key = picture_key(picture)
                jobs.append(Job(picture, tuple(regions), key))
                continue
            data = read_bytes(picture.path)
        except ImageError as error:
            jobs.append(Job(picture, tuple(regions), problem=str(error)))
        else:
            few = data if len(data) <= KEPT_BYTES else b""
            key = content_hash(data)
            jobs.append(Job(picture, tuple(regions), key, few, _info(picture, key, data)))
    return jobs


def _info(picture: Picture, key: str, data: bytes) -> PictureInfo | None:
    """The size of a picture file out of its header; decoding says what is wrong with it."""
    try:
        return PictureInfo(key, *upright_size(data, picture.path.name))
    except ImageError:
        return None


def _stored(job: Job, region: Region, what: Asked, values: Values) -> Features | None:
    """What is stored of a region, if that is all there is to ask."""
    if job.problem:
        return Features(problem=job.problem)
    features = stored_features(region, what, values)
    return features and replace(features, picture=job.info)


def _keep(outcomes: Sequence[Outcome], store: Store, work: Work) -> None:
    """Store what is new, and count it."""
    rows = [
        (outcome.key, region, name, value)
        for outcome in outcomes
        for region, new in outcome.new.items()
        for name, value in new.items()
    ]
    store.write(rows)
    work.n_decoded += len(outcomes)
    work.n_detected += sum(name.startswith("faces") for _, _, name, _ in rows)
    work.n_embedded += sum(name.startswith("vector") for _, _, name, _ in rows)
    work.n_bodies += sum(name.startswith("body") for _, _, name, _ in rows)


def process(jobs: Sequence[Job], what: Asked, max_megapixels: float) -> list[Outcome]:
    """Decode pictures and make whatever answers about their regions are missing; in a worker."""
    outcomes: list[Outcome] = []
    waiting: list[tuple[Region, Answers, Gathering, Outcome, PictureInfo, Chips]] = []
    for job, decoded in _decoded(jobs, max_megapixels):
        if isinstance(decoded, ImageError):
            problem = Features(problem=str(decoded))
            outcomes.append(Outcome(job.key, {region.id: problem for region in job.regions}))
            continue
        outcome = Outcome(job.key, {})
        outcomes.append(outcome)
        info = PictureInfo(job.key, decoded.shape[1], decoded.shape[0])
        for region in job.regions:
            try:
                answers = Answers(job.stored.get(region.key, {}), decoded, region.box)
            except ImageError as error:
                outcome.features[region.id] = Features(problem=str(error), picture=info)
                continue
            gathering = gather(region, what, answers)
            try:
                waiting.append((region, answers, gathering, outcome, info, next(gathering)))
            except StopIteration as end:
                _finish(outcome, region, answers, end.value, info)
    rows = encode_chips(what, [chips for *_, chips in waiting])
    for (region, answers, gathering, outcome, info, _), vectors in zip(waiting, rows, strict=True):
        try:
            gathering.send(vectors)
        except StopIteration as end:
            _finish(outcome, region, answers, end.value, info)
    return outcomes


def _finish(
    outcome: Outcome, region: Region, answers: Answers, features: Features, info: PictureInfo
) -> None:
    outcome.features[region.id] = replace(features, picture=info)
    # Two regions of equal boxes share what is stored.
    outcome.new[region.key] = outcome.new.get(region.key, {}) | answers.new


def _decoded(
    jobs: Sequence[Job], max_megapixels: float
) -> Iterator[tuple[Job, ImageArray | ImageError]]:
    """Each job with its picture, or with what is wrong; frames of one film in one pass over it."""
    for path, same in groupby(jobs, key=_film_of):
        if path is None:
            for job in same:
                try:
                    yield _decoded_file(job, max_megapixels)
                except ImageError as error:
                    yield job, error
            continue
        by_number = {job.picture.frame: job for job in same if job.picture.frame is not None}
        try:
            for number, image in frames(path, sorted(by_number), max_megapixels=max_megapixels):
                yield by_number.pop(number), image
        except ImageError as error:
            for job in by_number.values():
                yield job, error


def _film_of(job: Job) -> Path | None:
    """The film that a job's picture is a frame of, ``None`` for a picture file."""
    return None if job.picture.frame is None else job.picture.path


def _decoded_file(job: Job, max_megapixels: float) -> tuple[Job, ImageArray]:
    """The picture, and the job as the file is now."""
    data = job.data or read_bytes(job.picture.path)
    key = job.key if job.data else content_hash(data)
    # Where the file changed since it was looked up, nothing stored of it holds.
    stored = job.stored if key == job.key else {}
    image = decode(data, job.picture.path.name, max_megapixels=max_megapixels)
    return replace(job, data=b"", key=key, stored=stored), image
