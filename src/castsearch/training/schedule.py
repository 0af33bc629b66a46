"""How the learning rate goes, as a function of the share of the run that is done."""

from __future__ import annotations

import math

from castsearch.errors import InputError
from castsearch.training.recipes import Recipe

WARM_UP_START = 0.1
# "Bag of Tricks" divides by ten after 40 and 70 of 120 epochs.
_DROPS = (40 / 120, 70 / 120)


def rate(recipe: Recipe, done: float) -> float:
    """What the recipe's learning rate is multiplied with at the share ``done`` of the run, 0..1.

    "exponential" is equation 7 of Hermans et al. 2017: 1 until ``decay_from``, then
    ``final_lr`` to the power of the share of the rest that is done. "cosine" falls from 1 to
    ``final_lr`` along half a wave after the warm-up; "steps" divides by ten after 1/3 and 7/12.
    The warm-up rises linearly from a tenth.
    """
    if done < recipe.warm_up:
        return WARM_UP_START + (1.0 - WARM_UP_START) * done / recipe.warm_up
    if recipe.schedule == "exponential":
        late = max(0.0, done - recipe.decay_from) / max(1.0 - recipe.decay_from, 1e-9)
        return float(recipe.final_lr ** min(late, 1.0))
    if recipe.schedule == "cosine":
        wave = math.cos(math.pi * (done - recipe.warm_up) / max(1.0 - recipe.warm_up, 1e-9))
        return recipe.final_lr + (1.0 - recipe.final_lr) * 0.5 * (1.0 + wave)
    if recipe.schedule == "steps":
        return float(0.1 ** sum(done >= drop for drop in _DROPS))
    return 1.0


def check(recipe: Recipe) -> None:
    """Refuse values that no run can have.

    Raises:
        InputError: a rate, share or weight outside its range.
    """
    if recipe.lr <= 0:
        raise InputError("--lr must be above 0.")
    for name in ("warm_up", "decay_from"):
        if not 0.0 <= getattr(recipe, name) < 1.0:
            raise InputError(f"--{name.replace('_', '-')} is a share of the run: 0 to below 1.")
    if not 0.0 < recipe.final_lr <= 1.0:
        raise InputError("--final-lr is a share of the rate: above 0, at most 1.")
    if not 0.0 <= recipe.ema < 1.0:
        raise InputError("--ema must be from 0 to below 1.")
    weights = recipe.triplet_weight, recipe.identity_weight, recipe.contrast_weight
    if min(weights) < 0 or not any(weights):
        raise InputError("The weights of the losses must be 0 or more, and one of them above 0.")
    if recipe.bnneck and not (recipe.identity_weight or recipe.contrast_weight):
        raise InputError(
            "BNNeck learns from the identity and the contrastive loss; give --identity-weight or "
            "--contrast-weight, or --no-bnneck."
        )
    if recipe.temperature <= 0 or recipe.scale <= 0:
        raise InputError("--temperature and --scale must be above 0.")
    if recipe.margin != "soft" and recipe.margin < 0:
        raise InputError("--margin is 'soft' or a distance of 0 or more.")
