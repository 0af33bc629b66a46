"""``presets`` and ``models``: what there is to choose from."""

from __future__ import annotations

import dataclasses

from castsearch.cli.app import AsJson, app, print_json
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
        table.add_row(p.name + mark, p.summary, p.locator, p.encoder, p.relation)
    Console().print(table)
    return 0


@app.command
def models(*, as_json: AsJson = False) -> int:
    """List the models: file, sha256, origin, licence, input, and whether they are present.

    Args:
        as_json: Print them as JSON.
    """
    from castsearch import models as model_table

    rows = [
        dataclasses.asdict(m) | {"present": model_table.locate(m) is not None}
        for m in model_table.table().values()
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
        present = "yes" if row["present"] else f"no: castsearch[{row['extra']}]"
        table.add_row(
            row["name"],
            row["kind"],
            present,
            size,
            str(row["dim"] or ""),
            row["sha256"][:12],
            row["origin"],
            row["licence"],
        )
    Console().print(table)
    return 0
