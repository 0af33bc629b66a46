"""Read torch weight files without running code from them, and fit them into a network."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from castsearch.errors import InputError


def read_torch(path: Path) -> Any:
    """What a torch file holds, read on the CPU and with ``weights_only``.

    Raises:
        InputError: no such file, no torch file, or one with other objects than tensors and plain
            values.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weight file.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path}: this is not a torch file of plain weights ({reason}); save it with "
            "torch.save(model.state_dict(), file)."
        ) from error


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict of a torch file: the file itself, or what its "network" or "state_dict" holds.

    Raises:
        InputError: as ``read_torch``, or the file holds no state dict.
    """
    document = read_torch(path)
    if isinstance(document, Mapping):
        for key in ("network", "state_dict"):
            if isinstance(document.get(key), Mapping):
                document = document[key]
                break
    if (
        not isinstance(document, Mapping)
        or not document
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in document.items())
    ):
        raise InputError(f"{path}: this torch file holds no state dict (names with tensors).")
    return dict(document)


def fit(
    module: nn.Module,
    state: Mapping[str, Tensor],
    path: Path,
    *,
    what: str,
    leave_out: tuple[str, ...] = (),
    assign: bool = False,
) -> None:
    """Put ``state`` into ``module``; every tensor of both must meet its like.

    Args:
        module: The network to fill.
        state: Names and tensors, as read from ``path``.
        path: Named in errors.
        what: The architecture, named in errors.
        leave_out: First parts of names in ``state`` that are not wanted.
        assign: Put the tensors in the places of the module's own, which are not copied into.

    Raises:
        InputError: a tensor is missing, has another shape, or has no place in the network.
    """
    given = {k: v for k, v in state.items() if k.split(".")[0] not in leave_out}
    wanted = module.state_dict()
    # Files older than torch 0.4.1 carry no step counter of batch norms; nothing reads it here.
    missing = [k for k in wanted if k not in given and not k.endswith(".num_batches_tracked")]
    extra = [k for k in given if k not in wanted]
    for names, problem in ((missing, "lacks"), (extra, "has, with no place for it,")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise InputError(
                f"{path}: these are not the weights of {what}: the file {problem} "
                f"{names[0]!r}{more}."
            )
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"{path}: these are not the weights of {what}: {name!r} has the shape "
                f"{tuple(tensor.shape)}, not {tuple(wanted[name].shape)}."
            )
    module.load_state_dict(dict(given), strict=False, assign=assign)
