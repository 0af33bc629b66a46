"""Pictures per second and mAP, side by side: ``python benchmarks/faces.py SOURCE ... [--cnn N]``.

SOURCE is a labelled source of castsearch. The other packages know no boxes: where there are some,
or several sources, their person crops are cut out and written as files first, and all packages get
those. Each package is used as its own README shows, on the same pictures, portraits first:

- castsearch: ``rank --preset face`` from an empty store, files and report written
- face_recognition: ``load_image_file``, ``face_locations``, ``face_encodings``,
  ``face_distance`` (HOG; with ``--cnn N`` also its CNN locator on the first N crops)
- verifyface: ``Verifier.enroll`` for portraits, ``Verifier.identify`` for crops

``pip install face_recognition --no-deps`` beside ``castsearch[dlib]`` (it asks for a dlib that
has to be compiled; dlib-bin serves it), verifyface comes with castsearch.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from castsearch import metrics
from castsearch.detectors.detector import loaded
from castsearch.encoders.encoder import network as network_of
from castsearch.features.asked import asked
from castsearch.networks.session import Session
from castsearch.presets import preset
from castsearch.runtime.settings import Runtime
from castsearch.runtime.workers import n_cores
from castsearch.sources.images import crop, decode, read_bytes
from castsearch.sources.movies import read
from castsearch.types import Movie, order_by_score
from castsearch.verbs.rank import rank

Scores = dict[str, dict[str, float]]
Scorer = Callable[[Sequence[tuple[str, Path]], Sequence[tuple[str, Path]]], Scores]


def as_crops(sources: Sequence[Path]) -> Path:
    """One source in the course layout, each candidate a file of its own."""
    movies = [movie for source in sources for movie in read(source)]
    if len(sources) == 1 and all(c.box is None for m in movies for c in m.candidates):
        return sources[0]
    root = Path(tempfile.mkdtemp())
    for movie in movies:
        folder = root / "val" / movie.id
        labels: dict[str, dict[str, str]] = {"cast": {}, "candidate": {}}
        for name in ("cast", "candidates"):
            (folder / name).mkdir(parents=True)
        for member in movie.cast:
            image = decode(read_bytes(member.portraits[0].path), member.id)
            Image.fromarray(image).save(folder / "cast" / f"{member.id}.jpg", quality=95)
            labels["cast"][f"val/{movie.id}/cast/{member.id}.jpg"] = member.id
        for candidate in movie.candidates:
            image = decode(read_bytes(candidate.still.path), candidate.id)
            place = folder / "candidates" / f"{candidate.id}.jpg"
            Image.fromarray(crop(image, candidate.box)).save(place, quality=95)
            labels["candidate"][f"val/{movie.id}/candidates/{candidate.id}.jpg"] = str(
                candidate.label
            )
        for name, values in labels.items():
            (folder / f"{name}.json").write_text(json.dumps(values))
    return root


class Watched:
    """A network that notes when it runs."""

    def __init__(self, network: Session) -> None:
        self.network = network
        self.spans: list[tuple[float, float]] = []

    def run(self, batch: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        start = time.perf_counter()
        outputs = Session.run(self.network, batch)
        self.spans.append((start, time.perf_counter()))
        return outputs


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds during which at least one of the spans lasts."""
    seconds, until = 0.0, 0.0
    for start, end in sorted(spans):
        seconds += max(0.0, end - max(start, until))
        until = max(until, end)
    return seconds


def forget_networks() -> None:
    for cached in (loaded, network_of):
        cached.cache_clear()


def with_castsearch(folder: Path, face_model: str) -> tuple[float, float]:
    """Seconds and mAP of the preset ``face``; prints where the time goes."""
    home = Path(tempfile.mkdtemp())
    what = asked(preset("face").look, face_model=face_model)
    # The networks are loaded before, to be watched; loading them is timed apart.
    forget_networks()
    start = time.perf_counter()
    networks = [loaded(what.detector, what.place), network_of(what.encoder, what.place)]
    loading = time.perf_counter() - start
    watched = [Watched(network) for network in networks]
    for network, watcher in zip(networks, watched, strict=True):
        network.run = watcher.run  # type: ignore[method-assign]
    start = time.perf_counter()
    run = rank(
        folder,
        preset="face",
        face_model=face_model,
        out=home / "out",
        runtime=Runtime(store=home / "s.sqlite"),
    )
    elapsed = time.perf_counter() - start
    forget_networks()
    assert run.evaluation is not None
    spans = [span for watcher in watched for span in watcher.spans]
    busy = sum(end - start for start, end in spans)
    print(f"  loading {loading:.2f}, { {k: round(v, 2) for k, v in run.seconds.items()} }")
    print(
        f"  a network is running in {covered(spans) / elapsed:.0%} of the wall time; the networks "
        f"take {busy / (elapsed * n_cores()):.0%} of the time of {n_cores()} cores"
    )
    return loading + elapsed, run.evaluation.mAP


def with_face_recognition(model: str) -> Scorer:
    import face_recognition

    def encode(path: Path) -> Any:
        image = face_recognition.load_image_file(path)
        # The README of the CNN locator's example upsamples nothing, HOG's default is once.
        n = 0 if model == "cnn" else 1
        places = face_recognition.face_locations(image, number_of_times_to_upsample=n, model=model)
        vectors = face_recognition.face_encodings(image, known_face_locations=places)
        return vectors[0] if vectors else None

    def score(cast: Sequence[tuple[str, Path]], crops: Sequence[tuple[str, Path]]) -> Scores:
        portraits = {i: e for i, path in cast if (e := encode(path)) is not None}
        scores: Scores = {i: {} for i, _ in cast}
        for one, path in crops:
            face = encode(path)
            if face is not None:
                for i, distance in zip(
                    portraits,
                    face_recognition.face_distance(list(portraits.values()), face),
                    strict=True,
                ):
                    scores[i][one] = -float(distance)
        return scores

    return score


def with_verifyface(cast: Sequence[tuple[str, Path]], crops: Sequence[tuple[str, Path]]) -> Scores:
    import verifyface

    verifier = verifyface.Verifier(vault=tempfile.mkdtemp())
    names = {}
    for i, path in cast:
        try:
            verifier.enroll(i.replace("_", "-"), str(path))
            names[i.replace("_", "-")] = i
        except verifyface.errors.VerifyFaceError:
            continue  # it refuses the portrait; its list stays empty
    scores: Scores = {i: {} for i, _ in cast}
    for one, path in crops:
        try:
            answer = verifier.identify(str(path))
        except verifyface.errors.VerifyFaceError:
            continue  # no face, or one too small for it
        for name, value in answer.ranking:
            scores[names[name]][one] = float(value)
    return scores


def measure(movies: Sequence[Movie], score: Scorer, limit: int | None) -> tuple[float, float, int]:
    """Seconds, mAP (complete lists, what has no score last) and pictures."""
    start, n, lists = time.perf_counter(), 0, {}
    for movie in movies:
        cast = [(m.id, s.path) for m in movie.cast for s in m.portraits]
        crops = [(c.id, c.still.path) for c in movie.candidates][:limit]
        n += len(cast) + len(crops)
        for query, values in score(cast, crops).items():
            ids = [c.id for c in movie.candidates]
            order, _ = order_by_score(ids, [values.get(i, -np.inf) for i in ids])
            lists[query] = tuple(ids[i] for i in order)
    elapsed = time.perf_counter() - start
    from castsearch.types import Ranking

    truth = metrics.truth_of(movies)
    assert truth is not None
    submission = metrics.submission_of([Ranking(q, ids) for q, ids in lists.items()])
    return elapsed, metrics.evaluate(truth, submission).mAP, n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--cnn", type=int, default=0)
    parser.add_argument("--face-model", default=preset("face").look.encoder)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = as_crops(arguments.sources)
    movies = read(folder)
    n_all = sum(len(m.candidates) + len(m.cast) for m in movies)
    print(f"{n_all} pictures")
    rates: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        elapsed, score = with_castsearch(folder, arguments.face_model)
        rates.setdefault("castsearch", []).append(n_all / elapsed)
        print(f"castsearch: {n_all / elapsed:.1f} pictures/s, mAP {score:.4f}")
        others: dict[str, Scorer] = {
            "verifyface": with_verifyface,
            "face_recognition HOG": with_face_recognition("hog"),
        }
        for name, scorer in others.items():
            elapsed, score, n = measure(movies, scorer, None)
            rates.setdefault(name, []).append(n / elapsed)
            print(f"{name}: {n / elapsed:.1f} pictures/s, mAP {score:.4f}")
    if arguments.cnn:
        elapsed, _, n = measure(movies, with_face_recognition("cnn"), arguments.cnn)
        print(f"face_recognition CNN: {n / elapsed:.2f} pictures/s on {n} pictures")
    ours = np.array(rates["castsearch"])
    for name, values in rates.items():
        print(f"{name}: median ratio {np.median(ours / np.array(values)):.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all in one process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
