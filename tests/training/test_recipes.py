"""The named recipes hold what their papers say, and other values can be put in."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from castsearch.errors import InputError
from castsearch.training.recipes import CHANGEABLE, RECIPES, recipe_of


def test_the_strong_recipe_has_the_numbers_of_bag_of_tricks() -> None:
    # Luo et al. 2019, section 3: P 16, K 4, smoothing 0.1, last stride 1, BNNeck, 3.5e-4, 5e-4.
    recipe = RECIPES["strong"]
    assert (recipe.p, recipe.k, recipe.size) == (16, 4, (256, 128))
    assert (recipe.label_smoothing, recipe.erase, recipe.flip, recipe.pad) == (0.1, 0.5, True, 10)
    assert (recipe.last_stride, recipe.bnneck, recipe.pooling) == (1, True, "avg")
    assert (recipe.lr, recipe.weight_decay) == (3.5e-4, 5e-4)
    assert recipe.triplet_weight == recipe.identity_weight == 1.0


def test_a_recipe_is_named_by_its_key() -> None:
    assert all(recipe.name == name for name, recipe in RECIPES.items())


def test_other_values_take_the_place_of_the_recipes_and_leave_the_rest() -> None:
    changed = asdict(recipe_of("finetune", lr=1e-5, size=(96, 48)))
    before = asdict(RECIPES["finetune"])
    assert {name for name in before if changed[name] != before[name]} == {"lr", "size"}
    assert (changed["lr"], changed["size"]) == (1e-5, (96, 48))
    assert RECIPES["finetune"].lr == 3.5e-4


def test_how_long_a_recipe_runs_is_for_the_budget_to_change() -> None:
    assert not {"name", "summary", "steps"} & set(CHANGEABLE)
    with pytest.raises(InputError, match="no value 'steps'; these can be changed: p, k, size"):
        recipe_of("triplet", steps=3)


def test_an_unknown_recipe_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="no recipe 'secret'; use one of triplet, strong, finetu"):
        recipe_of("secret")
