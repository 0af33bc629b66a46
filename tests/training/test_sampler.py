from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
import torch

from castsearch.errors import InputError
from castsearch.training.sampler import PKBatches

LABELS = [0] * 5 + [1] * 2 + [2] * 9 + [3] * 4


def test_a_batch_is_k_pictures_of_each_of_p_people() -> None:
    batches = PKBatches(LABELS, 3, 4, seed=0)
    for _ in range(50):
        batch = batches.draw()
        assert sorted(Counter(LABELS[i] for i in batch).values()) == [4, 4, 4]
        for label, own in ((n, [i for i in batch if LABELS[i] == n]) for n in (0, 2, 3)):
            # Only the person with two pictures has some twice.
            assert len(set(own)) == len(own), label


def test_everybody_is_drawn_in_the_end() -> None:
    batches = PKBatches(LABELS, 2, 2, seed=0)
    assert {i for _ in range(200) for i in batches.draw()} == set(range(len(LABELS)))


def test_the_seed_decides_and_nothing_else() -> None:
    first = PKBatches(LABELS, 2, 3, seed=5)
    drawn = [first.draw() for _ in range(5)]
    np.random.seed(1)
    again = PKBatches(LABELS, 2, 3, seed=5)
    state = np.random.get_state()[1].tolist()
    assert [again.draw() for _ in range(5)] == drawn
    assert np.random.get_state()[1].tolist() == state, "numpy's global state was used"
    assert PKBatches(LABELS, 2, 3, seed=6).draw() != drawn[0]


def test_a_saved_state_goes_on_where_it_stood() -> None:
    batches = PKBatches(LABELS, 2, 3, seed=5)
    for _ in range(7):
        batches.draw()
    file = io.BytesIO()
    torch.save(batches.state_dict(), file)
    expected = [batches.draw() for _ in range(20)]
    file.seek(0)
    other = PKBatches(LABELS, 2, 3, seed=99)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert [other.draw() for _ in range(20)] == expected


@pytest.mark.parametrize(
    ("p", "k", "words"),
    [(5, 2, "P is 5, but there are 4 identities"), (1, 4, "two identities"), (4, 1, "2 or more")],
)
def test_batches_that_cannot_be_are_refused(p: int, k: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        PKBatches(LABELS, p, k, seed=0)


def test_an_epoch_draws_as_many_pictures_as_there_are() -> None:
    assert PKBatches([0] * 30 + [1] * 30, 2, 5, 0).steps_an_epoch == 6
    assert PKBatches([0, 0, 1, 1], 2, 4, 0).steps_an_epoch == 1
