"""Face verification on pairs, as LFW does it: same person or not, ten folds.

Protocol: Huang et al., "Labeled Faces in the Wild", 2007, View 2: the threshold for one fold is
chosen on the other nine; the figure is the mean accuracy over the folds.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from castsearch.errors import InputError
from castsearch.runtime.oserrors import sentence
from castsearch.sources.labels import listed
from castsearch.sources.paths import is_file, is_folder

N_FOLDS = 10
FAR = 0.001
"""False accept rate at which the true accept rate is given."""

_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, whether they show one person, and the fold (from 0) that they belong to."""

    path_a: Path
    path_b: Path
    same: bool
    fold: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Figures of one run over pairs; all rates are 0 to 1.

    ``accuracy`` and ``accuracy_std`` are mean and (population) standard deviation over the folds,
    ``threshold`` the mean of the folds' similarity thresholds. ``tar_at_far_0001`` is the largest
    true accept rate at a false accept rate of at most 0.001: with fewer than 1,000 pairs of
    different people, that is one without any false accept. ``n_unmeasured`` counts the pairs
    without a similarity; they were answered "different".
    """

    accuracy: float
    accuracy_std: float
    threshold: float
    auc: float
    tar_at_far_0001: float
    eer: float
    n_pairs: int
    n_unmeasured: int


def read_pairs(path: Path, images: Path | None = None) -> list[Pair]:
    """Read ``pairs.csv`` (columns a, b, same, and optionally fold) or the official ``pairs.txt``.

    ``path`` may be the folder that holds one of them. Pictures are looked up in ``images``, else
    beside the file (``pairs.csv``) or in ``images/`` beside it (``pairs.txt``). Without a fold
    column, pairs are dealt to 10 folds in file order, same and different alike; people are then
    not kept apart by fold as in the official list.

    Raises:
        InputError: the file is missing or malformed (the line is named), or pictures are missing.
    """
    path = Path(path)
    if is_folder(path):
        found = [path / name for name in ("pairs.csv", "pairs.txt") if is_file(path / name)]
        if not found:
            raise InputError(f"{path}: holds neither pairs.csv nor pairs.txt")
        path = found[0]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(sentence(error, path, "read")) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a UTF-8 text file") from error
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise InputError(f"{path}: the file is empty")
    is_csv = "," in lines[0]
    pairs = _from_csv(path, lines) if is_csv else _from_txt(path, lines)
    if not pairs:
        raise InputError(f"{path}: names no pairs; expected two pictures a line")
    if images is None:
        inside = path.parent / "images"
        roots = [inside if not is_csv and is_folder(inside) else path.parent]
    else:
        # pairs.csv says images/...; someone may name that very folder as the place of pictures.
        roots = [Path(images), Path(images).parent]
    return _locate(path, roots, pairs)


def verification(similarities: ArrayLike, same: ArrayLike, folds: ArrayLike) -> Verification:
    """Verify pairs by a threshold on similarity (higher: more alike).

    Args:
        similarities: Shape (n_pairs,); NaN or ``-inf`` where a picture has no face, which counts
            as "different".
        same: Shape (n_pairs,), true where both pictures show one person.
        folds: Shape (n_pairs,), integers; each fold is judged by the threshold of the others.

    Raises:
        InputError: fewer than two folds, or only pairs of one kind.
    """
    values = np.asarray(similarities, dtype=np.float64)
    truth = np.asarray(same, dtype=bool)
    fold = np.asarray(folds)
    if not values.shape == truth.shape == fold.shape or values.ndim != 1:
        raise ValueError(f"shapes differ: {values.shape}, {truth.shape}, {fold.shape}")
    if truth.all() or not truth.any():
        raise InputError("verification needs pairs of one person and pairs of two people")
    names = np.unique(fold)
    if len(names) < 2:
        raise InputError("verification needs pairs in at least two folds")
    unmeasured = np.isnan(values) | np.isneginf(values)
    # -inf lies below every threshold: no face found is answered "different".
    values = np.where(unmeasured, -np.inf, values)
    thresholds = np.array([_threshold(values[fold != f], truth[fold != f]) for f in names])
    right = (values >= thresholds[np.searchsorted(names, fold)]) == truth
    accuracies = np.array([right[fold == f].mean() for f in names])
    genuine, impostor = np.sort(values[truth]), np.sort(values[~truth])
    return Verification(
        accuracy=float(accuracies.mean()),
        accuracy_std=float(accuracies.std()),
        threshold=float(thresholds.mean()),
        auc=_auc(genuine, impostor),
        tar_at_far_0001=_true_accepts(genuine, impostor, FAR),
        eer=_equal_error(genuine, impostor),
        n_pairs=len(values),
        n_unmeasured=int(unmeasured.sum()),
    )


def _threshold(values: _Floats, same: NDArray[np.bool_]) -> float:
    """The finite threshold of best accuracy; midway between two values, the highest if tied."""
    known = np.isfinite(values)
    if not known.any():
        return 0.0
    points, place = np.unique(values[known], return_inverse=True)
    gain = np.bincount(place, weights=np.where(same[known], 1.0, -1.0))
    # accepted[k]: right minus wrong accepts when all from points[k] upwards is called "same".
    accepted = np.append(np.cumsum(gain[::-1])[::-1], 0.0)
    best = len(accepted) - 1 - int(np.argmax(accepted[::-1]))
    if best == 0:
        return float(points[0])
    if best == len(points):
        return float(np.nextafter(points[-1], np.inf))
    # Halved before adding, and never at the lower value itself, which must stay "different".
    middle = points[best - 1] / 2 + points[best] / 2
    return float(middle if middle > points[best - 1] else points[best])


def _auc(genuine: _Floats, impostor: _Floats) -> float:
    """Share of (same, different) couples in the right order, equal ones half; sorted inputs."""
    below = np.searchsorted(impostor, genuine, side="left")
    up_to = np.searchsorted(impostor, genuine, side="right")
    return float((below + up_to).sum() / (2 * len(genuine) * len(impostor)))


def _true_accepts(genuine: _Floats, impostor: _Floats, far: float) -> float:
    allowed = int(far * len(impostor))
    return float((genuine > impostor[-1 - allowed]).mean())


def _equal_error(genuine: _Floats, impostor: _Floats) -> float:
    """Where the false accept and the false reject rate cross, between thresholds linearly."""
    points = np.append(np.unique(np.concatenate([genuine, impostor])), np.inf)[::-1]
    far = 1 - np.searchsorted(impostor, points, side="left") / len(impostor)
    frr = np.searchsorted(genuine, points, side="left") / len(genuine)
    gap = far - frr
    after = int(np.argmax(gap >= 0))
    before = after - 1
    share = -gap[before] / (gap[after] - gap[before])
    return float(far[before] + share * (far[after] - far[before]))


def _from_csv(path: Path, lines: list[str]) -> list[tuple[str, str, bool, int]]:
    try:
        rows = list(csv.reader(lines))
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV file ({error})") from error
    header = [name.strip().lower() for name in rows[0]]
    if header not in (["a", "b", "same"], ["a", "b", "same", "fold"]):
        raise InputError(f"{path}: line 1: expected the columns a,b,same or a,b,same,fold")
    raw = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header) or row[2].strip() not in ("0", "1"):
            raise InputError(f"{path}: line {number}: expected two pictures and 0 or 1")
        if len(header) == 4 and not _is_number(row[3].strip()):
            raise InputError(f"{path}: line {number}: the fold is not a whole number")
        raw.append([cell.strip() for cell in row])
    same = [row[2] == "1" for row in raw]
    folds = [int(row[3]) for row in raw] if len(header) == 4 else _deal(same)
    return [(row[0], row[1], s, f) for row, s, f in zip(raw, same, folds, strict=True)]


def _from_txt(path: Path, lines: list[str]) -> list[tuple[str, str, bool, int]]:
    header = lines[0].split()
    if len(header) not in (1, 2) or not all(_is_number(word) for word in header):
        raise InputError(f"{path}: line 1: expected the number of folds and of pairs in each")
    n_folds = int(header[0]) if len(header) == 2 else 1
    n_each = int(header[-1])
    entries = []
    for number, line in enumerate(lines[1:], start=2):
        words = line.split()
        if not words:
            continue
        if len(words) == 3:
            names, indices = (words[0], words[0]), (words[1], words[2])
        elif len(words) == 4:
            names, indices = (words[0], words[2]), (words[1], words[3])
        else:
            raise InputError(f"{path}: line {number}: expected name n n, or name n name n")
        if not all(_is_number(index) for index in indices):
            raise InputError(f"{path}: line {number}: a picture number is not a whole number")
        a, b = (f"{n}/{n}_{int(i):04d}.jpg" for n, i in zip(names, indices, strict=True))
        entries.append((a, b, len(words) == 3))
    if len(entries) != n_folds * 2 * n_each:
        raise InputError(
            f"{path}: line 1 announces {n_folds * 2 * n_each} pairs but there are {len(entries)}"
        )
    dealt = _deal([same for _, _, same in entries])
    # Each fold is one block of the file: its same pairs, then its different ones.
    folds = dealt if n_folds == 1 else [i // (2 * n_each) for i in range(len(entries))]
    return [(a, b, same, f) for (a, b, same), f in zip(entries, folds, strict=True)]


def _deal(same: list[bool]) -> list[int]:
    """Folds of neighbouring pairs, the same and the different ones spread alike."""
    totals = {kind: same.count(kind) for kind in (True, False)}
    seen = {True: 0, False: 0}
    folds = []
    for kind in same:
        folds.append(seen[kind] * N_FOLDS // totals[kind])
        seen[kind] += 1
    return folds


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10


def _locate(path: Path, roots: list[Path], entries: list[tuple[str, str, bool, int]]) -> list[Pair]:
    found: dict[str, Path] = {}
    missing = []
    for entry in dict.fromkeys(name for a, b, _, _ in entries for name in (a, b)):
        relative = PurePosixPath(entry)
        if relative.is_absolute() or ".." in relative.parts or "\0" in entry:
            raise InputError(f"{path}: {entry!r} leaves the folder of the pictures; refused")
        places = (root / relative for root in roots)
        target = next((place for place in places if is_file(place)), None)
        if target is None:
            missing.append(entry)
        else:
            found[entry] = target
    if missing:
        raise InputError(
            f"{path}: {len(missing)} pictures are not in {roots[0]}: {listed(missing)}"
        )
    return [Pair(found[a], found[b], same, fold) for a, b, same, fold in entries]
