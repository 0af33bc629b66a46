"""The reference's hybrid rows: clusters of bodies that faces name, on a movie."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from castsearch.features.features import Features
from castsearch.features.recipe import recipe_of
from PIL import Image

from castsearch.errors import InputError
from castsearch.presets import preset
from castsearch.ranking.movie import UNREADABLE, ranked_movie, region_id
from castsearch.types import Box, Candidate, CastMember, Face, Movie, Still
from castsearch.verbs.rank import rank

MOVIE = "tt9400000"
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
        labels = json.loads((source / "val" / MOVIE / f"{name}.json").read_text())
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
        (root / "val" / MOVIE / f"{name}.json").write_text(json.dumps(kept))
    return root / "val" / MOVIE


@pytest.mark.parametrize("name", ["sgbt_hybrid", "sgbt_hybrid_pro", "sgbt_hybrid_resize"])
def test_each_row_ranks_a_movie(name: str, movie: Path) -> None:
    run = rank(movie, preset=name)
    assert run.problems == ()
    assert run.evaluation is not None
    (result,) = run.movies
    assert [len(ranking.candidate_ids) for ranking in result.rankings] == [4, 4]
    assert run.evaluation.mAP == 1.0
    for ranking in result.rankings:
        assert "in a cluster that" in ranking.reasons[0]
    widths = {i: result.faces[i].box.width for i in result.faces if i.startswith(f"{MOVIE}_00")}
    # Faces are given in pixels of the crop, whatever size they were looked for at.
    assert {"tt9400000_0013", "tt9400000_0038"} < set(widths)
    for candidate, width in widths.items():
        assert 0.2 < width / result.frames[candidate].width < 0.8


def drawn_movie() -> tuple[Movie, dict[str, Features]]:
    """A, B: faces; C: no face, but the body of A; D: unreadable; E: neither face nor likeness."""
    cast = tuple(
        CastMember(f"m_{i}", f"Cast {i}", (Still(f"p{i}", Path("p.jpg")),)) for i in range(2)
    )
    candidates = tuple(Candidate(name, Still(name, Path("c.jpg"))) for name in "abcde")
    face = Face(Box(0, 0, 9, 9), 1.0)

    def vector(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.array(values, dtype=np.float32)

    features = {
        "p0": Features(face, vector(0, 0)),
        "p1": Features(face, vector(3, 0)),
        "a": Features(face, vector(0.3, 0), body={"body": vector(1, 0, 0)}),
        "b": Features(face, vector(3.5, 0), body={"body": vector(0, 1, 0)}),
        "c": Features(body={"body": vector(0.9, 0.1, 0)}),
        "d": Features(problem="is cut short"),
        "e": Features(body={"body": vector(0, 0.1, 1)}),
    }
    movie = Movie("m", cast, candidates)
    return movie, {region_id(movie, name): feature for name, feature in features.items()}


def test_faces_name_clusters_and_unreadable_pictures_come_last() -> None:
    movie, features = drawn_movie()
    result = ranked_movie(movie, features, recipe_of(preset("sgbt_hybrid")))
    first, second = result.rankings
    # C has no face, but is of the cluster that A named, and nearer to A than A to the portrait.
    assert first.candidate_ids[:2] == ("c", "a")
    assert first.reasons[:2] == (
        "body distance 0.111, in a cluster that 1 face named",
        "face distance 0.300, in a cluster that 1 face named",
    )
    assert second.candidate_ids[0] == "b"
    for ranking in result.rankings:
        assert ranking.candidate_ids[-1] == "d"
        assert ranking.scores[-1] == -math.inf
        assert ranking.reasons[-1] == UNREADABLE


def test_the_settings_reach_the_clusters() -> None:
    movie, features = drawn_movie()
    strict = ranked_movie(
        movie, features, recipe_of(preset("sgbt_hybrid", ["prelabel_distance=0.2"]))
    )
    assert not any("cluster" in reason for r in strict.rankings for reason in r.reasons)
    fine = ranked_movie(
        movie, features, recipe_of(preset("sgbt_hybrid", ["cluster_distance=0.001"]))
    )
    reasons = dict(zip(fine.rankings[0].candidate_ids, fine.rankings[0].reasons, strict=True))
    assert reasons["a"].endswith("in a cluster that 1 face named")
    assert reasons["c"] == "body distance 0.111"


def test_a_movie_of_unreadable_pictures_has_a_ranking() -> None:
    movie, features = drawn_movie()
    for candidate in movie.candidates:
        features[region_id(movie, candidate.id)] = Features(problem="is cut short")
    result = ranked_movie(movie, features, recipe_of(preset("sgbt_hybrid")))
    assert [r.candidate_ids for r in result.rankings] == [tuple("abcde")] * 2
    assert {reason for r in result.rankings for reason in r.reasons} == {UNREADABLE}


def test_clusters_need_a_body_encoder() -> None:
    with pytest.raises(InputError, match="fusion=clusters needs a body encoder"):
        recipe_of(preset("sgbt_hybrid", ["body="]))
