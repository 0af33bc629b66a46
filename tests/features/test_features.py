"""What is found in a crop, and that stored values make up the same again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from castsearch.features.features import (
    CORNERS,
    LOWER_SHARE,
    Region,
    Values,
    encode_faces,
    look,
    stored_features,
)
from castsearch.features.recipe import Recipe, encode_body, recipe_of

from castsearch.presets import preset
from castsearch.sources.images import decode, read_bytes
from castsearch.types import Box, ImageArray

FACE = Box(100, 40, 360, 480)
"""A crop of the photograph with one face, and one below it without any."""
NO_FACE = Box(0, 300, 512, 512)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return recipe_of(preset("castsearch"))


@pytest.fixture(scope="module")
def image(collins: Path) -> ImageArray:
    return decode(read_bytes(collins), collins.name)


def values_of(image: ImageArray, region: Region, recipe: Recipe) -> Values:
    return new_values(image, region, recipe, {})


def new_values(image: ImageArray, region: Region, recipe: Recipe, known: Values) -> Values:
    seen = look(image, region, recipe, known)
    encode_faces([seen], recipe)
    return seen.new


def same(one: object, two: object) -> bool:
    """Whether features are equal, arrays in them element by element."""
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(two, name)) for name in names)
    if isinstance(one, dict):
        assert isinstance(two, dict)
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        assert isinstance(two, tuple)
        return len(one) == len(two) and all(map(same, one, two))
    return np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two


@pytest.mark.parametrize("box", [FACE, NO_FACE, None])
def test_stored_values_make_up_the_same_features(
    box: Box | None, image: ImageArray, collins: Path, recipe: Recipe
) -> None:
    region = Region("a", collins, box)
    values = values_of(image, region, recipe)
    first, again = (stored_features(region, recipe, values) for _ in range(2))
    assert first is not None
    assert again is not None
    assert same(first, again)
    assert new_values(image, region, recipe, values) == {}


def test_a_crop_with_a_face(image: ImageArray, collins: Path, recipe: Recipe) -> None:
    region = Region("a", collins, FACE)
    found = stored_features(region, recipe, values_of(image, region, recipe))
    assert found is not None
    # Two sizes are looked at, and one face is there; by eye it lies at (180, 65) to (268, 180).
    (hit,) = found.hits
    assert hit.face.box.iou(Box(180, 65, 268, 180)) > 0.6
    assert found.face == hit.face
    assert found.vector is hit.vector
    assert float(np.linalg.norm(hit.vector)) == pytest.approx(1, abs=1e-5)
    assert 0 < hit.suitability < 1
    names = {model.name for model in recipe.body}
    assert found.body.keys() == found.lower.keys() == names
    # A box in a still says itself which still it is of.
    assert found.corners is None
    top = round((FACE.y1 - FACE.y0) * (1 - LOWER_SHARE))
    below = image[int(FACE.y0) + top : int(FACE.y1), int(FACE.x0) : int(FACE.x1)]
    for model in recipe.body:
        expected = encode_body(recipe, model, np.ascontiguousarray(below))
        np.testing.assert_array_equal(found.lower[model.name], expected)


def test_a_crop_without_a_face_has_no_lower_part(
    image: ImageArray, collins: Path, recipe: Recipe
) -> None:
    region = Region("a", collins, NO_FACE)
    found = stored_features(region, recipe, values_of(image, region, recipe))
    assert found is not None
    assert (found.hits, found.face, found.vector, found.lower) == ((), None, None, {})
    assert found.body.keys() == {model.name for model in recipe.body}


def test_a_crop_file_has_corners(image: ImageArray, collins: Path, recipe: Recipe) -> None:
    region = Region("a", collins)
    found = stored_features(region, recipe, values_of(image, region, recipe))
    assert found is not None
    assert found.corners is not None
    assert len(found.corners.points) > 50
    without = recipe_of(preset("castsearch", ["find_stills=false"]))
    values = values_of(image, region, without)
    assert CORNERS not in values
    assert stored_features(region, without, values) is not None


@pytest.mark.parametrize("kind", ["vectors|", "|lower", CORNERS, "faces|", "body|", "thumbnail"])
def test_what_is_missing_is_done_again_and_nothing_else(
    kind: str, image: ImageArray, collins: Path, recipe: Recipe
) -> None:
    region = Region("a", collins)
    values = values_of(image, region, recipe)
    missing = {
        name
        for name in values
        if (name.endswith(kind) if kind == "|lower" else name.startswith(kind))
    }
    assert missing
    left = {name: value for name, value in values.items() if name not in missing}
    assert stored_features(region, recipe, left) is None
    again = new_values(image, region, recipe, left)
    assert again.keys() == missing
    found = stored_features(region, recipe, left | again)
    assert found is not None
    assert same(found, stored_features(region, recipe, values))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_a_crop_of_a_pixel_has_features(
    size: tuple[int, int], collins: Path, recipe: Recipe
) -> None:
    image = np.full((*size, 3), 120, np.uint8)
    region = Region("a", collins)
    found = stored_features(region, recipe, values_of(image, region, recipe))
    assert found is not None
    assert found.problem is None
