"""End to end on labelled stills: what `docs/results.md` says holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from castsearch.verbs.rank import RunResult, rank
from castsearch.verbs.verify import verify

# Least mAP of the default preset; the table of docs/results.md has what it reaches.
WHOLE = {
    "tt9501000": 0.80,
    "tt9500000": 0.99,
    "tt9502000": 0.99,
    "tt9400000": 0.99,
    "tt0120338": 0.90,
}
# In every second crop the head is cut off.
PARTS = {
    "tt9501000": 0.62,
    "tt9500000": 0.82,
    "tt9502000": 0.97,
    "tt9400000": 0.76,
    "tt0120338": 0.65,
}
SETS = {"wider-mini": WHOLE, "wider-scenes": WHOLE, "ntu-parts": PARTS}


@pytest.fixture(scope="module")
def ranked(data_dir: Path) -> Callable[[str, str], RunResult]:
    """A run of a preset on a set, done once; what it found is kept for the runs that follow."""

    @cache
    def run(folder: str, preset: str) -> RunResult:
        return rank(data_dir / folder, preset=preset)

    return run


def figures(run: RunResult) -> dict[str, float]:
    assert run.problems == ()
    assert run.evaluation is not None
    return {m.movie: m.mAP or 0.0 for m in run.evaluation.movies}


@pytest.mark.parametrize(
    ("folder", "least"),
    [
        # The better of a plain YuNet + SFace run and plain dlib on good boxes, per movie.
        ("wider-mini", {"tt9400000": 0.985, "tt0120338": 0.791}),
        ("ntu-mini", {"tt9400000": 0.985, "tt0120338": 0.791}),
        ("wider-scenes", {"tt9501000": 0.526, "tt9500000": 0.861, "tt9502000": 0.965}),
    ],
)
def test_face_is_at_least_the_plain_runs(
    folder: str, least: dict[str, float], ranked: Callable[[str, str], RunResult]
) -> None:
    found = figures(ranked(folder, "face"))
    assert {movie: mAP >= least[movie] for movie, mAP in found.items()} == dict.fromkeys(
        least, True
    )


@pytest.mark.parametrize("folder", SETS)
def test_castsearch_reaches_what_is_asked_and_what_faces_alone_do(
    folder: str, ranked: Callable[[str, str], RunResult]
) -> None:
    found, faces = figures(ranked(folder, "castsearch")), figures(ranked(folder, "face"))
    assert found.keys() <= SETS[folder].keys()
    assert found.keys() == faces.keys()
    least = {movie: max(SETS[folder][movie], faces[movie]) for movie in found}
    assert {movie: (mAP, least[movie]) for movie, mAP in found.items() if mAP < least[movie]} == {}


@pytest.mark.parametrize("folder", SETS)
def test_a_second_run_does_no_work_and_finds_the_same(
    folder: str, ranked: Callable[[str, str], RunResult], data_dir: Path
) -> None:
    first = ranked(folder, "castsearch")
    second = rank(data_dir / folder, preset="castsearch")
    work = second.work
    assert (work.n_decoded, work.n_detected, work.n_embedded, work.n_bodies) == (0, 0, 0, 0)
    assert work.n_pictures == first.work.n_pictures > 0
    assert [movie.rankings for movie in second.movies] == [m.rankings for m in first.movies]


@pytest.mark.parametrize("preset", ["dlib_inverse", "dlib_force_location", "dlib_cnn_location"])
def test_dlib_rows_run_on_a_movie(preset: str, data_dir: Path) -> None:
    run = rank(data_dir / "ntu-mini" / "val" / "tt0120338", preset=preset)
    assert run.evaluation is not None
    assert [len(r.candidate_ids) for r in run.movies[0].rankings] == [33, 33]
    assert run.evaluation.mAP > 0.3  # a random order has 0.35 * 11 / 33 and less


def test_allcast_puts_faceless_candidates_last(data_dir: Path) -> None:
    (movie,) = rank(data_dir / "ntu-mini" / "val" / "tt0120338", preset="dlib_allcast").movies
    for ranking in movie.rankings:
        has_face = [i in movie.faces for i in ranking.candidate_ids]
        assert has_face == sorted(has_face, reverse=True)
        assert [s == float("-inf") for s in ranking.scores] == [not f for f in has_face]


@pytest.mark.parametrize(("movie", "n_cast"), [("tt9400000", 7), ("tt0120338", 2)])
def test_in_whole_stills_each_cast_member_is_found_first(
    movie: str, n_cast: int, data_dir: Path, tmp_path: Path
) -> None:
    """The labelled boxes are dropped: who is in a still is for castsearch to see."""
    labels = json.loads((data_dir / "wider-mini" / "val.json").read_text())[movie]
    pictures = data_dir / "wider-mini" / "val"
    for part in ("cast", "stills"):
        (tmp_path / movie / part).mkdir(parents=True)
    for member in labels["cast"]:
        shutil.copy(pictures / member["img"], tmp_path / movie / "cast" / f"{member['label']}.jpg")
    for still in {candidate["img"] for candidate in labels["candidates"]}:
        shutil.copy(pictures / still, tmp_path / movie / "stills")

    def people_at(still: str, x: float, y: float) -> set[str]:
        """Whose labelled boxes hold a point; two where they stand close."""
        people = set()
        for candidate in labels["candidates"]:
            left, top, width, height = candidate["bbox"]
            inside = left <= x <= left + width and top <= y <= top + height
            if Path(candidate["img"]).name == still and inside:
                people.add(candidate["label"])
        return people

    (result,) = rank(tmp_path / movie).movies
    candidates = {candidate.id: candidate for candidate in result.movie.candidates}
    assert len(result.rankings) == n_cast
    for ranking in result.rankings:
        member = ranking.query_id.removeprefix(f"{movie}_")
        first = ranking.candidate_ids[0]
        face = result.faces[first].box
        centre = (face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2
        assert member in people_at(candidates[first].still.path.name, *centre), member


def test_movies_that_number_their_candidates_alike_do_not_mix(
    data_dir: Path, tmp_path: Path
) -> None:
    source = tmp_path / "wider"
    source.mkdir()
    document = json.loads((data_dir / "wider-mini" / "val.json").read_text())
    for movie in document.values():
        for candidate in movie["candidates"]:
            candidate["id"] = candidate["id"].split("_")[-1]
    (source / "val.json").write_text(json.dumps(document))
    shutil.copytree(data_dir / "wider-mini" / "val", source / "val")
    bare, full = rank(source), rank(data_dir / "wider-mini")
    assert bare.evaluation is not None
    assert full.evaluation is not None
    assert [m.mAP for m in bare.evaluation.movies] == [m.mAP for m in full.evaluation.movies]


def test_lfw_pairs(data_dir: Path) -> None:
    result = verify(data_dir / "lfw-mini")
    assert result.n_pairs == 1000
    assert result.accuracy > 0.98
