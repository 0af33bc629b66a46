"""Shares, steps and unit rows, by hand."""

from __future__ import annotations

import numpy as np

from castsearch.ranking.scale import logistic, rise, softmax, unit_rows


def test_softmax_by_hand() -> None:
    # Three values a temperature apart: 1, e and e^2 parts.
    parts = np.exp([0.0, 1.0, 2.0])
    shares = softmax(np.array([[0.1, 0.2, 0.3], [5000.0, 5000.0, -np.inf]]), 0.1)
    np.testing.assert_allclose(shares, [parts / parts.sum(), [0.5, 0.5, 0]], atol=1e-12)


def test_logistic_by_hand() -> None:
    values = logistic(np.array([0.0, np.log(3), -np.log(3), 1e6, -1e6]))
    np.testing.assert_allclose(values, [0.5, 0.75, 0.25, 1, 0], atol=1e-12)


def test_a_step_is_half_at_its_place() -> None:
    np.testing.assert_allclose(
        rise(np.array([0.4, 0.4 + 0.1 * np.log(3)]), 0.4, 0.1), [0.5, 0.75], atol=1e-12
    )


def test_rows_of_zeros_stay() -> None:
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])
