"""Checkpoints: written whole or not at all, read without running code from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from castsearch.errors import CastsearchError, InputError
from castsearch.runtime.files import whole_file
from castsearch.training.weights import read_torch


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors and plain values), whole or not at all.

    Raises:
        CastsearchError: it cannot be written; the file that was there before is left as it was.
    """
    try:
        with whole_file(path) as temporary, temporary.open("wb") as file:
            torch.save(state, file)
    # torch turns some failed writes into RuntimeError.
    except (CastsearchError, RuntimeError) as error:
        reason = str(error)
        if not isinstance(error, CastsearchError):
            reason = f"{path} cannot be written ({reason.strip().splitlines()[0]}); make room."
        before = "the one before it is kept" if path.exists() else "there was none before it"
        raise CastsearchError(
            f"{reason} This is a checkpoint; {before}. Run the same command again to go on."
        ) from error


def load(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The state that a run with the same settings saved, or ``None`` where there is no file.

    Raises:
        InputError: the file is no checkpoint, or of a run with other settings.
    """
    if not path.exists():
        return None
    state = read_torch(path)
    if not isinstance(state, dict) or not isinstance(state.get("settings"), dict):
        raise InputError(f"{path}: this is no checkpoint of a training run; give another --out.")
    before = state["settings"]
    for name in sorted(settings.keys() | before.keys()):
        if before.get(name) != settings.get(name):
            raise InputError(
                f"{path.parent} holds a run with other settings: {name} was {before.get(name)!r} "
                f"and is now {settings.get(name)!r}. Give the same settings to go on with it, or "
                "another --out."
            )
    return state
