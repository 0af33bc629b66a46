"""What rewriting a packaged network gains: ``python benchmarks/sessions.py``.

SFace in onnxruntime on one thread: with its weights made constant and nothing else, and as
castsearch runs it, at several batch sizes, side by side in rounds.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from castsearch import models
from castsearch.embed import prepare
from castsearch.embed.session import Session

ROUNDS = 15


def main() -> None:
    path = models.weights(models.BY_NAME["sface"])
    folder = Path(tempfile.mkdtemp())
    plain = onnx.load(str(path))
    prepare._fold_weights(plain)
    prepare._free_axes(plain)
    del plain.graph.value_info[:]
    onnx.save(plain, str(folder / "plain.onnx"))
    sessions = {
        "constant weights": Session(folder / "plain.onnx"),
        "rewritten": Session(prepare.prepared(path, "0" * 16, folder)),
    }
    rng = np.random.default_rng(0)
    best: dict[tuple[str, int], float] = {}
    for n in (1, 4, 16):
        batch = rng.uniform(0, 255, (n, 3, 112, 112)).astype(np.float32)
        outputs = [session.run(batch)[0] for session in sessions.values()]
        difference = np.abs(outputs[0] - outputs[1]).max() / np.abs(outputs[0]).max()
        for _ in range(ROUNDS):
            for name, session in sessions.items():
                start = time.perf_counter()
                session.run(batch)
                elapsed = (time.perf_counter() - start) / n
                best[name, n] = min(elapsed, best.get((name, n), elapsed))
        first, second = (best[name, n] * 1e3 for name in sessions)
        print(
            f"batch {n}: {first:.1f} ms a face with constant weights, {second:.1f} rewritten, "
            f"ratio {first / second:.2f}, relative difference {difference:.1e}"
        )


if __name__ == "__main__":
    main()
