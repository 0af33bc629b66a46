"""Verification of face pairs (the LFW protocol) with a preset's detector and encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from castsearch.features.extract import extract
from castsearch.features.region import Region
from castsearch.features.store import Store
from castsearch.metrics.verification import Verification, read_pairs, verification
from castsearch.presets import DEFAULT
from castsearch.runtime.progress import track
from castsearch.runtime.settings import Runtime
from castsearch.types import Picture
from castsearch.verbs.stages import plan


def verify(
    pairs: str | Path,
    *,
    preset: str = DEFAULT,
    face_model: str | None = None,
    runtime: Runtime | None = None,
) -> Verification:
    """Embed every picture of ``pairs`` once, and score same-or-different by 10 folds.

    Pictures without a face leave their pairs unmeasured: they count as "different".

    Raises:
        InputError: the pairs cannot be read, or a model is missing.
    """
    how = plan(preset, face_model=face_model, runtime=runtime)
    runtime, encoder = how.runtime, how.asked.encoder
    listed = read_pairs(Path(pairs))
    paths = sorted({p for pair in listed for p in (pair.path_a, pair.path_b)})
    regions = [Region(str(path), Picture(path), role="portrait") for path in paths]
    with (
        Store(runtime.store) as store,
        track("pictures", len(regions), runtime.progress) as advance,
    ):
        features, _ = extract(regions, how.asked, store, runtime, advance=advance)
    similarities = []
    for pair in listed:
        a, b = features[str(pair.path_a)].vector, features[str(pair.path_b)].vector
        if a is None or b is None:
            similarities.append(np.nan)
        elif encoder.metric == "euclidean":
            similarities.append(-float(np.linalg.norm(a.astype(np.float64) - b)))
        else:
            similarities.append(float(a @ b))
    return verification(
        np.array(similarities),
        np.array([pair.same for pair in listed]),
        np.array([pair.fold for pair in listed]),
    )
