"""What the default install leaves out, and the sentence that says how to get it."""

from __future__ import annotations

import importlib.util

from castsearch.errors import InputError


def need(extra: str, *packages: str, purpose: str) -> None:
    """Refuse what the extra ``castsearch[extra]`` is needed for, where it is not installed.

    Args:
        extra: Name of the extra.
        packages: Those of its packages that are imported, by their import names.
        purpose: What needs them, as the subject of a sentence.

    Raises:
        InputError: one of the packages is missing.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"{purpose} needs {package}, which the extra castsearch[{extra}] brings: "
                f"pip install 'castsearch[{extra}]'."
            )
