"""Checkpoints: written whole or not at all, read without running code from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from castsearch.errors import CastsearchError, InputError
from castsearch.training.weights import read_torch


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors and plain values) under a temporary name, then rename it.

    Raises:
        CastsearchError: it cannot be written; the file that was there before is left as it was.
    """
    # One name for all tries, so that a run killed again and again leaves one at the most.
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    # torch turns some failed writes into RuntimeError.
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
        before = "the one before it is kept" if path.exists() else "there was none before it"
        raise CastsearchError(
            f"{path}: the checkpoint cannot be written ({reason}); {before}. Make room and run the "
            "same command again to go on from there."
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
