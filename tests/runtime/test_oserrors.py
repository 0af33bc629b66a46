from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from castsearch.errors import CastsearchError, InputError
from castsearch.runtime.oserrors import clause, failure, sentence, shown


def error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "doing", "said"),
    [
        (
            errno.ENOSPC,
            "written",
            "a/b cannot be written (No space left on device); make room there or choose another "
            "folder.",
        ),
        (
            errno.EACCES,
            "read",
            "a/b cannot be read (Permission denied); get the permission or choose another folder.",
        ),
        (errno.EISDIR, "read", "a/b cannot be read (Is a directory); give a file."),
        (
            errno.ENAMETOOLONG,
            "made",
            "a/b cannot be made (File name too long); choose a shorter name.",
        ),
        (
            errno.EROFS,
            "written",
            "a/b cannot be written (Read-only file system); choose another folder, one that can "
            "be written to.",
        ),
        (errno.ENOENT, "read", "a/b cannot be read (No such file or directory); check the path."),
        (errno.EBADF, "read", "a/b cannot be read (Bad file descriptor); check the disk."),
        (
            errno.EBADF,
            "written",
            "a/b cannot be written (Bad file descriptor); choose another folder.",
        ),
    ],
)
def test_which_file_what_is_wrong_what_to_do(number: int, doing: str, said: str) -> None:
    assert sentence(error(number), Path("a/b"), doing) == said


def test_an_error_of_a_library_without_a_number_says_what_it_says() -> None:
    assert clause(OSError("torn apart"), "read") == "cannot be read (torn apart)"
    assert sentence(OSError("torn"), "x", "read") == "x cannot be read (torn); check the disk."


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(errno.EACCES, 2), (errno.ENOTDIR, 2), (errno.EISDIR, 2), (errno.ENOSPC, 1), (errno.EIO, 1)],
)
def test_bad_input_is_told_from_a_failure(number: int, exit_code: int) -> None:
    raised = failure(error(number), "x", "written")
    assert isinstance(raised, CastsearchError)
    assert isinstance(raised, InputError) == (exit_code == 2)
    assert raised.exit_code == exit_code


def test_shown_can_be_written() -> None:
    assert shown(Path("a/b.jpg")) == "a/b.jpg"
    assert shown(os.fsdecode(b"caf\xe9.jpg")) == "caf\\udce9.jpg"
    assert "\\udce9" in sentence(error(errno.EIO), os.fsdecode(b"caf\xe9.jpg"), "read")
