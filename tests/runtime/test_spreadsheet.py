"""Cells that a spreadsheet reckons with, and the way back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.runtime.spreadsheet import from_cell, to_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("tt0120338_0001", "tt0120338_0001"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("'quoted'", "''quoted'"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_cells_by_hand(text: str, cell: str) -> None:
    assert to_cell(text) == cell
    assert from_cell(cell) == text


@given(st.text(alphabet="=+-@'\t\r\nab\"", max_size=6) | st.text(max_size=20))
def test_every_text_comes_back_through_a_file(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([to_cell(text), "end"])
    file.seek(0)
    ((cell, _),) = csv.reader(file)
    assert from_cell(cell) == text
    assert not cell.startswith(tuple("=+-@\t\r"))
