"""mAP per movie of every preset: ``python benchmarks/presets.py FOLDER ...``, as a Markdown table.

Each FOLDER is a labelled source of ``castsearch rank``. Results are kept as in any run, so a
second call prints the table at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from castsearch.pipeline import rank
from castsearch.presets import PRESETS


def main(folders: list[str]) -> None:
    table: dict[str, dict[str, float]] = {}
    for name in PRESETS:
        for folder in folders:
            run = rank(folder, preset_name=name, progress="lines")
            if run.evaluation is None:
                raise SystemExit(f"{folder} has no truth")
            for movie in run.evaluation.movies:
                key = f"{Path(folder).name} {movie.movie}"
                table.setdefault(key, {})[name] = movie.mAP or 0.0
    print("| set, movie |", " | ".join(PRESETS), "|")
    print("|---" * (len(PRESETS) + 1) + "|")
    for key, row in table.items():
        print(f"| {key} |", " | ".join(f"{row[name]:.3f}" for name in PRESETS), "|")
    means = [sum(row[name] for row in table.values()) / len(table) for name in PRESETS]
    print("| mean |", " | ".join(f"{mean:.3f}" for mean in means), "|")


if __name__ == "__main__":
    main(sys.argv[1:])
