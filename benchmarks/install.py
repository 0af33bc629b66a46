"""How large an install is, and how long commands take to start.

    python benchmarks/install.py [--extras demo,parquet] [--runs 21] [--python 3.12]

Makes a fresh environment without extras and one per extra, installs this checkout into each, and
prints the size of site-packages by package. Then how long commands take in the smallest of them,
beside `python -c pass`: runs are interleaved, so that all meet the same noise. Seconds of the
processor are what a command takes on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import castsearch": ["-c", "import castsearch"],
    "import cyclopts": ["-c", "from cyclopts import App"],
    "castsearch --help": ["--help"],
    "castsearch --version": ["--version"],
    "castsearch presets": ["presets"],
    "castsearch rank --help": ["rank", "--help"],
}
LEAST_MB = 2.0
"""Packages below this are summed up."""


def install(folder: Path, extra: str, python: str) -> Path:
    """A fresh environment with this checkout; its site-packages."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    what = f"{ROOT}[{extra}]" if extra else str(ROOT)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", what]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return next((folder / "lib").glob("python*")) / "site-packages"


def size_on_disk(path: Path) -> int:
    """Bytes that a file takes on the disk, in whole blocks, as `du` counts."""
    return path.stat().st_blocks * 512 if path.is_file() and not path.is_symlink() else 0


def sizes(site: Path) -> Counter[str]:
    """Megabytes by installed package, its compiled files and shared libraries included."""
    by_package: Counter[str] = Counter()
    for distribution in distributions(path=[str(site)]):
        by_package[distribution.metadata["Name"]] = size_of(distribution)
    return by_package


def size_of(distribution: Distribution) -> int:
    files = {Path(str(distribution.locate_file(file))) for file in distribution.files or ()}
    return sum(size_on_disk(path) for path in files if path.exists())


def tell_sizes(site: Path, extra: str) -> None:
    total = sum(size_on_disk(path) for path in site.rglob("*"))
    print(f"castsearch[{extra}]" if extra else "castsearch", f"{total / 1e6:.0f} MB")
    rest = 0
    for name, size in sizes(site).most_common():
        if size < LEAST_MB * 1e6:
            rest += size
        else:
            print(f"  {name:34} {size / 1e6:6.1f}")
    print(f"  {'all others':34} {rest / 1e6:6.1f}")


def tell_times(environment: Path, n_runs: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    of_processor: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(n_runs + 1):
        for name, arguments in COMMANDS.items():
            program = "castsearch" if name.startswith("castsearch") else "python"
            command = [str(environment / "bin" / program), *arguments]
            start, start_of_processor = time.perf_counter(), processor_seconds()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - start)
            of_processor[name].append(processor_seconds() - start_of_processor)
    print("milliseconds, medians: wall, above `python -c pass`; of the processor, above it")
    for name in COMMANDS:
        figures = []
        for times in (seconds, of_processor):
            # The first run compiles and fills the disk's cache.
            median, nothing = (statistics.median(times[n][1:]) for n in (name, "python -c pass"))
            figures += [1000 * median, 1000 * (median - nothing)]
        print(f"  {name:24}", *(f"{figure:6.0f}" for figure in figures))


def processor_seconds() -> float:
    """What all processes that this one has waited for took of the processor so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="demo", help="with commas between them")
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    extras = ["", *filter(None, arguments.extras.split(","))]
    with tempfile.TemporaryDirectory() as folder:
        for extra in extras:
            environment = Path(folder) / (extra or "default")
            tell_sizes(install(environment, extra, arguments.python), extra)
        tell_times(Path(folder) / "default", arguments.runs)


if __name__ == "__main__":
    main()
