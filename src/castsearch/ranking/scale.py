"""How numbers are brought to one scale: shares, steps and unit rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_NORM = 1e-9
"""What a row is divided by at least, so that a row of zeros stays one."""


def softmax(values: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
    """Shares of each row, shape as given, rows sum to 1; ``-inf`` has none.

    SciPy's takes no temperature, and dividing before the maximum is taken off changes last bits,
    which decide ties.
    """
    raised = np.exp((values - values.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) of every value. SciPy's expit differs from it in the last bit."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -60, 60))))


def rise(values: NDArray[np.float64], at: float, width: float) -> NDArray[np.float64]:
    """A logistic step: 1/2 at ``at``, 0.73 one ``width`` above it."""
    return logistic((values - at) / width)


def unit_rows(rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Rows of length 1; a row of zeros stays one."""
    norm = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), SMALLEST_NORM)
    return np.asarray(rows / norm)
