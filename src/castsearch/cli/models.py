"""``models``: what there is to choose from, and how a trained network joins it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from castsearch.cli.options import AsJson
from castsearch.cli.printing import print_json
from castsearch.training.extra import need_training

models = App(name="models", help_format="markdown")


@models.default
def list_models(
    *, architectures: Annotated[bool, Parameter(negative="")] = False, as_json: AsJson = False
) -> int:
    """Print the table of models.

    Args:
        architectures: List the networks that can be trained or exported instead, with their
            parameters, multiply-adds and map sizes at 224x224 (needs castsearch[train]).
    """
    return _architectures(as_json) if architectures else _models(as_json)


@models.command
def export(
    checkpoint: Path,
    /,
    *,
    arch: str | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    name: str | None = None,
    size: Annotated[tuple[int, int] | None, Parameter(negative="")] = None,
    flip: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
) -> int:
    """Write a trained network as ONNX and add it to the model table (needs castsearch[train]).

    Args:
        checkpoint: Checkpoint of `castsearch train`; or, with --arch, a file of weights alone.
        arch: Architecture of a file of weights alone, such as `vggface` for VGG-Face's.
        out: File to write, else the checkpoint's with the ending .onnx.
        name: Name in the model table, else that of the file.
        size: Height and width of the input, else those of the training.
        flip: Add the mirror image's vector inside the network.
        as_json: Print the new entry of the table as JSON.
    """
    need_training()
    from castsearch.models.config import config_file
    from castsearch.training import export as trained

    model = trained.export(
        checkpoint, arch=arch or "", out=out, name=name or "", size=size, flip=flip
    )
    if as_json:
        print_json(dataclasses.asdict(model))
    else:
        print(f"{model.file} is the {model.kind} {model.name!r} of {config_file()}")
    return 0


def _models(as_json: bool) -> int:
    from castsearch.encoders.table import models_of_encoders
    from castsearch.models.config import locate, table

    rows = [
        dataclasses.asdict(m) | {"present": locate(m) is not None}
        for m in (table() | models_of_encoders()).values()
    ]
    if as_json:
        print_json(rows)
        return 0
    from rich.console import Console
    from rich.table import Table

    lines = Table(
        "model", "kind", "present", "input", "dim", "sha256", "origin", "licence", box=None
    )
    for row in rows:
        size = "x".join(map(str, row["size"])) if any(row["size"]) else "any"
        lines.add_row(
            row["name"],
            row["kind"],
            _presence(row),
            size,
            str(row["dim"] or ""),
            row["sha256"][:12],
            row["origin"],
            row["licence"],
        )
    Console().print(lines)
    return 0


def _presence(row: dict[str, Any]) -> str:
    """Whether a model is here, and if not, what brings it."""
    if row["present"]:
        return "yes"
    if row["url"]:
        return "when asked for"
    return f"no: castsearch[{row['extra']}]" if row["extra"] else "no"


def _architectures(as_json: bool) -> int:
    need_training()
    from castsearch.training.architectures import ARCHITECTURES, describe

    rows = [describe(name) for name in ARCHITECTURES]
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("architecture", "parameters", "multiply-adds", "map sizes", box=None)
    for row in rows:
        sizes = " ".join(f"{stage} {side}" for stage, side in row.output_sizes.items())
        table.add_row(row.name, f"{row.n_parameters:,}", f"{row.n_multiply_adds:,}", sizes)
    Console().print(table)
    return 0
