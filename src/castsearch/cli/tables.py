"""``presets`` and ``models``: what there is to choose from, and how a network joins it."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from castsearch.cli.app import AsJson, app, print_json
from castsearch.errors import InputError
from castsearch.presets import DEFAULT, PRESETS


@app.command
def presets(*, as_json: AsJson = False) -> int:
    """List the named pipelines and their settings.

    Args:
        as_json: Print them as JSON.
    """
    if as_json:
        print_json({name: dataclasses.asdict(p) for name, p in PRESETS.items()})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "what it does", "locator", "encoder", "relation", box=None)
    for p in PRESETS.values():
        mark = " (default)" if p.name == DEFAULT else ""
        table.add_row(p.name + mark, p.summary, p.look.locator, p.look.encoder, p.order.relation)
    Console().print(table)
    return 0


models_app = App(name="models")
app.command(models_app)


@models_app.default
def models(
    *, architectures: Annotated[bool, Parameter(negative="")] = False, as_json: AsJson = False
) -> int:
    """List the models: file, sha256, origin, licence, input, and whether they are present.

    Args:
        architectures: List the networks that can be trained or exported instead, with their
            parameters, multiply-adds and map sizes at 224x224 (needs castsearch[train]).
        as_json: Print them as JSON.
    """
    return _architectures(as_json) if architectures else _models(as_json)


@models_app.command
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
        as_json: Print the new entry as JSON.
    """
    _need_torch()
    from castsearch.models import config as model_table
    from castsearch.training.export import export as write

    model = write(checkpoint, arch=arch or "", out=out, name=name or "", size=size, flip=flip)
    if as_json:
        print_json(dataclasses.asdict(model))
    else:
        print(f"{model.file} is the {model.kind} {model.name!r} of {model_table.config_file()}")
    return 0


def _models(as_json: bool) -> int:
    from castsearch.encoders.table import models_of_encoders
    from castsearch.models import config as model_table

    rows = [
        dataclasses.asdict(m) | {"present": model_table.locate(m) is not None}
        for m in (model_table.table() | models_of_encoders()).values()
    ]
    if as_json:
        print_json(rows)
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "model", "kind", "present", "input", "dim", "sha256", "origin", "licence", box=None
    )
    for row in rows:
        size = "x".join(map(str, row["size"])) if any(row["size"]) else "any"
        table.add_row(
            row["name"],
            row["kind"],
            _presence(row),
            size,
            str(row["dim"] or ""),
            row["sha256"][:12],
            row["origin"],
            row["licence"],
        )
    Console().print(table)
    return 0


def _presence(row: dict[str, Any]) -> str:
    """Whether a model is here, and if not, what brings it."""
    if row["present"]:
        return "yes"
    if row["url"]:
        return "when asked for"
    return f"no: castsearch[{row['extra']}]" if row["extra"] else "no"


def _architectures(as_json: bool) -> int:
    _need_torch()
    from castsearch.training.architectures import ARCHITECTURES, describe

    found = [describe(name) for name in ARCHITECTURES]
    if as_json:
        print_json([dataclasses.asdict(d) for d in found])
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("architecture", "parameters", "multiply-adds", "map sizes", box=None)
    for d in found:
        sizes = " ".join(f"{stage} {side}" for stage, side in d.output_sizes.items())
        table.add_row(d.name, f"{d.n_parameters:,}", f"{d.n_multiply_adds:,}", sizes)
    Console().print(table)
    return 0


def _need_torch() -> None:
    """Refuse, in a sentence, what the default install cannot do."""
    for package in ("torch", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"This needs {package}, which the extra castsearch[train] brings: "
                "pip install 'castsearch[train]'."
            )
