"""The main job: movies ranked one by one, saved as they come, and what a run leaves."""

from __future__ import annotations

import csv
import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from castsearch.errors import InputError
from castsearch.outputs import read_run
from castsearch.outputs.saved import SavedMovies
from castsearch.runtime.settings import Runtime
from castsearch.types import OTHERS, Facts, Movie, MovieResult
from castsearch.verbs import rank as module
from castsearch.verbs.rank import rank
from castsearch.verbs.stages import rank_movie

GRACE, EILEEN = "nm1", "nm2"
IDS = ["0000", "0001", "0002"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, hopper: Path, collins: Path) -> Path:
    """Portraits of two people, and a still of each, of both kinds for three movies."""
    folder = tmp_path_factory.mktemp("pictures")
    with Image.open(hopper) as one, Image.open(collins) as two:
        people = {GRACE: one.convert("RGB"), EILEEN: two.convert("RGB")}
    for name, picture in people.items():
        small = picture.reduce(2)
        small.save(folder / f"{name}.png")
        small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"still_{name}.png")
        (small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((200, 220))).save(
            folder / f"other_{name}.png"
        )
    return folder


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """One store for all tests, so that a picture is looked at once."""
    return Runtime(store=tmp_path_factory.getbasetemp() / "rank.sqlite", n_jobs=1)


MakeSource = Callable[..., Path]


@pytest.fixture
def source_of(pictures: Path, tmp_path: Path) -> MakeSource:
    """A source of several movies, whose candidates have the same ids in each.

    Of each movie both are cast; candidate 0000 shows Grace, 0001 Eileen and 0002 a corner without
    anyone. In the second movie it is the other way round.
    """

    def made(*movies: str, name: str = "source", edit: dict[str, Any] | None = None) -> Path:
        document = {}
        for number, movie in enumerate(movies):
            folder = tmp_path / name / "val" / movie
            folder.mkdir(parents=True)
            who = [GRACE, EILEEN] if number % 2 == 0 else [EILEEN, GRACE]
            kind = "still" if number % 2 == 0 else "other"
            for person in who:
                shutil.copy(pictures / f"{person}.png", folder)
                shutil.copy(pictures / f"{kind}_{person}.png", folder / f"still_{person}.png")
            candidates = [
                {"id": i, "img": f"{movie}/still_{p}.png", "bbox": box, "label": label}
                for i, p, box, label in (
                    (IDS[0], who[0], [0, 0, 200, 220], who[0]),
                    (IDS[1], who[1], [0, 0, 200, 220], who[1]),
                    (IDS[2], who[1], [0, 0, 30, 40], OTHERS),
                )
            ]
            cast = [
                {"id": f"{movie}_{p}", "img": f"{movie}/{p}.png", "label": p}
                for p in (GRACE, EILEEN)
            ]
            document[movie] = {"cast": cast, "candidates": candidates}
        document |= edit or {}
        (tmp_path / name / "val.json").write_text(json.dumps(document))
        return tmp_path / name

    return made


def first_of(result: MovieResult) -> dict[str, str]:
    """The best candidate of each cast member."""
    return {r.query_id.split("_")[1]: r.candidate_ids[0].split("_")[-1] for r in result.rankings}


RIGHT = [{GRACE: "0000", EILEEN: "0001"}, {GRACE: "0001", EILEEN: "0000"}]


@pytest.fixture
def ranked_ids(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the movies that were looked at, in order, as they come."""
    ids: list[str] = []

    def watched(movie: Movie, *arguments: Any, **options: Any) -> MovieResult:
        ids.append(movie.id)
        return rank_movie(movie, *arguments, **options)

    monkeypatch.setattr(module, "rank_movie", watched)
    return ids


def stop_at(movie_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Ctrl-C when this movie is at hand."""
    going_on = module.rank_movie

    def stopped(movie: Movie, *arguments: Any, **options: Any) -> MovieResult:
        if movie.id == movie_id:
            raise KeyboardInterrupt
        return going_on(movie, *arguments, **options)

    monkeypatch.setattr(module, "rank_movie", stopped)


# In memory.


def test_movies_of_equal_ids_do_not_mix(source_of: MakeSource, runtime: Runtime) -> None:
    run = rank(source_of("tt1", "tt2"), preset="face", runtime=runtime)
    assert [result.movie.id for result in run.movies] == ["tt1", "tt2"]
    assert [first_of(result) for result in run.movies] == RIGHT
    assert run.problems == ()
    assert run.n_queries == 4
    assert (run.out, run.summary) == (None, None)
    assert run.evaluation is not None
    assert run.evaluation.mAP == 1.0
    assert [(movie.movie, movie.mAP) for movie in run.evaluation.movies] == [("tt1", 1), ("tt2", 1)]


def test_ties_are_counted_over_all_movies(source_of: MakeSource, runtime: Runtime) -> None:
    corner = {"id": "0003", "img": "tt1/still_nm1.png", "bbox": [0, 0, 20, 20], "label": OTHERS}
    source = source_of("tt1", "tt2")
    document = json.loads((source / "val.json").read_text())
    document["tt1"]["candidates"].append(corner)
    (source / "val.json").write_text(json.dumps(document))
    run = rank(source, preset="face", runtime=runtime)
    # Two corners without a face in each of the two lists of one movie, and one of the other.
    assert [r.n_ties for result in run.movies for r in result.rankings] == [2, 2, 0, 0]
    assert run.n_ties == 4


def test_without_labels_there_is_no_score(source_of: MakeSource, runtime: Runtime) -> None:
    source = source_of("tt1")
    document = json.loads((source / "val.json").read_text())
    for candidate in document["tt1"]["candidates"]:
        del candidate["label"]
    (source / "val.json").write_text(json.dumps(document))
    run = rank(source, preset="face", runtime=runtime)
    assert run.evaluation is None
    assert first_of(run.movies[0]) == RIGHT[0]


NOTHING = {"cast": [], "candidates": []}


@pytest.mark.parametrize("out", [None, "out"])
def test_a_movie_that_cannot_be_ranked_is_told_and_stops_no_other(
    out: str | None, source_of: MakeSource, runtime: Runtime, tmp_path: Path
) -> None:
    source = source_of("tt1", "tt2", edit={"tt0": NOTHING})
    folder = None if out is None else tmp_path / out
    run = rank(source, preset="face", runtime=runtime, out=folder)
    assert [result.movie.id for result in run.movies] == ["tt1", "tt2"]
    assert run.problems
    assert all("tt0" in problem.message for problem in run.problems)
    if folder is not None:
        document = json.loads((folder / "run.json").read_text())
        assert [p["message"] for p in document["skipped"]] == [p.message for p in run.problems]
        with read_run(folder) as saved:
            assert saved.problems == run.problems


@pytest.fixture
def nobody(pictures: Path, tmp_path: Path) -> Path:
    """A folder of movies with one in it, whose still shows nobody."""
    for part in ("cast", "stills"):
        (tmp_path / "films" / "empty" / part).mkdir(parents=True)
    shutil.copy(pictures / f"{GRACE}.png", tmp_path / "films" / "empty" / "cast")
    Image.new("RGB", (300, 200), (90, 120, 60)).save(tmp_path / "films/empty/stills/a.png")
    return tmp_path / "films"


NOBODY = "empty: no face was found in its stills."


def test_where_no_movie_can_be_ranked_a_sentence_says_why(
    nobody: Path, runtime: Runtime, tmp_path: Path
) -> None:
    for out in (None, tmp_path / "out"):
        with pytest.raises(InputError, match=f"films: no movie in it can be ranked. {NOBODY}"):
            rank(nobody, preset="face", runtime=runtime, out=out)
    assert not (tmp_path / "out" / "ranking.csv").exists()


@pytest.mark.parametrize("preset", ["castsearch", "face"])
def test_a_movie_whose_stills_show_nobody_is_told_and_stops_no_other(
    preset: str, nobody: Path, pictures: Path, runtime: Runtime
) -> None:
    shutil.copytree(nobody / "empty" / "cast", nobody / "full" / "cast")
    (nobody / "full" / "stills").mkdir()
    shutil.copy(pictures / f"still_{GRACE}.png", nobody / "full" / "stills")
    run = rank(nobody, preset=preset, runtime=runtime)
    assert [result.movie.id for result in run.movies] == ["full"]
    assert [problem.message for problem in run.problems] == [NOBODY]


# Facts.


def test_facts_are_of_their_movie(source_of: MakeSource, runtime: Runtime) -> None:
    source = source_of("tt1", "tt2")
    first, second = rank(source, runtime=runtime).movies
    who = {r.query_id: r.candidate_ids for r in second.rankings}
    facts = Facts(labels={who[f"tt2_{GRACE}"][0]: f"tt2_{EILEEN}"})
    run = rank(source, runtime=runtime, facts={"tt2": facts})
    assert run.movies[0].rankings == first.rankings
    assert run.movies[0].facts == Facts()
    assert run.movies[1].facts == facts
    (of_eileen,) = (r for r in run.movies[1].rankings if r.query_id == f"tt2_{EILEEN}")
    corrected = who[f"tt2_{GRACE}"][0]
    assert of_eileen.scores[of_eileen.candidate_ids.index(corrected)] > 0.9
    assert of_eileen.reasons[of_eileen.candidate_ids.index(corrected)].startswith("corrected")


def test_facts_of_an_unknown_movie_are_refused_before_any_work(
    source_of: MakeSource, runtime: Runtime, ranked_ids: list[str], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="There are facts about tt7, which is no movie of"):
        rank(
            source_of("tt1"),
            preset="face",
            runtime=runtime,
            facts={"tt1": Facts(), "tt7": Facts()},
            out=tmp_path / "out",
        )
    assert ranked_ids == []
    assert not (tmp_path / "out").exists()


# Into a folder.


def lists_of(out: Path) -> dict[str, list[str]]:
    with (out / "ranking.csv").open() as file:
        return {row["Id"]: row["Rank"].split() for row in csv.DictReader(file)}


def test_what_is_written_is_what_was_found(
    source_of: MakeSource, runtime: Runtime, tmp_path: Path
) -> None:
    source = source_of("tt1", "tt2")
    plain = rank(source, runtime=runtime)
    run = rank(source, runtime=runtime, out=tmp_path / "out")
    assert [r.rankings for r in run.movies] == [r.rankings for r in plain.movies]
    assert lists_of(tmp_path / "out") == {
        r.query_id: list(r.candidate_ids) for result in plain.movies for r in result.rankings
    }
    assert (run.n_queries, run.n_ties) == (plain.n_queries, plain.n_ties)
    assert run.evaluation == plain.evaluation
    assert run.out == tmp_path / "out"
    assert run.summary is not None
    assert set(run.summary.files) == {
        *("ranking.csv", "scores.csv", "names.csv", "run.json", "report/index.html")
    }
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    assert document["preset"]["name"] == "castsearch"
    assert document["counts"]["n_movies"] == 2
    assert document["counts"]["n_candidates"] == 6
    assert document["evaluation"]["mAP"] == 1.0
    assert document["device"] == "cpu"
    assert set(document["models"]) == {"yunet", "sface", "lite0-parts", "hsv-stripes"}
    with read_run(tmp_path / "out") as saved:
        assert saved.state == "whole"
        assert saved.named
        assert all(seconds is not None and seconds > 0 for seconds in saved.seconds().values())


def test_a_movie_is_saved_as_soon_as_it_is_ranked(
    source_of: MakeSource, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[frozenset[str]] = []

    class Watched(module.RunFolder):  # type: ignore[misc, name-defined]
        def save(self, result: MovieResult, **options: Any) -> None:
            super().save(result, **options)
            saved.append(self.done)

    monkeypatch.setattr(module, "RunFolder", Watched)
    rank(source_of("tt1", "tt2"), preset="face", runtime=runtime, out=tmp_path / "out")
    assert saved == [{"tt1"}, {"tt1", "tt2"}]


def test_a_stopped_run_goes_on_with_the_next_movie(
    source_of: MakeSource,
    runtime: Runtime,
    ranked_ids: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = source_of("tt1", "tt2", "tt3")
    with monkeypatch.context() as stopping:
        stop_at("tt2", stopping)
        with pytest.raises(KeyboardInterrupt):
            rank(source, preset="face", runtime=runtime, out=tmp_path / "out")
    assert ranked_ids == ["tt1"]
    assert not (tmp_path / "out" / "ranking.csv").exists()
    ranked_ids.clear()
    run = rank(source, preset="face", runtime=runtime, out=tmp_path / "out")
    assert ranked_ids == ["tt2", "tt3"]
    whole = rank(source, preset="face", runtime=runtime, out=tmp_path / "whole")
    assert lists_of(tmp_path / "out") == lists_of(tmp_path / "whole")
    for name in ("ranking.csv", "scores.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert run.evaluation == whole.evaluation
    assert [result.rankings for result in run.movies] == [r.rankings for r in whole.movies]


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": ["flip=true"]},
        {"preset": "castsearch"},
        {"facts": {"tt1": Facts(labels={"tt1_0000": f"tt1_{EILEEN}"})}},
    ],
    ids=["setting", "preset", "facts"],
)
def test_with_anything_else_a_stopped_run_begins_anew(
    changes: dict[str, Any],
    source_of: MakeSource,
    runtime: Runtime,
    ranked_ids: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = source_of("tt1", "tt2")
    with monkeypatch.context() as stopping:
        stop_at("tt2", stopping)
        with pytest.raises(KeyboardInterrupt):
            rank(source, preset="face", runtime=runtime, out=tmp_path / "out")
    ranked_ids.clear()
    options: dict[str, Any] = {"preset": "face"} | changes
    rank(source, runtime=runtime, out=tmp_path / "out", **options)
    assert ranked_ids == ["tt1", "tt2"]


def files_of(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_nothing_of_an_earlier_film_stays(
    source_of: MakeSource, runtime: Runtime, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rank(source_of("tt1", "tt2", name="first"), runtime=runtime, out=out)
    before = files_of(out)
    assert "names.csv" in before
    other = source_of("tt8", name="second")
    # Another film, with other pictures of other people, by a preset that names nobody.
    for path in (other / "val" / "tt8").glob("*.png"):
        with Image.open(path) as picture:
            turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).convert("L").convert("RGB")
        turned.save(path)
    run = rank(other, preset="face", runtime=runtime, out=out)
    assert run.summary is not None
    assert "no probabilities" in run.summary.without_names
    rank(other, preset="face", runtime=runtime, out=tmp_path / "new")
    assert files_of(out) == files_of(tmp_path / "new")
    assert "names.csv" not in files_of(out)
    thumbnails = {name for name in before if name.startswith("report/thumbs/")}
    assert thumbnails
    assert not thumbnails & files_of(out)


def results_alive() -> int:
    gc.collect()
    return sum(type(thing) is MovieResult for thing in gc.get_objects())


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many results are in memory at the start of each movie, beyond those there were."""
    before = results_alive()
    counts: list[int] = []

    def watched(*arguments: Any, **options: Any) -> MovieResult:
        counts.append(results_alive() - before)
        return rank_movie(*arguments, **options)

    monkeypatch.setattr(module, "rank_movie", watched)
    return counts


def test_no_result_is_in_memory_while_the_next_movie_is_looked_at(
    source_of: MakeSource, runtime: Runtime, tmp_path: Path, alive: list[int]
) -> None:
    source = source_of("tt1", "tt2", "tt3")
    before = results_alive()
    run = rank(source, preset="face", runtime=runtime, out=tmp_path / "out")
    assert alive == [0, 0, 0]
    assert isinstance(run.movies, SavedMovies)
    assert results_alive() == before
    assert [first_of(result) for result in run.movies] == [*RIGHT, RIGHT[0]]
    alive.clear()
    # Without a folder there is no other place for them.
    rank(source, preset="face", runtime=runtime)
    assert alive == [0, 1, 2]


def test_two_runs_are_the_same_to_the_byte(source_of: MakeSource, tmp_path: Path) -> None:
    source = source_of("tt1", "tt2")
    for n_jobs in (1, 2):
        runtime = Runtime(store=tmp_path / f"{n_jobs}.sqlite", n_jobs=n_jobs)
        rank(source, runtime=runtime, out=tmp_path / f"out{n_jobs}")
    assert files_of(tmp_path / "out1") == files_of(tmp_path / "out2")
    for name in ("ranking.csv", "scores.csv", "names.csv"):
        one, two = ((tmp_path / f"out{n}" / name).read_bytes() for n in (1, 2))
        assert one == two


# The reference's hybrid rows.

BIG_BANG = "tt9400000"
CAST = ("nm9400001", "nm9400002")
CANDIDATES = ("0013", "0017", "0038", "0040")
"""Few and small ones, as mmod takes its time: two of the first cast, one of the second."""


@pytest.fixture(scope="module")
def movie(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Big Bang Theory stills with two cast, whose portraits are halved, and four candidates."""
    source = data_dir / "ntu-mini"
    root = tmp_path_factory.mktemp("hybrid")
    for name, is_kept in (
        ("cast", lambda path: path.endswith(tuple(f"{i}.jpg" for i in CAST))),
        ("candidate", lambda path: path.endswith(tuple(f"{i}.jpg" for i in CANDIDATES))),
    ):
        labels = json.loads((source / "val" / BIG_BANG / f"{name}.json").read_text())
        kept = {
            path: label if label in CAST else "others"
            for path, label in labels.items()
            if is_kept(path)
        }
        for path in kept:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if name == "cast":
                Image.open(source / path).reduce(2).save(root / path)
            else:
                (root / path).write_bytes((source / path).read_bytes())
        (root / "val" / BIG_BANG / f"{name}.json").write_text(json.dumps(kept))
    return root / "val" / BIG_BANG


@pytest.mark.parametrize("name", ["sgbt_hybrid", "sgbt_hybrid_pro", "sgbt_hybrid_resize"])
def test_each_hybrid_row_ranks_a_movie(name: str, movie: Path) -> None:
    run = rank(movie, preset=name)
    assert run.problems == ()
    assert run.evaluation is not None
    (result,) = run.movies
    assert [len(ranking.candidate_ids) for ranking in result.rankings] == [4, 4]
    assert run.evaluation.mAP == 1.0
    for ranking in result.rankings:
        assert "in a cluster that" in ranking.reasons[0]
    widths = {i: f.box.width for i, f in result.faces.items() if i.startswith(f"{BIG_BANG}_00")}
    # Faces are given in pixels of the crop, whatever size they were looked for at.
    assert {f"{BIG_BANG}_0013", f"{BIG_BANG}_0038"} < set(widths)
    for candidate, width in widths.items():
        assert 0.2 < width / result.frames[candidate].width < 0.8
