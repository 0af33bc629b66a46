"""Memory of many movies against one: ``python benchmarks/many_movies.py SOURCE [--copies 40]``.

The largest movie of a WIDER data set is copied with changed ids (pictures as hard links), and
``rank`` runs over one copy and over all of them, each in a process of its own, cold and warm.
Printed are seconds and the peak resident memory of each, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def copies(source: Path, n: int, target: Path) -> Path:
    """``n`` copies of the largest movie of a WIDER split, ids changed; returns the new root."""
    (split,) = (f for f in source.glob("*.json") if f.with_suffix("").is_dir())
    document = json.loads(split.read_text())
    labels = json.loads(split.with_name(f"{split.stem}_label.json").read_text())
    movie = max(document, key=lambda tt: len(document[tt]["candidates"]))
    made: dict[str, object] = {}
    truth: dict[str, list[str]] = {}
    for i in range(n):
        name = f"tt77{i:05}"
        text = json.dumps(document[movie]).replace(movie, name)
        made[name] = json.loads(text)
        for query, positives in labels.items():
            if query.startswith(movie):
                truth[query.replace(movie, name)] = [p.replace(movie, name) for p in positives]
        for path in (split.with_suffix("") / movie).rglob("*"):
            if path.is_file():
                to = target / "val" / name / str(path.relative_to(split.with_suffix("") / movie))
                to = to.with_name(to.name.replace(movie, name))
                to.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, to)
    (target / "val.json").write_text(json.dumps(made))
    if isinstance(labels.get(movie), dict):
        truth = {name: json.loads(json.dumps(labels[movie]).replace(movie, name)) for name in made}
    (target / "val_label.json").write_text(json.dumps(truth))
    return target


def measured(root: Path, store: Path, out: Path, preset: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of ``rank`` over ``root``, in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--child", str(root), str(store), str(out), preset]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, float(done.stdout.split()[-1])


def child(root: str, store: str, out: str, preset: str) -> None:
    from castsearch.runtime.settings import Runtime
    from castsearch.verbs.rank import rank

    rank(root, preset=preset, out=Path(out), runtime=Runtime(store=Path(store)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--preset", default="castsearch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.source.parent) as folder:
        place = Path(folder)
        print(f"{'movies':>8} {'store':>6} {'seconds':>8} {'peak MB':>8}")
        peaks = {}
        for n in (1, arguments.copies):
            root = copies(arguments.source, n, place / str(n))
            store = place / f"store-{n}.sqlite"
            # Copies are the same pictures: of many, only the first has to look at any.
            for state in ("cold", "warm"):
                seconds, peak = measured(root, store, place / f"out-{n}", arguments.preset)
                peaks[n, state] = peak
                print(f"{n:8} {state:>6} {seconds:8.1f} {peak:8.0f}", flush=True)
        for state in ("cold", "warm"):
            ratio = peaks[arguments.copies, state] / peaks[1, state]
            print(f"{arguments.copies} movies against one, {state}: {ratio:.3f}")


if __name__ == "__main__":
    main()
