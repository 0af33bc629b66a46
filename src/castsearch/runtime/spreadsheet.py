"""Text in the cells of a CSV that a spreadsheet may open: never a formula, and never changed.

A spreadsheet takes a cell that starts with ``=``, ``+``, ``-`` or ``@`` for a formula, which a file
name may well be (OWASP, "CSV injection"). An apostrophe in front makes it text. One that is there
already gets another, so that taking one away gives back what was written, whatever it was.
"""

from __future__ import annotations

BYTE_ORDER_MARK = "\ufeff"
"""First character of a file that Excel is to read as UTF-8; other readers skip it."""

_ODD = tuple("=+-@\t\r\n'")


def to_cell(text: str) -> str:
    """``text`` as a cell that no spreadsheet reckons with."""
    return f"'{text}" if text.startswith(_ODD) else text


def from_cell(cell: str) -> str:
    """The text that :func:`to_cell` was given."""
    return cell.removeprefix("'")
