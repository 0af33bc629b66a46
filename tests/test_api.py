"""``import castsearch`` as its users write it; reads as the examples of the API."""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import json
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import castsearch
from castsearch import Facts, InputError, MovieResult, Preset, Runtime
from castsearch.encoders.encoder import BodyEncoder
from castsearch.encoders.table import BODY_ENCODERS
from castsearch.features.asked import LookSettings
from castsearch.models.table import Model
from castsearch.networks.device import Place
from castsearch.outputs.tables import TABLES, Table
from castsearch.ranking.order import OrderSettings
from castsearch.types import FloatArray, ImageArray


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, hopper: Path, collins: Path) -> Path:
    """A plain folder: portraits of two people; a crop of each, and one without a face."""
    folder = tmp_path_factory.mktemp("api") / "my-film"
    for part in ("cast", "candidates"):
        (folder / part).mkdir(parents=True)
    shutil.copy(hopper, folder / "cast" / "Grace Hopper.jpg")
    shutil.copy(collins, folder / "cast" / "Eileen Collins.png")
    with Image.open(hopper) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "candidates" / "a.png")
    with Image.open(collins) as picture:
        picture.resize((384, 384)).save(folder / "candidates" / "b.png")
        picture.crop((0, 320, 512, 512)).save(folder / "candidates" / "c.png")
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """All stories work with one store, so that only the first looks at the pictures."""
    return Runtime(store=tmp_path_factory.mktemp("store") / "s.sqlite", n_jobs=1)


def first_of(movie: castsearch.MovieResult) -> dict[str, str]:
    """Name of each cast member, and the file name of its best candidate."""
    names = {member.id: member.name for member in movie.movie.cast}
    return {names[r.query_id]: r.candidate_ids[0].split("_")[-1][0] for r in movie.rankings}


RIGHT = {"Grace Hopper": "a", "Eileen Collins": "b"}


def test_rank_a_film(film: Path, runtime: Runtime) -> None:
    run = castsearch.rank(film, runtime=runtime)
    (movie,) = run.movies
    assert first_of(movie) == RIGHT
    for ranking in movie.rankings:
        assert len(ranking.candidate_ids) == 3
        assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    # Nobody has said who is who, so there is nothing to score by.
    assert run.evaluation is None
    assert run.out is None


def test_rank_into_a_folder_and_open_it_again(film: Path, runtime: Runtime, tmp_path: Path) -> None:
    run = castsearch.rank(film, preset="face", out=tmp_path / "ranked", runtime=runtime)
    assert first_of(run.movies[0]) == RIGHT
    with (tmp_path / "ranked" / "ranking.csv").open() as file:
        lists = {row["Id"]: row["Rank"].split() for row in csv.DictReader(file)}
    assert lists == {r.query_id: list(r.candidate_ids) for r in run.movies[0].rankings}
    # The folder is the result: nothing of the film is needed to read it.
    with castsearch.read_run(tmp_path / "ranked") as saved:
        again = saved.movie(saved.movie_ids[0])
    assert again.rankings == run.movies[0].rankings


def test_read_a_film(film: Path) -> None:
    (movie,) = castsearch.read(film)
    assert sorted(member.name for member in movie.cast) == sorted(RIGHT)
    assert len(movie.candidates) == 3
    assert movie.truth is None
    assert movie.problems == ()


def test_the_stages_one_by_one(film: Path, runtime: Runtime) -> None:
    how = castsearch.plan("castsearch", runtime=runtime)
    (movie,) = castsearch.read(film)
    # Slow, and stored: what the pictures show.
    with castsearch.Store(runtime.store) as store:
        seen = castsearch.look(movie, how, store)
    assert seen.rankings == ()
    # Fast: the order that follows, again and again.
    ranked = castsearch.order(seen, how.preset)
    assert first_of(ranked) == RIGHT
    assert castsearch.rank_movie(movie, how).rankings == ranked.rankings
    # Who looks at the page and says "this is her" gets an order in which it is.
    hopper = next(member for member in movie.cast if member.name == "Grace Hopper")
    faceless = next(c for c in movie.candidates if c.id.split("_")[-1].startswith("c"))
    facts = Facts(labels={faceless.id: hopper.id})
    corrected = castsearch.order(seen, how.preset, facts)
    (of_hopper,) = (r for r in corrected.rankings if r.query_id == hopper.id)
    assert of_hopper.scores[of_hopper.candidate_ids.index(faceless.id)] > 0.9
    (before,) = (r for r in ranked.rankings if r.query_id == hopper.id)
    assert before.scores[before.candidate_ids.index(faceless.id)] < 0.9


def test_correct_a_saved_run_without_the_film(film: Path, runtime: Runtime, tmp_path: Path) -> None:
    mine = Path(shutil.copytree(film, tmp_path / "my-film"))
    castsearch.rank(mine, out=tmp_path / "ranked", runtime=runtime)
    shutil.rmtree(mine)
    with castsearch.read_run(tmp_path / "ranked") as saved:
        (result,) = saved.movies()
    assert first_of(result) == RIGHT
    # Somebody says that the crop taken for Hopper shows nobody of the cast.
    hopper = next(ranking for ranking in result.rankings if "Hopper" in ranking.query_id)
    facts = Facts(labels={hopper.candidate_ids[0]: castsearch.OTHERS})
    corrected = castsearch.order(result, castsearch.PRESETS["castsearch"], facts)
    (after,) = (r for r in corrected.rankings if r.query_id == hopper.query_id)
    assert after.candidate_ids[-1] == hopper.candidate_ids[0]
    assert sorted(after.candidate_ids) == sorted(hopper.candidate_ids)


def test_labelled_stills_are_scored(data_dir: Path, runtime: Runtime) -> None:
    movies = castsearch.read(data_dir / "wider-mini")
    run = castsearch.rank(data_dir / "wider-mini", preset="face", runtime=runtime)
    assert [result.movie.id for result in run.movies] == [movie.id for movie in movies]
    assert run.evaluation is not None
    assert [movie.movie for movie in run.evaluation.movies] == [movie.id for movie in movies]
    assert run.evaluation.n_queries == sum(len(movie.cast) for movie in movies)
    assert run.evaluation.mAP > 0.5


def test_compare_presets(runtime: Runtime, tmp_path: Path) -> None:
    castsearch.demo(out=tmp_path, preset="face", runtime=runtime)
    compared = castsearch.ablate(
        [tmp_path / "movie"], presets=["face", "face:relation=inverse"], runtime=runtime
    )
    direct, inverse = compared.table.rows
    assert (direct.variant.name, inverse.variant.name) == ("face", "face:relation=inverse")
    # The last is what the others are compared with.
    assert direct.difference is not None
    assert direct.difference.mean == pytest.approx(direct.mAP.mean - inverse.mAP.mean)


def test_another_value_of_a_preset() -> None:
    face = castsearch.PRESETS["face"]
    assert castsearch.preset("face") == face
    mirrored = castsearch.preset("face", ["flip=true"])
    assert mirrored.look.flip
    assert not face.look.flip
    assert mirrored.order == face.order
    with pytest.raises(InputError, match="There is no preset 'nope'"):
        castsearch.preset("nope")


def test_evaluate_what_was_ranked(runtime: Runtime, tmp_path: Path) -> None:
    run = castsearch.demo(out=tmp_path, preset="face", runtime=runtime)
    assert run.evaluation is not None
    # By files, as the command does, or by what is in memory.
    by_files = castsearch.evaluate(tmp_path / "movie", tmp_path / "results" / "ranking.csv")
    assert by_files.mAP == run.evaluation.mAP > 0.8
    movies = castsearch.read(tmp_path / "movie")
    lists = [ranking for movie in run.movies for ranking in movie.rankings]
    assert castsearch.evaluate(movies, lists).mAP == by_files.mAP
    # The table of scores is a ranking as well.
    scores = castsearch.evaluate(tmp_path / "movie", tmp_path / "results" / "scores.csv")
    assert scores.queries == by_files.queries


def test_evaluate_refuses_what_does_not_fit(film: Path) -> None:
    with pytest.raises(InputError, match="RANKING is missing"):
        castsearch.evaluate(film)
    with pytest.raises(InputError, match="nothing to score by"):
        castsearch.evaluate(castsearch.read(film), [])
    with pytest.raises(InputError, match="needs --model"):
        castsearch.evaluate(film, protocol="market1501")


def test_rerank_any_ranking(tmp_path: Path) -> None:
    # Both want candidate 1, and b more: with S = -ln(rank), a has it at -0.69 - 1.5 x 0.69 = -1.73
    # now, and candidate 3, which b has second, at -1.10 - 1.5 x 0.41 = -1.71.
    (tmp_path / "mine.csv").write_text("Id,Rank\ntt1_a,tt1_2 tt1_1 tt1_3\ntt1_b,tt1_1 tt1_3\n")
    result = castsearch.rerank(tmp_path / "mine.csv", out=tmp_path / "new.csv", shift=0.0)
    lists = {ranking.query_id: ranking.candidate_ids for ranking in result.rankings}
    assert lists["tt1_a"] == ("tt1_2", "tt1_3", "tt1_1")
    assert lists["tt1_b"] == ("tt1_1", "tt1_3")
    assert (tmp_path / "new.csv").read_text().startswith("Id,Rank\ntt1_a,tt1_2 ")


def test_embed_the_crops(film: Path, runtime: Runtime, tmp_path: Path) -> None:
    made = castsearch.embed(film, "hsv-stripes", out=tmp_path / "v.npz", runtime=runtime)
    assert made.vectors.shape == (3, 256)
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    arrays = np.load(tmp_path / "v.npz")
    assert arrays["ids"].tolist() == list(made.ids)
    assert np.array_equal(arrays["vectors"], made.vectors)


def test_forget_the_pictures(film: Path, tmp_path: Path) -> None:
    own = Runtime(store=tmp_path / "s.sqlite")
    castsearch.rank(film, preset="face", runtime=own)
    deleted = castsearch.forget(film, runtime=own)
    assert deleted.n_pictures == 5
    assert deleted.n_results > 0
    assert castsearch.forget(film, runtime=own).n_results == 0


def test_a_mistake_is_one_family_of_exceptions_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(castsearch.CastsearchError, match="does not exist"):
        castsearch.rank(tmp_path / "no-such-film")
    assert issubclass(castsearch.ImageError, InputError)


# What others add: a body encoder with its own preprocessing, a preset, a table of the run folder.


def load_thirds(model: Model, place: Place) -> int:
    return model.dim // 3


def mean_colours(n_parts: int, model: Model, crops: Sequence[ImageArray], flip: bool) -> FloatArray:
    """Mean colours of parts of each crop from top to bottom, as one unit vector."""
    rows = [
        np.concatenate([part.mean(axis=(0, 1)) for part in np.array_split(crop, n_parts)])
        for crop in crops
    ]
    return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


THIRDS = BodyEncoder(
    Model("thirds", "body encoder", "no file", sha256="ab" * 32, dim=9),
    load_thirds,
    mean_colours,
    is_mirrored=False,
)
BY_THIRDS = Preset(
    "by-thirds",
    "bodies by their mean colours, in the film ranking",
    LookSettings(body=("thirds",)),
    OrderSettings(fusion="film"),
)


def first_rows(result: MovieResult) -> Iterator[list[str]]:
    for ranking in result.rankings:
        yield [ranking.query_id, ranking.candidate_ids[0]]


FIRSTS = Table(("query", "first"), first_rows)


def test_a_body_encoder_is_one_line(
    film: Path, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BODY_ENCODERS, "thirds", THIRDS)
    run = castsearch.rank(film, settings=["body=thirds"], out=tmp_path / "out", runtime=runtime)
    assert first_of(run.movies[0]) == RIGHT
    said = json.loads((tmp_path / "out" / "run.json").read_text())
    assert list(said["models"]) == ["yunet", "sface", "thirds"]
    assert run.work.n_bodies > 0
    # What it makes of the crop of 512 x 192 pixels: three bands of 64 rows.
    made = castsearch.embed(film, "thirds", runtime=runtime)
    with Image.open(film / "candidates" / "c.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    bands = np.concatenate([pixels[top : top + 64].mean(axis=(0, 1)) for top in (0, 64, 128)])
    (row,) = (i for i, name in enumerate(made.ids) if name.split("_")[-1].startswith("c"))
    assert made.vectors[row] == pytest.approx(bands / np.linalg.norm(bands), abs=1e-4)


def test_a_preset_is_one_line(
    film: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BODY_ENCODERS, "thirds", THIRDS)
    monkeypatch.setitem(castsearch.PRESETS, "by-thirds", BY_THIRDS)
    assert castsearch.preset("by-thirds", ["flip=true"]).look.flip
    run = castsearch.rank(film, preset="by-thirds", runtime=runtime)
    assert first_of(run.movies[0]) == RIGHT
    with pytest.raises(InputError, match=r"there are .*, by-thirds"):
        castsearch.rank(film, preset="nope", runtime=runtime)


def test_a_table_of_the_run_folder_is_one_line(
    film: Path, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES, "firsts.csv", FIRSTS)
    out = tmp_path / "out"
    # The second run replaces what the first one wrote.
    for preset in ("castsearch", "face"):
        run = castsearch.rank(film, preset=preset, out=out, runtime=runtime)
        with (out / "firsts.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = [(row["query"], row["first"]) for row in csv.DictReader(file)]
        assert rows == [(r.query_id, r.candidate_ids[0]) for r in run.movies[0].rankings]
        assert run.summary is not None
        assert "firsts.csv" in run.summary.files
        assert "firsts.csv" in json.loads((out / "run.json").read_text())["files"]
        assert run.summary.left_alone == ()


def test_no_module_takes_the_place_of_an_exported_name() -> None:
    importlib.import_module("castsearch.verbs.rank")
    assert inspect.isfunction(castsearch.rank)
    modules = {module.name for module in pkgutil.iter_modules(castsearch.__path__)}
    assert "verbs" in modules
    assert not modules & set(castsearch.__all__)


def test_everything_exported_is_there_under_its_own_name() -> None:
    for name in castsearch.__all__:
        value = getattr(castsearch, name)
        assert getattr(value, "__name__", name) == name
    assert set(castsearch.__all__) <= set(dir(castsearch))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = castsearch.nope  # type: ignore[attr-defined]


def test_type_checkers_see_what_python_finds() -> None:
    """The imports under TYPE_CHECKING are those that are made when a name is asked for."""
    tree = ast.parse(inspect.getsource(castsearch))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    checked = {alias.asname: node.module for node in imports for alias in node.names}
    assert {*checked, "__version__"} == set(castsearch.__all__)
    for name, module in checked.items():
        assert getattr(importlib.import_module(module), name) is getattr(castsearch, name)


def test_the_import_alone_brings_nothing() -> None:
    code = "import castsearch, sys; print([m for m in sys.modules if m.startswith('castsearch')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['castsearch']"
