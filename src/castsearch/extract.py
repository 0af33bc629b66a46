"""Pictures in, faces and vectors out: each picture decoded at most once, each result stored.

ONNX networks release the interpreter lock, so pictures run in threads, one core each; dlib does
not, so its pictures run in processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from castsearch import recipe as recipes
from castsearch.errors import ImageError
from castsearch.faces import as_array, find_faces, from_array, pick
from castsearch.read.images import content_hash, crop, decode, read_bytes
from castsearch.recipe import Recipe, Role
from castsearch.store import Store, pack, unpack
from castsearch.thumbnail import thumbnail
from castsearch.types import Box, Face, FloatArray, ImageArray
from castsearch.workers import executor, n_cores

FRAME = "frame"
THUMBNAIL = "thumbnail|1"
FACES = "faces"


@dataclass(frozen=True, slots=True)
class Region:
    """A portrait or candidate to look at: ``box`` of the picture at ``path``, or all of it."""

    id: str
    path: Path
    box: Box | None = None
    role: Role = "candidate"

    @property
    def key(self) -> str:
        """The name of the region in the store."""
        return "" if self.box is None else ",".join(f"{v:g}" for v in _corners(self.box))


@dataclass(frozen=True, slots=True)
class Features:
    """What was found in a region; coordinates are pixels of the picture.

    ``vector`` has shape (dim,), float32. ``problem`` says why nothing could be looked at. ``faces``
    are all faces of a whole still. ``body`` holds a unit vector (dim,), float32, of the whole crop
    for each body encoder of the recipe, by its name; portraits have none.
    """

    face: Face | None = None
    vector: FloatArray | None = None
    frame: Box | None = None
    thumbnail: bytes | None = None
    problem: str | None = None
    faces: tuple[Face, ...] = ()
    body: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """What a run had to do, for ``run.json``."""

    n_pictures: int = 0
    n_decoded: int = 0
    n_detected: int = 0
    n_embedded: int = 0
    n_bodies: int = 0


Results = dict[str, dict[str, bytes]]
"""Stored values by region key, then by recipe."""


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


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


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
    with ThreadPoolExecutor(n_jobs) as readers:
        for job in readers.map(_hashed, by_path, map(tuple, by_path.values())):
            known = {r.key: store.read(job.picture, r.key) for r in job.regions}
            found = {r.id: _features(r, recipe, known[r.key]) for r in job.regions}
            if job.problem:
                features |= {r.id: Features(problem=job.problem) for r in job.regions}
            elif all(found.values()):
                features |= {id_: f for id_, f in found.items() if f}
            else:
                to_do.append(Job(job.path, job.regions, known, job.picture))
                continue
            advance()
    if to_do:
        recipes.load(recipe, faces=any(region.role != "body" for region in regions))
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
    work.n_embedded += sum(name.startswith("vector") for _, name, _ in rows)
    work.n_bodies += sum(name.startswith("body") for _, name, _ in rows)
    features = {}
    for region in outcome.job.regions:
        problem = outcome.problems.get(region.key)
        values = outcome.job.known.get(region.key, {}) | outcome.new.get(region.key, {})
        done = None if problem else _features(region, recipe, values)
        features[region.id] = done or Features(problem=problem or "its features are incomplete")
    return features


def _features(region: Region, recipe: Recipe, values: dict[str, bytes]) -> Features | None:
    """The features that stored values make up, or ``None`` where one is missing."""
    bodies = recipe.body_keys(role=region.role)
    if any(name not in values for name in bodies):
        return None
    body = {model.name: unpack(values[name]) for name, model in bodies.items()}
    if region.role == "body":
        return Features(body=body)
    faces = values.get(recipe.faces_key(role=region.role))
    if faces is None or FRAME not in values or THUMBNAIL not in values:
        return None
    frame = Box(*map(float, unpack(values[FRAME])))
    found = from_array(unpack(faces))
    if region.role == "still":
        return Features(frame=frame, faces=tuple(found))
    face = pick(found, frame.width, frame.height, role=region.role)
    if face is None:
        return Features(frame=frame, thumbnail=values[THUMBNAIL], body=body)
    vector = values.get(recipe.vector_key(face, role=region.role))
    if vector is None:
        return None
    in_picture = Face(face.box.shift(frame.x0, frame.y0), face.score)
    return Features(in_picture, unpack(vector), frame, values[THUMBNAIL], body=body)


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
            outcome.new[region.key] = outcome.new.get(region.key, {}) | _process_region(
                image, region, recipe, known.get(region.key, {})
            )
        except ImageError as error:
            outcome.problems[region.key] = str(error)
    return outcome


def _process_region(
    image: ImageArray, region: Region, recipe: Recipe, known: dict[str, bytes]
) -> dict[str, bytes]:
    part = np.ascontiguousarray(crop(image, region.box))
    new: dict[str, bytes] = {
        name: pack(recipes.encode_body(recipe, model, part))
        for name, model in recipe.body_keys(role=region.role).items()
        if name not in known
    }
    if region.role == "body":
        return new
    if FRAME not in known:
        new[FRAME] = pack(np.array(_corners(_frame(image, region.box))))
    if THUMBNAIL not in known:
        new[THUMBNAIL] = thumbnail(part)
    name = recipe.faces_key(role=region.role)
    if name in known:
        faces = from_array(unpack(known[name]))
    else:
        faces = find_faces(recipe, part, role=region.role)
        new[name] = pack(as_array(faces))
    if region.role == "still":
        return new
    face = pick(faces, part.shape[1], part.shape[0], role=region.role)
    if face is not None:
        name = recipe.vector_key(face, role=region.role)
        if name not in known:
            new[name] = pack(recipes.encode(recipe, part, face, role=region.role))
    return new


def _frame(image: ImageArray, box: Box | None) -> Box:
    """The whole pixels that ``crop`` takes for ``box``."""
    height, width = image.shape[:2]
    if box is None:
        return Box(0, 0, width, height)
    inside = box.clip(width, height)
    return Box(
        math.floor(inside.x0), math.floor(inside.y0), math.ceil(inside.x1), math.ceil(inside.y1)
    )
