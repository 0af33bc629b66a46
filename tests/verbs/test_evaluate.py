"""One verb scores by files, by what is in memory, and by the protocols of public benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.types import OTHERS, Candidate, CastMember, Movie, Ranking, Still
from castsearch.verbs.evaluate import evaluate

STILL = Still("s", Path("s.jpg"))
MOVIE = Movie(
    "m",
    (CastMember("m_a", "A", (STILL,)), CastMember("m_b", "B", (STILL,))),
    tuple(Candidate(f"m_{i}", STILL, label=who) for i, who in enumerate(["m_a", OTHERS, "m_b"])),
)
RANKINGS = (Ranking("m_a", ("m_0", "m_1", "m_2")), Ranking("m_b", ("m_0", "m_2", "m_1")))
# a is first, b is second: (1 + 1/2) / 2.
EXPECTED = 0.75


def test_movies_and_rankings_in_memory() -> None:
    result = evaluate([MOVIE], RANKINGS)
    assert result.mAP == EXPECTED
    assert (result.rank1, result.rank5) == (0.5, 1.0)


@pytest.mark.parametrize("kind", [str, Path])
def test_files_by_path_or_name(kind: type, tmp_path: Path) -> None:
    (tmp_path / "GT.json").write_text('{"m_a": ["m_0"], "m_b": ["m_2"]}')
    lines = [f"{r.query_id},{' '.join(r.candidate_ids)}\n" for r in RANKINGS]
    (tmp_path / "r.csv").write_text("".join(["Id,Rank\n", *lines]))
    truth, ranking = kind(tmp_path / "GT.json"), kind(tmp_path / "r.csv")
    assert evaluate(truth, ranking).mAP == EXPECTED
    assert evaluate(truth, RANKINGS).mAP == EXPECTED
    assert evaluate([MOVIE], ranking).mAP == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([MOVIE],), {}, "RANKING is missing"),
        ((["x"], RANKINGS), {"protocol": "lfw"}, "for the protocol cast alone, not for lfw"),
        (([MOVIE],), {"protocol": "lfw"}, "needs a folder or a file"),
        (("set",), {"protocol": "market1501"}, "needs --model"),
        (("set",), {"protocol": "nope"}, "There is no protocol 'nope'"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, options, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        evaluate(*arguments, **options)


def test_movies_without_labels_have_no_score() -> None:
    unlabelled = Movie("m", MOVIE.cast, (Candidate("m_0", STILL),))
    with pytest.raises(InputError, match="No candidate of these movies is labelled"):
        evaluate([unlabelled], RANKINGS)


def test_the_protocol_of_market1501(data_dir: Path, tmp_path: Path) -> None:
    score = evaluate(
        data_dir / "reid-pku",
        protocol="market1501",
        model="hsv-stripes",
        runtime=Runtime(store=tmp_path / "s.sqlite"),
    )
    assert score.problems == ()
    assert score.market.n_queries == 96
    assert 0.35 < score.market.mAP < 0.5


def test_the_protocol_of_lfw(data_dir: Path, tmp_path: Path) -> None:
    figures = evaluate(
        data_dir / "lfw-mini",
        protocol="lfw",
        preset="face",
        runtime=Runtime(store=tmp_path / "s.sqlite"),
    )
    assert figures.accuracy > 0.95
