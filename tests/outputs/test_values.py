"""Odd texts, numbers and arrays through SQLite."""

from __future__ import annotations

import io
import math
import sqlite3
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.outputs.values import (
    from_npy,
    from_sides,
    from_text,
    to_maybe_text,
    to_npy,
    to_real,
    to_sides,
    to_text,
)
from castsearch.types import Box


def through(*values: object) -> tuple[object, ...]:
    """What columns of texts and numbers give back of ``values``."""
    connection = sqlite3.connect(":memory:")
    columns = ", ".join(f"c{i} {'TEXT' if i == 0 else 'REAL'}" for i in range(len(values)))
    connection.execute(f"CREATE TABLE t ({columns})")
    connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(values))})", values)
    (row,) = connection.execute("SELECT * FROM t").fetchall()
    connection.close()
    return tuple(row)


@given(st.text(max_size=9) | st.text(st.characters(categories=["Cs", "Cc", "Nd"]), max_size=4))
def test_texts_come_back(text: str) -> None:
    assert from_text(*through(to_text(text))) == text


def test_a_plain_text_stays_one_to_other_readers() -> None:
    assert through(to_text("Zoë 1.0")) == ("Zoë 1.0",)
    assert to_text("a\0b") == b"a\0b"
    assert to_maybe_text(None) is None


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.1 + 0.2, 5e-324, -0.0, None])
def test_numbers_come_back(value: float | None) -> None:
    _, number = through("", to_real(value))
    assert number == value


def test_no_number_is_told_from_nothing() -> None:
    _, number = through("", to_real(math.nan))
    assert isinstance(number, str)
    assert math.isnan(float(number))


def test_boxes_come_back() -> None:
    _, *sides = through("", *to_sides(Box(1, -2.5, math.inf, 4)))
    assert from_sides(*sides) == Box(1, -2.5, math.inf, 4)
    assert to_sides(None) == (None,) * 4
    with pytest.raises(TypeError):
        from_sides(1.0, None, 2.0, 3.0)


@pytest.mark.parametrize("value", [None, 1, 1.5])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="is no text"):
        from_text(value)


def npy(save: Callable[[io.BytesIO], None]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def test_an_array_can_be_changed_after_reading() -> None:
    array = from_npy(to_npy(np.arange(3)))
    array[0] = 9
    assert array.tolist() == [9, 1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        npy(lambda f: np.save(f, np.array([object()], dtype=object), allow_pickle=True)),
        to_npy(np.arange(4))[:-1],
        to_npy(np.arange(4)) + b"x",
        to_npy(np.zeros(7, np.int8)).replace(b"(7,)", b"(10*"),
        # The header promises 100 terabytes.
        to_npy(np.zeros(1000, np.int8)).replace(b"(1000,), }", b"(99999999999999,), }"),
    ],
)
def test_hostile_arrays_are_refused(content: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_npy(content)
