"""Features as evidence: whose face, which still, which vectors."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from castsearch.features.features import Features
from castsearch.features.recipe import Recipe, recipe_of
from scipy.sparse.csgraph import connected_components

from castsearch.features.corners import corners
from castsearch.presets import preset
from castsearch.ranking.evidence import film_evidence, film_settings
from castsearch.ranking.film import FilmSettings
from castsearch.types import Box, Candidate, Face, FaceHit, Still

A, B = np.float32([1, 0]), np.float32([0, 1])


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return recipe_of(preset("castsearch", ["body=hsv-stripes"]))


def of_stills(*stills: str) -> list[Candidate]:
    return [Candidate(f"c{i}", Still(s, Path(f"{s}.jpg"))) for i, s in enumerate(stills)]


def seen(vector=None, suitability: float = 0.5, **values) -> Features:
    hits = ()
    if vector is not None:
        hits = (FaceHit(Face(Box(0, 0, 9, 9), 0.8), vector, suitability),)
    return Features(hits=hits, **values)


def test_each_setting_of_the_preset_reaches_the_ranking() -> None:
    assert film_settings(preset("castsearch")) == FilmSettings()
    changes = {
        "neighbours": 7,
        "link_at": 1.5,
        "face_link": 0.4,
        "others_at": 0.25,
        "others_weight": 0.6,
        "trust_at": 0.6,
        "spread": 0.5,
        "doubt": 0.1,
        "adapt": 0.0,
        "exclusive": False,
        "competition": 0.0,
    }
    names = {"face_link": "face_weight"}
    made = film_settings(dataclasses.replace(preset("castsearch"), **changes))
    for name, value in changes.items():
        place = made.links if name in {"neighbours", "link_at", "face_link"} else made
        assert getattr(place, names.get(name, name)) == value


def test_faces_are_compared_with_portraits(recipe: Recipe) -> None:
    features = [seen(A), seen(), seen(np.float32([0.6, 0.8]))]
    evidence, owned, _ = film_evidence(
        of_stills("s", "t", "u"), features, [[A], [], [A, B]], recipe
    )
    expected = [[1, -np.inf, 0.6], [-np.inf] * 3, [1, -np.inf, 0.8]]
    np.testing.assert_allclose(evidence.face_scores, expected, atol=1e-6)
    np.testing.assert_array_equal(evidence.faces.has_face, [True, False, True])
    np.testing.assert_array_equal(evidence.faces.vectors[1], [0, 0])
    np.testing.assert_allclose(evidence.face_quality, [0.8, 0, 0.8])
    assert [hit and hit.vector.tolist() for hit in owned][:2] == [[1, 0], None]


def test_a_face_in_two_boxes_of_a_still_has_one_owner(recipe: Recipe) -> None:
    features = [seen(A, 0.2), seen(A, 0.9), seen(A, 0.1)]
    evidence, _, _ = film_evidence(of_stills("s", "s", "t"), features, [[A]], recipe)
    np.testing.assert_array_equal(evidence.faces.has_face, [False, True, True])


def test_without_any_face(recipe: Recipe) -> None:
    evidence, owned, _ = film_evidence(of_stills("s", "t"), [seen(), seen()], [[A]], recipe)
    assert owned == [None, None]
    assert np.isneginf(evidence.face_scores).all()


def stills_of(candidates, features, recipe) -> list[int]:
    """Still numbers, by first appearance."""
    apart = film_evidence(candidates, features, [[A]], recipe)[2].apart
    numbers = connected_components(apart)[1].tolist()
    return [sorted(set(numbers), key=numbers.index).index(number) for number in numbers]


def test_files_say_who_shares_a_still(recipe: Recipe) -> None:
    features = [seen(frame=Box(i, 0, i + 5, 9)) for i in range(4)]
    assert stills_of(of_stills("s", "t", "s", "u"), features, recipe) == [0, 1, 0, 2]


def test_a_box_given_twice_is_no_still_mate_of_itself(recipe: Recipe) -> None:
    same, other = Box(0, 0, 5, 9), Box(3, 0, 8, 9)
    features = [seen(frame=f) for f in (same, other, same, same, None, None)]
    numbers = stills_of(of_stills("s", "s", "s", "t", "s", "s"), features, recipe)
    # The third is the first again; the last two could not be read.
    assert numbers == [0, 0, 1, 2, 0, 0]


def test_crops_show_which_still_they_are_of(recipe: Recipe, collins: Path) -> None:
    from PIL import Image

    with Image.open(collins) as opened:
        picture = np.asarray(opened.convert("RGB"))
    boxes = [(0, 0, 300, 400), (100, 50, 420, 450), (0, 0, 300, 400)]
    parts = [np.ascontiguousarray(picture[y0:y1, x0:x1]) for x0, y0, x1, y1 in boxes]
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    features = [
        seen(frame=Box(0, 0, part.shape[1], part.shape[0]), corners=corners(part))
        for part in [*parts, noise]
    ]
    # The third is the first given twice: a person of its own still, not a still-mate.
    assert stills_of(of_stills("a", "b", "c", "d"), features, recipe) == [0, 0, 1, 2]


def test_bodies_of_whole_crops_and_lower_parts(recipe: Recipe) -> None:
    name = "hsv-stripes"
    features = [
        seen(A, body={name: A}, lower={name: B}),
        seen(body={name: B}),
        Features(problem="unreadable"),
    ]
    bodies = film_evidence(of_stills("s", "t", "u"), features, [[A]], recipe)[0].bodies
    half = np.sqrt(0.5)
    # The mean of what could be read is (1/2, 1/2).
    np.testing.assert_allclose(bodies.whole, [[half, -half], [-half, half], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(bodies.lower, [[-half, half], [0, 0], [0, 0]], atol=1e-6)
    np.testing.assert_array_equal(bodies.has_lower, [True, False, False])


def test_parts_of_a_network_count_alike() -> None:
    recipe = recipe_of(preset("castsearch"))
    rng = np.random.default_rng(0)
    features = [
        seen(
            body={
                "lite0-parts": rng.normal(size=3136).astype(np.float32),
                "hsv-stripes": rng.normal(size=256).astype(np.float32),
            }
        )
        for _ in range(5)
    ]
    whole = film_evidence(of_stills(*"abcde"), features, [[A]], recipe)[0].bodies.whole
    squares = [(part**2).sum(axis=1) for part in np.split(whole, np.cumsum([320, 1536, 1280]), 1)]
    np.testing.assert_allclose(squares, 0.25, atol=1e-5)


def test_without_body_encoders_all_bodies_are_nothing() -> None:
    recipe = recipe_of(preset("castsearch", ["body="]))
    bodies = film_evidence(of_stills("s", "t"), [seen(A), seen()], [[A]], recipe)[0].bodies
    assert not bodies.whole.any()
