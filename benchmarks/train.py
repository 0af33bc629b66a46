"""Time of a step of the real training loop against the bare step of the same network.

    python benchmarks/train.py SOURCE [--arch NAME ...] [--rounds N]

The bare step is forward, backward and optimizer step on random tensors that lie ready, with the
loss of the recipe. Both take turns in one process, a step each, and medians are compared, so that
what else the machine does meets both alike; on a busy machine the processor time says more than the
wall. Exits 1 where the ratio of wall times is above 1.10.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from castsearch.training.budget import Budget
from castsearch.training.dataset import load_dataset
from castsearch.training.log import Reporter
from castsearch.training.options import Options
from castsearch.training.process import deterministic, start_accelerator
from castsearch.training.recipes import RECIPES
from castsearch.training.run import Run

LIMIT = 1.10
WARM_UP, STEPS_A_TURN = 1, 2


def now() -> np.ndarray:
    """Seconds on the wall, and of this process on all processors."""
    return np.array([time.perf_counter(), time.process_time()])


def bare_step(run: Run, images: torch.Tensor, labels: torch.Tensor) -> None:
    terms = run.model(images, labels, torch.full_like(labels, -1))
    terms["loss"].backward()
    run.optimizer.step()
    run.optimizer.zero_grad()


def measure(arch: str, source: Path, rounds: int) -> float:
    recipe = replace(RECIPES["triplet"], size=(128, 64), p=16, erase=0.5)
    options = Options(arch=arch, recipe=recipe, budget=Budget(steps=10**6))
    with tempfile.TemporaryDirectory() as folder:
        reporter = Reporter("quiet")
        data = load_dataset(source, options, Path(folder), reporter, "quiet")
        run = Run(options, data, Path(folder), start_accelerator(options), reporter)
        images = torch.randn(recipe.p * recipe.k, 3, *recipe.size, device=run.accelerator.device)
        images = images.contiguous(memory_format=torch.channels_last)
        labels = torch.arange(recipe.p, device=images.device).repeat_interleave(recipe.k)
        loop, bare = [], []
        for turn in range(WARM_UP + rounds):
            for _ in range(STEPS_A_TURN):
                start = now()
                with deterministic(run.accelerator.device):
                    row = run.train_step(0.0)
                    run.note(row | {"seconds": run.clock.elapsed}, 0.0)
                middle = now()
                bare_step(run, images, labels)
                if images.is_cuda:
                    torch.cuda.synchronize()
                end = now()
                if turn >= WARM_UP:
                    loop.append(middle - start)
                    bare.append(end - middle)
        assert run.log is not None
        run.log.close()
    wall_loop, cpu_loop = np.median(loop, axis=0)
    wall_bare, cpu_bare = np.median(bare, axis=0)
    ratio = float(wall_loop / wall_bare)
    print(
        f"{arch}: {1000 * wall_loop:.0f} ms a step of the loop, {1000 * wall_bare:.0f} ms bare, "
        f"ratio {ratio:.3f}; of processor time {1000 * cpu_loop:.0f} and {1000 * cpu_bare:.0f} ms, "
        f"ratio {cpu_loop / cpu_bare:.3f} ({len(loop)} steps each)",
        flush=True,
    )
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--arch", nargs="+", default=["efficientnet-lite0", "resnet18"])
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    ratios = [measure(arch, arguments.source, arguments.rounds) for arch in arguments.arch]
    return int(max(ratios) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
