"""What the terminal shows of an evaluation."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from castsearch.metrics import Row, Submission, Truth, evaluate, print_evaluation


def test_tables_and_notes_are_printed() -> None:
    truth = Truth(
        {"tt1_nm1": frozenset({"tt1_0", "tt1_2"}), "tt1_nm2": frozenset({"tt1_3"})},
        messages=("a note with [brackets]",),
    )
    submission = Submission((Row("tt1_nm1", ("tt1_0", "tt1_1", "tt1_2"), 1),))
    console = Console(file=StringIO(), width=120)
    print_evaluation(evaluate(truth, submission), console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "mAP 0.416667" in text
    assert "1 to 10" in text
    assert "a note with [brackets]" in text
    # The worst query comes first.
    assert text.index("tt1_nm2 ") < text.index("tt1_nm1 ")
    assert "0.8333" in text
