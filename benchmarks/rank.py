"""Time and memory of the ranking on synthetic movies: ``python benchmarks/rank.py``.

Each movie has 8 casts, 512-d vectors, 46 % "others" and log-normal numbers of positives with median
28, scaled so that the movie has the size asked for; half of the candidates have no face. Every
method runs on every size in a process of its own, which gives its peak memory. The literal forms
are those that the tests compare with; both run in one process, over the largest size at which the
literal form ends within seconds, and the ratio of their times is printed. On a machine that does
other work, ``--cpu`` counts the seconds of the processor in place of the clock's; no wall time with
idle cores is longer.

To add a method: one function ``time_NAME(n)`` that makes a movie, times the method and returns the
seconds, and its name in ``METHODS``.
"""

from __future__ import annotations

import argparse
import resource
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from castsearch.ranking.affinity import Faces, bodies
from castsearch.ranking.alternatives.ppcc import ppcc
from castsearch.ranking.alternatives.reciprocal import k_reciprocal
from castsearch.ranking.by_film import one_blas_thread
from castsearch.ranking.cluster import hybrid
from castsearch.ranking.coarse import rankings
from castsearch.ranking.constraints import constraints
from castsearch.ranking.film import FilmEvidence
from castsearch.ranking.film import film as film_ranking
from castsearch.ranking.reasons import film_reasons
from castsearch.types import Candidate, CastMember, Still

LOOPS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "tests" / "ranking" / "loops.py"))
k_reciprocal_loop, ppcc_loop = LOOPS["k_reciprocal_loop"], LOOPS["ppcc_loop"]

SIZES = (500, 1000, 2000, 5000, 10_000)
N_CAST = 8
DIM = 512
OTHERS = 0.46
MEDIAN_POSITIVES = 28
SPREAD = 1.1
"""Of the logarithm of the positives: the 90 % point of WIDER 2018 val, 136, is 4.9 medians."""
FACES = 0.5
CLOCK: list[Callable[[], float]] = [time.perf_counter]
"""The clock that times are taken by; ``--cpu`` puts another in its place."""


@dataclass(frozen=True)
class Film:
    """A synthetic movie: unit vectors, and the true cast (-1: others) of each candidate."""

    portraits: np.ndarray
    faces: np.ndarray
    has_face: np.ndarray
    bodies: np.ndarray
    cast: np.ndarray


def film(n: int, seed: int = 0) -> Film:
    """Candidates around their person's vector; people of the "others" have few pictures each."""
    rng = np.random.default_rng(seed)
    n_others = round(OTHERS * n)
    positives = np.exp(rng.normal(np.log(MEDIAN_POSITIVES), SPREAD, N_CAST))
    shares = np.floor(positives / positives.sum() * (n - n_others)).astype(int)
    n_others = n - shares.sum()
    cast = np.repeat([*range(N_CAST), -1], [*shares, n_others])
    person = np.where(cast >= 0, cast, N_CAST + rng.integers(max(n // 50, 1), size=n))
    order = rng.permutation(n)
    cast, person = cast[order], person[order]

    def around(centres: np.ndarray, noise: float) -> np.ndarray:
        vectors = centres + noise * rng.normal(size=centres.shape)
        return unit(vectors)

    centres = unit(rng.normal(size=(person.max() + 1, DIM)))
    looks = unit(rng.normal(size=(person.max() + 1, DIM)))
    noise = 1 / np.sqrt(DIM)
    return Film(
        around(centres[:N_CAST], noise),
        around(centres[person], noise),
        rng.random(n) < FACES,
        around(looks[person], noise),
        cast,
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def affinities(movie: Film) -> tuple[np.ndarray, np.ndarray]:
    face = movie.portraits @ movie.faces.T
    face[:, ~movie.has_face] = 0
    return np.maximum(face, 0), np.maximum(movie.bodies @ movie.bodies.T, 0)


def distances(movie: Film) -> np.ndarray:
    """Between portraits and all faces, hidden ones too: the method takes a square matrix."""
    vectors = np.vstack([movie.portraits, movie.faces])
    squared = vectors @ vectors.T
    np.multiply(squared, -2, out=squared)
    squared += 2
    np.maximum(squared, 0, out=squared)
    np.fill_diagonal(squared, 0)
    return squared


def timed(call: Callable[[], object]) -> float:
    """Seconds by the clock, or with ``--cpu`` of all cores together."""
    start = CLOCK[0]()
    call()
    return CLOCK[0]() - start


def time_k_reciprocal(n: int) -> float:
    movie = film(n)
    return timed(lambda: k_reciprocal(distances(movie), N_CAST))


def time_ppcc(n: int) -> float:
    movie = film(n)
    return timed(lambda: ppcc(*affinities(movie)))


def time_hybrid(n: int) -> float:
    movie = film(n)
    face = -np.sqrt(np.maximum(2 - 2 * (movie.portraits @ movie.faces.T), 0))
    face[:, ~movie.has_face] = -np.inf
    return timed(lambda: hybrid(face, movie.bodies, face_threshold=1.2, cluster_threshold=0.7))


def time_default(n: int) -> float:
    """The whole default ranking after embedding: vectors in, rankings with reasons out.

    Every still holds one to four crops, and every crop with a face has a lower part too, as in a
    real run.
    """
    movie = film(n)
    rng = np.random.default_rng(1)
    stills = np.repeat(np.arange(n), rng.integers(1, 5, size=n))[:n]
    vectors = np.where(movie.has_face[:, None], movie.faces, np.float32(0))
    lower = unit(movie.bodies + 0.5 / np.sqrt(DIM) * rng.normal(size=movie.bodies.shape))
    quality = np.where(movie.has_face, rng.uniform(0.6, 0.95, size=n), 0)
    cast = [CastMember(f"cast {i}", f"cast {i}", ()) for i in range(N_CAST)]
    candidates = [Candidate(f"{i:05}", Still(f"{s}", Path())) for i, s in enumerate(stills)]
    ids = [candidate.id for candidate in candidates]

    def ranked() -> None:
        scores = np.where(movie.has_face, movie.portraits @ vectors.T, -np.inf).astype(np.float64)
        evidence = FilmEvidence(
            scores,
            Faces(vectors, movie.has_face),
            quality,
            bodies([movie.bodies], [lower], movie.has_face),
        )
        facts = constraints(stills, N_CAST)
        beliefs = film_ranking(evidence, facts=facts)
        reasons = film_reasons(beliefs, evidence, ids, [member.name for member in cast], facts)
        rankings(cast, candidates, beliefs.probabilities, reasons)

    with one_blas_thread():
        return timed(ranked)


METHODS: dict[str, Callable[[int], float]] = {
    "default": time_default,
    "k-reciprocal": time_k_reciprocal,
    "ppcc": time_ppcc,
    "hybrid": time_hybrid,
}


def ratio_of_k_reciprocal(n: int) -> tuple[float, float, float]:
    """Seconds of both forms, and the largest difference of their results."""
    matrix = distances(film(n)).astype(np.float64)
    results: list[np.ndarray] = []
    fast = timed(lambda: results.append(k_reciprocal(matrix, N_CAST)))
    slow = timed(lambda: results.append(k_reciprocal_loop(matrix, N_CAST, 20, 6, 0.3)))
    return fast, slow, float(np.abs(results[0] - results[1]).max())


def ratio_of_ppcc(n: int) -> tuple[float, float, float]:
    """Seconds of both forms, and the largest difference of their results."""
    face, body = (values.astype(np.float64) for values in affinities(film(n)))
    results: list[np.ndarray] = []
    fast = timed(lambda: results.append(ppcc(face, body)))
    slow = timed(lambda: results.append(ppcc_loop(face, body, 0.5, 5, 0.03)))
    return fast, slow, float(np.abs(results[0] - results[1]).max())


RATIOS = {"k-reciprocal": (ratio_of_k_reciprocal, 2000), "ppcc": (ratio_of_ppcc, 500)}


def growth(sizes: list[int], seconds: list[float]) -> float:
    """Exponent of n between the two largest sizes, where the fixed cost counts least."""
    return float(np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))


def in_own_process(name: str, n: int) -> tuple[float, float]:
    """Seconds and peak GB of one method on one size."""
    clock = ["--cpu"] if CLOCK[0] is time.process_time else []
    command = [sys.executable, __file__, *clock, "--one", name, str(n)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, gigabytes = done.stdout.split()
    return float(seconds), float(gigabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--repeat", type=int, default=1, help="runs of each, the fastest counts")
    parser.add_argument(
        "--cpu", action="store_true", help="seconds of all cores together, not of the clock"
    )
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "N"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cpu:
        CLOCK[0] = time.process_time
    if arguments.one:
        name, size = arguments.one
        METHODS[name](50)  # imports SciPy, which is not to be timed
        seconds = METHODS[name](int(size))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(seconds, peak)
        return
    sizes = sorted(arguments.sizes)
    print("| method |", " | ".join(f"{n:,}" for n in sizes), "| growth | peak GB |")
    print("|---" * (len(sizes) + 3) + "|")
    for name in arguments.methods:
        runs = [min(in_own_process(name, n) for _ in range(arguments.repeat)) for n in sizes]
        seconds = [run[0] for run in runs]
        exponent = f"n^{growth(sizes, seconds):.2f}" if len(sizes) > 1 else ""
        figures = " | ".join(f"{value:.2f} s" for value in seconds)
        print(
            f"| {name} | {figures} | {exponent} | {max(run[1] for run in runs):.2f} |", flush=True
        )
    print("\n| method | candidates | sparse | literal form | ratio | largest difference |")
    print("|---" * 6 + "|")
    for name, (measure, n) in RATIOS.items():
        measure(50)
        fast, slow, difference = measure(n)
        print(f"| {name} | {n:,} | {fast:.3f} s | {slow:.2f} s | {slow / fast:.0f} x |", end="")
        print(f" {difference:.0e} |", flush=True)


if __name__ == "__main__":
    main()
