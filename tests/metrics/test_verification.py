"""The pairs protocol: files, figures by hand, and a brute-force form."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics import read_pairs, verification

NAN = float("nan")


def test_separable_pairs_score_one() -> None:
    result = verification([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 0], [0, 0, 1, 1])
    assert result.accuracy == 1.0
    assert result.accuracy_std == 0.0
    assert result.auc == 1.0
    assert result.eer == 0.0
    assert result.tar_at_far_0001 == 1.0
    # Fold 0 is judged by (0.8 + 0.2) / 2, fold 1 by (0.9 + 0.1) / 2.
    assert result.threshold == pytest.approx(0.5)
    assert (result.n_pairs, result.n_unmeasured) == (4, 0)


def test_threshold_comes_from_the_other_folds() -> None:
    # Fold 0 alone would cut at 0.35, but is judged by fold 1's 0.75: its same pair is lost.
    result = verification([0.5, 0.2, 0.9, 0.6], [1, 0, 1, 0], [0, 0, 1, 1])
    assert result.accuracy == pytest.approx(0.5)
    assert result.threshold == pytest.approx((0.75 + 0.35) / 2)


def test_rates_by_hand() -> None:
    same = [1, 1, 1, 1, 0, 0, 0, 0]
    values = [0.9, 0.8, 0.6, 0.3, 0.7, 0.4, 0.2, 0.1]
    result = verification(values, same, [0, 1] * 4)
    # Couples in the right order: 4 + 4 + 3 + 2 of 16.
    assert result.auc == pytest.approx(13 / 16)
    assert result.tar_at_far_0001 == pytest.approx(0.5)
    # From 0.6 upwards: 1 of 4 wrongly accepted, 1 of 4 wrongly refused.
    assert result.eer == pytest.approx(0.25)


def test_one_false_accept_in_a_thousand_is_allowed() -> None:
    # Of 2,000 different pairs 0 .. 1999, two may be accepted: those above 1997.
    genuine = [1996.5, 1997.5, 1998.5, 2000.5]
    values = [*genuine, *map(float, range(2000))]
    same = [True] * 4 + [False] * 2000
    result = verification(values, same, [i % 2 for i in range(2004)])
    assert result.tar_at_far_0001 == 0.75


def test_pairs_without_a_face_count_as_different() -> None:
    result = verification([0.9, 0.1, NAN, NAN], [1, 0, 1, 0], [0, 0, 1, 1])
    assert result.n_unmeasured == 2
    # Fold 0: nothing measured outside it, threshold 0: one of two right. Fold 1: "different" twice.
    assert result.accuracy == pytest.approx(0.5)
    assert math.isfinite(result.threshold)


def test_minus_infinity_means_no_face_too() -> None:
    same, folds = [1, 0, 1, 0], [0, 0, 1, 1]
    assert verification([0.9, 0.1, -math.inf, -math.inf], same, folds) == verification(
        [0.9, 0.1, NAN, NAN], same, folds
    )


def test_one_kind_or_one_fold_is_refused() -> None:
    with pytest.raises(InputError, match="pairs of two people"):
        verification([0.1, 0.2], [1, 1], [0, 1])
    with pytest.raises(InputError, match="at least two folds"):
        verification([0.1, 0.2], [1, 0], [0, 0])
    with pytest.raises(ValueError, match="shapes differ"):
        verification([0.1, 0.2], [1, 0], [0])


@st.composite
def pair_cases(draw: st.DrawFn) -> tuple[list[float], list[bool], list[int]]:
    n = draw(st.integers(4, 24))
    level = st.integers(-4, 4).map(lambda i: i / 4) | st.just(NAN)
    values = draw(st.lists(level, min_size=n, max_size=n))
    same = draw(
        st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda s: any(s) and not all(s))
    )
    folds = [i % draw(st.integers(2, 4)) for i in range(n)]
    if len(set(folds)) < 2:
        folds[0] = folds[1] + 1
    return values, same, folds


def says_same(value: float, threshold: float) -> bool:
    return not math.isnan(value) and value >= threshold


def share(answers: Iterable[bool]) -> float:
    return float(np.mean(list(answers)))


@settings(max_examples=200, deadline=None)
@given(pair_cases())
def test_equals_brute_force(case: tuple[list[float], list[bool], list[int]]) -> None:
    values, same, folds = case
    result = verification(values, same, folds)
    known = sorted({v for v in values if not math.isnan(v)})
    accuracies = []
    for fold in sorted(set(folds)):
        rest = [i for i, f in enumerate(folds) if f != fold]
        held = [i for i, f in enumerate(folds) if f == fold]
        levels = sorted({values[i] for i in rest if not math.isnan(values[i])})
        cuts = [0.0]
        if levels:
            middles = [(a + b) / 2 for a, b in itertools.pairwise(levels)]
            cuts = [levels[0], *middles, float(np.nextafter(levels[-1], np.inf))]
        # The highest of the best thresholds.
        best = max(cuts, key=lambda t: (sum(says_same(values[i], t) == same[i] for i in rest), t))
        accuracies.append(np.mean([says_same(values[i], best) == same[i] for i in held]))
    assert result.accuracy == pytest.approx(np.mean(accuracies))
    assert result.accuracy_std == pytest.approx(np.std(accuracies))

    low = [-math.inf if math.isnan(v) else v for v in values]
    genuine = [v for v, s in zip(low, same, strict=True) if s]
    impostor = [v for v, s in zip(low, same, strict=True) if not s]
    wins = [(g > i) + 0.5 * (g == i) for g in genuine for i in impostor]
    assert result.auc == pytest.approx(np.mean(wins))
    rates = [
        (share(v >= t for v in impostor), share(v >= t for v in genuine))
        for t in [*known, math.inf]
    ]
    assert result.tar_at_far_0001 == pytest.approx(max(t for f, t in rates if f <= 0.001))
    # The crossing lies between the operating points on either side of it.
    steps = sorted([*rates, (1.0, 1.0)])
    under = max(f for f, t in steps if f <= 1 - t)
    over = min(f for f, t in steps if f >= 1 - t)
    assert under - 1e-9 <= result.eer <= over + 1e-9
    assert result.n_unmeasured == sum(math.isnan(v) for v in values)


def test_lfw_mini(data_dir: Path) -> None:
    pairs = read_pairs(data_dir / "lfw-mini")
    assert len(pairs) == 1000
    assert sum(pair.same for pair in pairs) == 500
    for fold in range(10):
        kinds = [pair.same for pair in pairs if pair.fold == fold]
        assert (kinds.count(True), kinds.count(False)) == (50, 50)
    images = data_dir / "lfw-mini" / "images"
    assert read_pairs(data_dir / "lfw-mini" / "pairs.csv", images) == pairs


def official(folder: Path, text: str) -> Path:
    for name in ("Ann_Lee", "Bo"):
        for number in (1, 2, 13):
            picture = folder / "images" / name / f"{name}_{number:04d}.jpg"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.touch()
    path = folder / "pairs.txt"
    path.write_text(text)
    return path


def test_official_list(tmp_path: Path) -> None:
    text = "2\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBo\t13\nBo\t1\t2\nBo\t2\tAnn_Lee\t13\n"
    path = official(tmp_path, text)
    pairs = read_pairs(tmp_path)
    assert [(p.same, p.fold) for p in pairs] == [(True, 0), (False, 0), (True, 1), (False, 1)]
    assert pairs[1].path_a == tmp_path / "images" / "Ann_Lee" / "Ann_Lee_0001.jpg"
    assert pairs[1].path_b == tmp_path / "images" / "Bo" / "Bo_0013.jpg"
    assert read_pairs(path, tmp_path / "images") == pairs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("hello\n", "line 1: expected the number of folds"),
        ("1 1\nBo 1 2\n", "line 1 announces 2 pairs but there are 1"),
        ("1 1\nBo 1\nBo 1 2\n", "line 2: expected name n n"),
        ("1 1\nBo 1 x\nBo 1 Bo 2\n", "line 2: a picture number"),
        ("1 1\nBo 1 7\nBo 1 Bo 2\n", "1 pictures are not in"),
        ("1 1\n../images/Bo 1 2\nBo 1 Bo 2\n", "leaves the folder"),
        ("0 5\n", "names no pairs"),
        ("1 1\n" + "B" * 300 + " 1 2\nBo 1 Bo 2\n", "2 pictures are not in"),
        ("a,b,same\n", "names no pairs"),
        ("a,b\n", "line 1: expected the columns"),
        ("a,b,same\nx,y,2\n", "line 2: expected two pictures and 0 or 1"),
        ("a,b,same,fold\nx,y,1,z\n", "line 2: the fold is not"),
        ("a,b,same\n/etc/passwd,y,1\n", "leaves the folder"),
    ],
)
def test_bad_pairs_get_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = official(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_pairs(path)
    assert sentence in str(error.value)


@settings(max_examples=100, deadline=None)
@given(
    st.text()
    | st.binary()
    | st.text(alphabet="ab,01 \n\tsame.", max_size=40)
    | st.text(alphabet="/.\0a,1\n", max_size=30).map(lambda s: "a,b,same\n" + s)
)
def test_random_text_raises_input_error_alone(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random_pairs.txt"
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert all(pair.path_a.is_file() for pair in read_pairs(path))


def test_pictures_above_the_folder_of_the_list_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "outer.jpg").touch()
    (folder / "own.jpg").touch()
    (folder / "pairs.csv").write_text("a,b,same\nouter.jpg,own.jpg,1\n")
    with pytest.raises(InputError, match=r"1 pictures are not in .*inner: outer\.jpg"):
        read_pairs(folder)


def test_a_path_too_long_to_look_at_is_one_sentence() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(Path("a" * 300))


def test_folder_without_a_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither pairs\.csv nor pairs\.txt"):
        read_pairs(tmp_path)
