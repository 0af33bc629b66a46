"""Seconds of the scorer: ``python benchmarks/score.py TRUTH RANKING [--rounds N]``.

Reads a truth and a ranking file, as ``castsearch evaluate`` takes them, and scores the ranking: the
processor's seconds of each part, the least over the rounds. The public WIDER 2018 list (147
queries, 15,124 candidates) is to take less than a second in all; exits 1 where a list takes longer.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

from castsearch.metrics import evaluate, read_ranking, read_truth

LIMIT = 1.0


def measure(truth_path: Path, ranking_path: Path) -> tuple[float, float, float]:
    """Seconds of reading the truth, of reading the ranking and of scoring it."""
    times = [time.process_time()]
    truth = read_truth(truth_path)
    times.append(time.process_time())
    ranking = read_ranking(ranking_path)
    times.append(time.process_time())
    evaluate(truth, ranking)
    times.append(time.process_time())
    first, second, third = (after - before for before, after in itertools.pairwise(times))
    return first, second, third


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("ranking", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rounds = [measure(arguments.truth, arguments.ranking) for _ in range(arguments.rounds)]
    parts = [min(times) for times in zip(*rounds, strict=True)]
    total = min(map(sum, rounds))
    print(
        f"truth {parts[0]:.3f} s, ranking {parts[1]:.3f} s, score {parts[2]:.3f} s; "
        f"all {total:.3f} s"
    )
    return int(total > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
