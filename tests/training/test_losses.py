"""The losses against answers worked out by hand and against loops over all triplets."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.losses import SupConLoss

from castsearch.training.losses import (
    BatchHard,
    CollapseWatch,
    ExactEuclidean,
    SupervisedContrast,
    spread,
)

# On a line: person 0 at 0 and 3, person 1 at 4 and 10. The hardest triplets, (positive, negative):
# 0 -> (3, 4), 3 -> (3, 1), 4 -> (6, 1), 10 -> (6, 7).
LINE = torch.tensor([[0.0], [3.0], [4.0], [10.0]], dtype=torch.float64)
PEOPLE = torch.tensor([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("margin", "loss", "active"),
    [
        # [m - 1]+, [m + 2]+, [m + 5]+, [m - 1]+ over four anchors.
        (0.0, (0 + 2 + 5 + 0) / 4, 0.5),
        (0.5, (0 + 2.5 + 5.5 + 0) / 4, 0.5),
        (2.0, (1 + 4 + 7 + 1) / 4, 1.0),
        ("soft", sum(math.log1p(math.exp(x)) for x in (-1, 2, 5, -1)) / 4, 0.5),
    ],
)
def test_batch_hard_on_a_line(margin: float | str, loss: float, active: float) -> None:
    terms = BatchHard(margin)(LINE, PEOPLE)
    assert terms.loss.item() == pytest.approx(loss, abs=1e-12)
    assert terms.active.item() == active
    assert terms.positive.item() == pytest.approx((3 + 3 + 6 + 6) / 4)


def test_anchors_without_loss_count_in_the_mean() -> None:
    far = torch.tensor([[0.0], [1.0], [100.0], [103.0]], dtype=torch.float64)
    # The hardest positives are 1, 1, 3, 3 away, the negatives 100, 99, 99, 102: no loss at m = 1,
    # and at m = 99 anchors 1 and 2 have 1 and 3, anchor 0 has 0 and anchor 3 has 0.
    assert BatchHard(1.0)(far, PEOPLE).loss.item() == 0.0
    assert BatchHard(99.0)(far, PEOPLE).loss.item() == pytest.approx((0 + 1 + 3 + 0) / 4)


def test_normalised_vectors_are_compared_at_the_length_asked_for() -> None:
    # Directions 0, 90, 180 and 270 degrees, of any length.
    x = torch.tensor([[5.0, 0.0], [0.0, 0.1], [-2.0, 0.0], [0.0, -7.0]], dtype=torch.float64)
    # Neighbours are sqrt(2) apart: positive and nearest negative alike, so that m is left.
    for scale in (1.0, 10.0):
        terms = BatchHard(0.3, normalise=True, scale=scale)(x, PEOPLE)
        assert terms.loss.item() == pytest.approx(0.3)
        assert terms.positive.item() == pytest.approx(scale * math.sqrt(2))


def brute_force(x: torch.Tensor, labels: torch.Tensor, margin: float | str) -> float:
    losses = []
    for a in range(len(x)):
        distances = [math.dist(x[a].tolist(), other.tolist()) for other in x]
        same = [d for d, i in zip(distances, labels, strict=True) if i == labels[a]]
        other = [d for d, i in zip(distances, labels, strict=True) if i != labels[a]]
        gap = max(same) - min(other)
        losses.append(
            math.log1p(math.exp(gap)) if margin == "soft" else max(0.0, gap + float(margin))
        )
    return sum(losses) / len(losses)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    p=st.integers(2, 7),
    k=st.integers(2, 6),
    margin=st.sampled_from([0.0, 0.3, 1.0, "soft"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_batch_hard_is_the_loop_over_all_triplets(
    seed: int, p: int, k: int, margin: float | str, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(p * k, 8, generator=generator, dtype=dtype)
    labels = torch.arange(p).repeat_interleave(k)[torch.randperm(p * k, generator=generator)]
    found = BatchHard(margin)(x, labels).loss.item()
    assert found == pytest.approx(brute_force(x.double(), labels, margin), rel=1e-6, abs=1e-6)


def test_the_gradient_is_that_of_the_formula() -> None:
    x = torch.randn(12, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(4).repeat_interleave(3)
    loss = BatchHard("soft")
    assert torch.autograd.gradcheck(lambda y: loss(y, labels).loss, x)


def test_small_distances_keep_their_digits() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 256) + 100.0
    x[1:] = x[0] + 1e-3 * torch.randn(63, 256)
    exact = torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")
    error = (ExactEuclidean(normalise=False)(x).double() - exact).abs().max()
    usual = (torch.cdist(x, x).double() - exact).abs().max()
    assert error < 1e-6
    assert usual > 1e-3, "torch's default would do after all"


def test_equal_embeddings_give_the_collapsed_loss_and_a_finite_gradient() -> None:
    for margin, expected in ((0.3, 0.3), ("soft", math.log(2))):
        x = torch.ones(8, 4, requires_grad=True)
        batch_hard = BatchHard(margin)
        terms = batch_hard(x, torch.arange(4).repeat_interleave(2))
        assert terms.loss.item() == pytest.approx(expected)
        assert batch_hard.collapsed_loss == pytest.approx(expected)
        terms.loss.backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()


def test_contrast_of_two_pairs_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 2.0]], dtype=torch.float64)
    # Cosines: 1 to the own person, 0 to the other's two.
    expected = -math.log(math.exp(2) / (math.exp(2) + 2))
    assert SupervisedContrast(0.5)(x, PEOPLE).item() == pytest.approx(expected)
    # By one camera each pair has no positive, and nobody is an anchor.
    assert SupervisedContrast(0.5)(x, PEOPLE, torch.tensor([1, 1, 2, 2])).item() == 0.0
    # Unknown cameras keep nobody apart.
    unknown = torch.full((4,), -1)
    assert SupervisedContrast(0.5)(x, PEOPLE, unknown).item() == pytest.approx(expected)


def test_contrast_is_the_library_s_without_cameras() -> None:
    torch.manual_seed(1)
    x, labels = torch.randn(20, 6, dtype=torch.float64), torch.arange(5).repeat(4)
    theirs = SupConLoss(temperature=0.2)(x, labels).item()
    assert SupervisedContrast(0.2)(x, labels).item() == pytest.approx(theirs, abs=1e-6)


def test_contrast_is_the_loop_with_cameras() -> None:
    torch.manual_seed(2)
    x = torch.randn(18, 6, dtype=torch.float64)
    labels, cameras = torch.arange(3).repeat(6), torch.randint(1, 3, (18,))
    unit = torch.nn.functional.normalize(x, dim=1)
    cosines = (unit @ unit.T / 0.1).tolist()
    means = []
    for i in range(18):
        total = sum(math.exp(cosines[i][j]) for j in range(18) if j != i)
        own = [
            -math.log(math.exp(cosines[i][j]) / total)
            for j in range(18)
            if labels[j] == labels[i] and cameras[j] != cameras[i]
        ]
        if own:
            means.append(sum(own) / len(own))
    found = SupervisedContrast(0.1)(x, labels, cameras).item()
    assert found == pytest.approx(sum(means) / len(means), abs=1e-9)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1.0, 2.0], [1.0, 2.0]], 0.0),
        ([[1.0, 0.0], [-1.0, 0.0]], 1.0),
        # Mean (1, 0), distances 1 and 1; lengths 0 and 2, root mean square sqrt(2).
        ([[0.0, 0.0], [2.0, 0.0]], 1 / math.sqrt(2)),
        ([[0.0, 0.0], [0.0, 0.0]], 0.0),
    ],
)
def test_spread(rows: list[list[float]], expected: float) -> None:
    assert spread(torch.tensor(rows)).item() == pytest.approx(expected)


def test_collapse_is_told_after_as_many_steps_in_a_row_as_asked_for() -> None:
    watch = CollapseWatch(0.3, n_steps=3)
    steps = [(0.3, 0.001), (0.301, 0.0), (0.9, 0.001), *[(0.3, 0.0)] * 3, (0.3, 1.0)]
    assert [watch.sees(loss, positive) for loss, positive in steps] == [False] * 5 + [True, False]


def test_a_loss_at_the_margin_with_embeddings_apart_is_no_collapse() -> None:
    watch = CollapseWatch(math.log(2), n_steps=2)
    assert not any(watch.sees(math.log(2), 5.0) for _ in range(10))


def test_every_order_of_a_batch_has_the_same_loss() -> None:
    losses = {
        round(BatchHard("soft")(LINE[list(o)], PEOPLE[list(o)]).loss.item(), 12)
        for o in itertools.permutations(range(4))
    }
    assert len(losses) == 1
