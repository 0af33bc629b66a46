"""The one exception family: a plain sentence that says which file, what is wrong, what to do."""

from __future__ import annotations


class CastsearchError(Exception):
    """A failure with a sentence for people; the command line prints it and exits with 1."""

    exit_code = 1


class InputError(CastsearchError):
    """The user's input cannot be used as it is; the command line exits with 2."""

    exit_code = 2


class ImageError(InputError):
    """One picture cannot be decoded; the run goes on without it."""
