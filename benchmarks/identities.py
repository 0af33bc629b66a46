"""How far people come apart: ``python benchmarks/identities.py FOLDER MODEL ... [--plot FILE]``.

FOLDER holds ``val/PERSON/CAMERA_NUMBER.png``; a MODEL is a body encoder of ``castsearch models`` or
an exported ONNX file. Prints mAP and rank-1 (query camera 1, gallery the others) of random vectors,
colour stripes, the untrained network and each MODEL; models named ``NAME-s0.onnx``,
``NAME-s1.onnx`` and so on are seeds of one, and their mean and spread are printed too. The plot
shows t-SNE maps of the untrained network and of the last MODEL: one colour per person, one shape
per camera.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.metrics.market1501 import score_market
from castsearch.sources.identities import read_identities
from castsearch.verbs.embed import embed, score_identities


def random_scores(folder: Path, n_draws: int = 100) -> tuple[float, float]:
    """Mean mAP and rank-1 of vectors drawn anew."""
    samples = read_identities(folder)
    parts = {
        split: [(s.identity, s.camera) for s in samples if s.split == split]
        for split in ("query", "gallery")
    }
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(n_draws):
        sides = []
        for labels in parts.values():
            vectors = rng.standard_normal((len(labels), 64)).astype(np.float32)
            sides += [vectors, [i for i, _ in labels], [c for _, c in labels]]
        score = score_market(*sides)
        scores.append((score.mAP, score.rank1))
    mean_ap, rank1 = np.mean(scores, axis=0)
    return float(mean_ap), float(rank1)


def plot(folder: Path, models: list[str], path: Path) -> None:
    """t-SNE maps of the validation people, one per model, beside each other."""
    import matplotlib as mpl

    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise SystemExit("The plot needs scikit-learn: pip install scikit-learn") from error
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(models), figsize=(5 * len(models), 4.6))
    for axis, model in zip(np.atleast_1d(axes), models, strict=True):
        embeddings = embed(folder / "val", model)
        people = sorted({Path(i).parts[0] for i in embeddings.ids})
        places: NDArray[np.float32] = TSNE(
            perplexity=12, metric="cosine", init="pca", random_state=0
        ).fit_transform(embeddings.vectors)
        for n, person in enumerate(people):
            for camera, shape in (("01", "o"), ("02", "^")):
                rows = [
                    i
                    for i, name in enumerate(embeddings.ids)
                    if Path(name).parts[0] == person and Path(name).name.startswith(camera)
                ]
                axis.scatter(*places[rows].T, color=f"C{n % 10}", marker=shape, s=22, alpha=0.8)
        axis.set_title(Path(model).stem)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.suptitle("12 people that no training saw: a colour each, circles camera 1, triangles 2")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    print("| vectors | mAP | rank-1 |\n|---|---|---|")
    mean_ap, rank1 = random_scores(arguments.folder)
    print(f"| random (mean of 100 draws) | {mean_ap:.3f} | {rank1:.3f} |")
    seeds: dict[str, list[float]] = {}
    for model in ["hsv-stripes", "efficientnet-lite0", *arguments.models]:
        score = score_identities(arguments.folder, model).market
        name = Path(model).stem
        print(f"| {name} | {score.mAP:.3f} | {score.rank1:.3f} |")
        if seed := re.fullmatch(r"(.+)-s\d+", name):
            seeds.setdefault(seed.group(1), []).append(score.mAP)
    for name, values in seeds.items():
        spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
        print(f"{name}: {len(values)} seeds, mAP {np.mean(values):.3f} +- {spread:.3f}")
    if arguments.plot and arguments.models:
        plot(arguments.folder, ["efficientnet-lite0", arguments.models[-1]], arguments.plot)


if __name__ == "__main__":
    main()
