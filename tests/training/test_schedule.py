"""How the rate goes, against the papers' own numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from castsearch.errors import InputError
from castsearch.training.recipes import RECIPES, Recipe
from castsearch.training.schedule import check, rate

PLAIN = Recipe("plain", "")


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 3e-4), (14_999, 3e-4), (15_000, 3e-4), (20_000, 3e-4 * 0.001**0.5), (25_000, 3e-7)],
)
def test_the_triplet_recipe_decays_as_the_paper_says(step: int, expected: float) -> None:
    recipe = RECIPES["triplet"]
    assert (recipe.p, recipe.k, recipe.size, recipe.steps) == (18, 4, (256, 128), 25_000)
    assert recipe.betas == (0.9, 0.999)
    assert recipe.margin == "soft"
    assert not recipe.normalise
    assert recipe.lr * rate(recipe, step / recipe.steps) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 3.5e-5), (5, 3.5e-4 * 0.55), (10, 3.5e-4), (39, 3.5e-4), (40, 3.5e-5), (70, 3.5e-6)],
)
def test_the_strong_recipe_goes_as_bag_of_tricks_does(epoch: int, expected: float) -> None:
    recipe = RECIPES["strong"]
    assert recipe.lr * rate(recipe, epoch / 120) == pytest.approx(expected)


def test_cosine_goes_from_the_warm_up_to_the_final_rate() -> None:
    recipe = replace(PLAIN, schedule="cosine", warm_up=0.2, final_lr=0.1)
    rates = [rate(recipe, done) for done in (0.0, 0.1, 0.2, 0.6, 1.0)]
    assert rates == pytest.approx([0.1, 0.55, 1.0, 0.55, 0.1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": 0.0},
        {"warm_up": 1.0},
        {"decay_from": -0.1},
        {"final_lr": 0.0},
        {"ema": 1.0},
        {"triplet_weight": 0.0},
        {"identity_weight": -1.0},
        {"bnneck": True},
        {"margin": -0.3},
        {"temperature": 0.0},
        {"scale": 0.0},
    ],
)
def test_values_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        check(replace(PLAIN, **wrong))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_sound(name: str) -> None:
    check(RECIPES[name])
