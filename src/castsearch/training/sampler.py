"""PK batches: P identities, K pictures of each, drawn by pytorch-metric-learning's sampler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.samplers import MPerClassSampler
from pytorch_metric_learning.utils import common_functions

from castsearch.errors import InputError


class PKBatches:
    """An endless row of batches, each P x K indices; its state can be saved and put back.

    The library's sampler draws from one global random state and shuffles its list of identities
    in place; here it draws one batch at a time from a state of its own, and both are kept.

    Args:
        labels: Number of the identity of each picture.
        p: Identities a batch.
        k: Pictures an identity; one with fewer gives some twice.
        seed: Of the random state.

    Raises:
        InputError: fewer than ``p`` identities, or a batch that holds no triplet.
    """

    def __init__(self, labels: Sequence[int], p: int, k: int, seed: int) -> None:
        n_identities = len(set(labels))
        if p < 2 or k < 2:
            raise InputError(
                f"P {p} and K {k}: a triplet needs two identities and two pictures of one, so "
                "both must be 2 or more."
            )
        if p > n_identities:
            raise InputError(
                f"P is {p}, but there are {n_identities} identities to train with; give --p "
                f"{n_identities} or less."
            )
        self.n_pictures, self.size = len(labels), p * k
        self._sampler = MPerClassSampler(
            np.asarray(labels), k, batch_size=p * k, length_before_new_iter=p * k
        )
        # The library's order of identities comes from a set; sorted, it is the same anywhere.
        self._sampler.labels.sort()
        self._random = np.random.RandomState(seed % 2**32)

    @property
    def steps_an_epoch(self) -> int:
        """Batches that hold as many pictures as there are."""
        return max(1, round(self.n_pictures / self.size))

    def draw(self) -> list[int]:
        """The next batch: K indices of one identity, K of another, and so on."""
        with _random_state(self._random):
            return [int(i) for i in self._sampler]

    def state_dict(self) -> dict[str, Any]:
        """All that the next batches depend on, as plain values and tensors."""
        name, keys, position, has_gauss, gauss = self._random.get_state()
        return {
            "labels": [int(label) for label in self._sampler.labels],
            "random": [
                name,
                torch.from_numpy(np.asarray(keys, dtype=np.int64)),
                position,
                has_gauss,
                gauss,
            ],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the sampler that gave ``state`` stood."""
        self._sampler.labels = list(state["labels"])
        name, keys, *rest = state["random"]
        self._random.set_state((name, keys.numpy().astype(np.uint32), *rest))


@contextmanager
def _random_state(random: np.random.RandomState) -> Iterator[None]:
    """Let the library draw from ``random``, by the variable that it has for this."""
    before = common_functions.NUMPY_RANDOM
    common_functions.NUMPY_RANDOM = random
    try:
        yield
    finally:
        common_functions.NUMPY_RANDOM = before
