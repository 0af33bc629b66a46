"""The default ranking with settings that never saw the movie they are scored on.

``python benchmarks/leave_one_out.py FOLDER ... [--draws N]`` with labelled sources of ``castsearch
rank``. Settings are drawn at random around the defaults; for each film the draw is taken that is
best on all other films, in all their forms. Beside it stand the defaults and the best draw of the
film itself, which has seen it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from parts import cases

from castsearch.presets import preset
from castsearch.ranking.film import FilmSettings


def drawn(rng: np.random.Generator, settings: FilmSettings) -> FilmSettings:
    """Settings each up to about a third off the defaults."""
    return replace(
        settings,
        links=replace(
            settings.links,
            neighbours=int(rng.choice([10, 15, 20, 30])),
            link_at=float(rng.uniform(1.6, 2.8)),
            face_weight=float(rng.uniform(0.0, 0.5)),
        ),
        others_at=float(rng.uniform(0.26, 0.38)),
        others_weight=float(rng.uniform(0.15, 0.8)),
        trust_at=float(rng.uniform(0.6, 0.85)),
        spread=float(rng.uniform(0.7, 0.95)),
        doubt=float(rng.choice([0.01, 0.02, 0.05, 0.1])),
        adapt=float(rng.uniform(0.0, 0.6)),
        competition=float(rng.uniform(0.2, 1.0)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--draws", type=int, default=60)
    arguments = parser.parse_args()
    all_cases = [case for folder in arguments.folders for case in cases(folder)]
    rng = np.random.default_rng(0)
    default = preset("castsearch").order.film
    settings = [default, *(drawn(rng, default) for _ in range(arguments.draws))]
    table = np.array([[case.score(case.film(one)) for case in all_cases] for one in settings])
    films = np.array([case.movie.id for case in all_cases])
    print("| set, movie | defaults | chosen on the other films | best of its own |")
    print("|---|---|---|---|")
    chosen = []
    for column, case in enumerate(all_cases):
        same_film = films == case.movie.id
        # Films weigh alike, however many forms there are of them.
        others = [
            table[1:][:, films == f].mean(axis=1) for f in np.unique(films) if f != case.movie.id
        ]
        best = 1 + int(np.mean(others, axis=0).argmax())
        chosen.append(table[best, column])
        oracle = 1 + int(table[1:][:, same_film].mean(axis=1).argmax())
        print(
            f"| {case.name} | {table[0, column]:.3f} | {chosen[-1]:.3f} | "
            f"{table[oracle, column]:.3f} |"
        )
    print(f"| mean | {table[0].mean():.3f} | {np.mean(chosen):.3f} | |")
    spread = table[1:].mean(axis=1)
    print(f"mean mAP over the draws: {spread.min():.3f} to {spread.max():.3f}")


if __name__ == "__main__":
    main()
