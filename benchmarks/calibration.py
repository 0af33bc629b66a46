"""How far the scores of the default preset can be taken at their word.

``python benchmarks/calibration.py FOLDER ...`` with labelled sources of ``castsearch rank``. Per
movie: expected calibration error (15 bins) of the probabilities as they are, and after slope and
offset were fitted on all other movies; precision and recall of "this candidate is this cast
member" at a probability of one half. Last, the slope and offset that fit all movies. Needs
``pip install scikit-learn``.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.film import OFFSET, SLOPE
from castsearch.runtime.settings import Runtime
from castsearch.verbs.rank import rank

Array = NDArray[np.float64]


def error(probabilities: Array, truth: Array) -> float:
    """Expected calibration error: mean distance of a bin's probability from its share of hits."""
    bins = np.minimum((probabilities * 15).astype(int), 14)
    total = 0.0
    for number in np.unique(bins):
        inside = bins == number
        total += inside.mean() * abs(probabilities[inside].mean() - truth[inside].mean())
    return total


def fitted(scores: Array, truth: Array) -> Any:
    """A logistic regression of one variable."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise SystemExit("This benchmark needs scikit-learn: pip install scikit-learn") from error
    return LogisticRegression(C=1e3).fit(scores[:, None], truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    folders = parser.parse_args().folders
    movies: dict[str, tuple[Array, Array]] = {}
    for folder in folders:
        for result in rank(folder, runtime=Runtime(progress="lines")).movies:
            labels = {c.id: c.label for c in result.movie.candidates}
            scores, truth = [], []
            for ranking in result.rankings:
                scores += ranking.scores
                truth += [labels[i] == ranking.query_id for i in ranking.candidate_ids]
            p = np.clip(np.array(scores), 1e-9, 1 - 1e-9)
            raw = (np.log(p / (1 - p)) - OFFSET) / SLOPE
            movies[f"{folder.rstrip('/').split('/')[-1]} {result.movie.id}"] = (
                raw,
                np.array(truth, dtype=np.float64),
            )
    print("| set, movie | error | error, fitted on the others | precision | recall |")
    print("|---|---|---|---|---|")
    held_out: list[tuple[Array, Array]] = []
    for name, (raw, truth) in movies.items():
        # The same film in another form is no other movie.
        film = name.split()[-1]
        others = [pair for key, pair in movies.items() if key.split()[-1] != film]
        model = fitted(*(np.concatenate(part) for part in zip(*others, strict=True)))
        crossed = model.predict_proba(raw[:, None])[:, 1]
        held_out.append((crossed, truth))
        p = 1 / (1 + np.exp(-(SLOPE * raw + OFFSET)))
        said = p > 0.5
        print(
            f"| {name} | {error(p, truth):.3f} | {error(crossed, truth):.3f} | "
            f"{truth[said].mean():.3f} | {said[truth > 0].mean():.3f} |"
        )
    crossed, truth = (np.concatenate(part) for part in zip(*held_out, strict=True))
    print(f"all movies, each by the others' fit: error {error(crossed, truth):.4f}")
    model = fitted(*(np.concatenate(part) for part in zip(*movies.values(), strict=True)))
    print(f"fitted on all: slope {model.coef_[0, 0]:.2f}, offset {model.intercept_[0]:.2f}")


if __name__ == "__main__":
    main()
