"""``presets``: the named pipelines to choose from."""

from __future__ import annotations

import dataclasses

from castsearch.cli.options import AsJson
from castsearch.cli.printing import print_json
from castsearch.presets import DEFAULT, PRESETS


def presets(*, as_json: AsJson = False) -> int:
    """Print the table of presets."""
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
