"""One family of exceptions, and the exit status that goes with each of them."""

from __future__ import annotations

import pytest

from castsearch.cli import main
from castsearch.errors import CastsearchError, ImageError, InputError


@pytest.mark.parametrize(
    ("kind", "status"), [(CastsearchError, 1), (InputError, 2), (ImageError, 2)]
)
def test_the_command_line_prints_the_sentence_and_exits_with_the_status_of_its_kind(
    kind: type[CastsearchError],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise kind("a.jpg is broken; copy it again.")

    monkeypatch.setattr("castsearch.forget", fail)
    assert main(["forget", "film"]) == status
    assert capsys.readouterr() == ("", "castsearch: a.jpg is broken; copy it again.\n")


def test_one_exception_catches_them_all() -> None:
    # A picture that cannot be read is bad input too, unless somebody goes on without it.
    assert issubclass(ImageError, InputError)
    assert issubclass(InputError, CastsearchError)
    assert not issubclass(CastsearchError, (ValueError, OSError))
