"""One person given twice in a still: ``python benchmarks/doubled_boxes.py SOURCE ...``.

Every named box of a labelled set is doubled, as detectors, annotators and people who copy files
do: shifted by 6 % and 4 %, grown by a fifth, cut to the head (twice the face where one is found,
else the upper middle), and, where candidates are files, as a copy with black bars above and below.
Printed are the mAP of the preset with the boxes as they are and doubled, how many of the pairs were
joined, and how many pairs of two labelled people were joined that should not be.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageOps

from castsearch import metrics
from castsearch.features.store import Store
from castsearch.ranking.evidence import evidence_of
from castsearch.ranking.twins import twins
from castsearch.runtime.settings import Runtime
from castsearch.sources.movies import read
from castsearch.types import OTHERS, Box, Candidate, Movie, MovieResult, Still
from castsearch.verbs.stages import Plan, look, order, plan

Double = Callable[[Candidate, Box, Box | None], Box]


def shifted(candidate: Candidate, box: Box, face: Box | None) -> Box:
    return box.shift(0.06 * box.width, 0.04 * box.height)


def grown(candidate: Candidate, box: Box, face: Box | None) -> Box:
    dx, dy = box.width / 10, box.height / 10
    return Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy)


def head(candidate: Candidate, box: Box, face: Box | None) -> Box:
    if face is not None:
        dx, dy = face.width / 2, face.height / 2
        return Box(face.x0 - dx, face.y0 - dy, face.x1 + dx, face.y1 + dy)
    side = min(0.6 * box.width, box.height)
    left = (box.x0 + box.x1 - side) / 2
    return Box(left, box.y0, left + side, box.y0 + side)


DOUBLES: dict[str, Double] = {"shifted": shifted, "grown": grown, "head": head}


def doubled(result: MovieResult, double: Double, folder: Path) -> Movie:
    """The movie with a second box for each that is named; crop files become new files."""
    movie = result.movie
    more = []
    for candidate in movie.candidates:
        frame, info = result.frames.get(candidate.id), result.pictures.get(candidate.still.id)
        if candidate.label in {None, OTHERS} or frame is None or info is None:
            continue
        face = result.faces.get(candidate.id)
        box = double(candidate, frame, face.box if face else None)
        box = box.clip(info.width, info.height)
        if candidate.box is None:
            with Image.open(candidate.still.path) as picture:
                part = ImageOps.exif_transpose(picture).convert("RGB").crop(box.xyxy)
            more.append(_file(candidate, part, folder))
        elif box.area > 0:
            more.append(replace(candidate, id=f"{candidate.id}-b", box=box))
    return replace(movie, candidates=(*movie.candidates, *more), stills=())


def letterboxed(result: MovieResult, folder: Path) -> Movie:
    """The movie with a copy of each named crop file that has black bars."""
    more = []
    for candidate in result.movie.candidates:
        if candidate.label in {None, OTHERS} or candidate.box is not None:
            continue
        with Image.open(candidate.still.path) as picture:
            part = ImageOps.exif_transpose(picture).convert("RGB")
        bar = round(part.height * 0.12)
        more.append(_file(candidate, ImageOps.expand(part, (0, bar, 0, bar)), folder))
    return replace(result.movie, candidates=(*result.movie.candidates, *more))


def _file(candidate: Candidate, part: Image.Image, folder: Path) -> Candidate:
    path = folder / f"{candidate.id}-b.png"
    part.save(path)
    return replace(candidate, id=f"{candidate.id}-b", still=Still(f"{candidate.id}-b", path))


def score(results: list[MovieResult]) -> float:
    truth = metrics.truth_of([result.movie for result in results])
    assert truth is not None
    lists = [ranking for result in results for ranking in result.rankings]
    return metrics.evaluate(truth, metrics.submission_of(lists)).mAP


def joined(results: list[MovieResult]) -> tuple[int, int, int]:
    """Doubles, how many of them were joined, and joins of two people."""
    n_doubles = n_right = n_wrong = 0
    for result in results:
        candidates = result.movie.candidates
        n_doubles += sum(c.id.endswith("-b") for c in candidates)
        for i, j in twins(evidence_of(result.evidence)):
            same = candidates[i].label == candidates[j].label
            n_right += same and candidates[i].id.endswith("-b") != candidates[j].id.endswith("-b")
            n_wrong += not same
    return n_doubles, n_right, n_wrong


def variants(plain: list[MovieResult], folder: Path) -> Iterator[tuple[str, list[Movie]]]:
    for name, double in DOUBLES.items():
        place = folder / name
        place.mkdir()
        yield name, [doubled(result, double, place) for result in plain]
    if any(c.box is None for result in plain for c in result.movie.candidates):
        place = folder / "bars"
        place.mkdir()
        yield "letterboxed", [letterboxed(result, place) for result in plain]


def ranked(movies: list[Movie], how: Plan, store: Store) -> list[MovieResult]:
    return [order(look(movie, how, store), how.preset) for movie in movies]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--preset", default="castsearch")
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    how = plan(arguments.preset, runtime=Runtime(store=arguments.store))
    print(f"{'set':15} {'boxes':12} {'mAP':>7} {'doubles':>8} {'joined':>7} {'wrong':>6}")
    for source in arguments.sources:
        name = Path(source).name
        with tempfile.TemporaryDirectory() as folder, Store(arguments.store) as store:
            plain = ranked(read(source), how, store)
            print(f"{name:15} {'as they are':12} {score(plain):7.4f} {'':8} {'':7} ", end="")
            print(f"{joined(plain)[2]:6}")
            for variant, movies in variants(plain, Path(folder)):
                results = ranked(movies, how, store)
                n_doubles, n_right, n_wrong = joined(results)
                print(f"{name:15} {variant:12} {score(results):7.4f} ", end="")
                print(f"{n_doubles:8} {n_right:7} {n_wrong:6}", flush=True)


if __name__ == "__main__":
    main()
