"""A movie ordered from its evidence and from facts by ids, and what is told of facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from castsearch.ranking.evidence import Evidence
from castsearch.ranking.movie import ordered
from castsearch.ranking.order import OrderSettings
from castsearch.types import (
    OTHERS,
    Box,
    Candidate,
    CastMember,
    Face,
    Facts,
    Movie,
    Problem,
    Ranking,
    Still,
)

FILM = OrderSettings("film")
ANN, BOB = "m_ann", "m_bob"
IDS = ("ann", "ann2", "bob", "back", "back2", "pillar")
FACES = {"ann": (1, 0, 0), "ann2": (0.97, 0, 0.243), "bob": (0, 1, 0)}
# "back" and "back2" show no face and are dressed alike, and like nobody who shows one.
BODIES = {
    "ann": (1, 0, 0, 0),
    "ann2": (0.98, 0.1, 0, 0),
    "bob": (0, 1, 0, 0),
    "back": (0, 0, 1, 0.02),
    "back2": (0, 0, 1, 0),
    "pillar": (0, 0, 0, 1),
}
MOVIE = Movie(
    "m",
    (CastMember(ANN, "Ann", ()), CastMember(BOB, "Bob", ())),
    tuple(Candidate(name, Still(name, Path(f"{name}.jpg"))) for name in IDS),
)


def evidence(stills: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> Evidence:
    n = len(IDS)
    with_face = [i for i, name in enumerate(IDS) if name in FACES]
    # Many bodies make the mean and spread that links are measured by.
    return Evidence(
        n_cast=2,
        portraits=np.float32([[1, 0, 0], [0, 1, 0]]),
        portrait_cast=np.array([0, 1]),
        hits=np.float32([FACES[IDS[i]] for i in with_face]),
        hit_candidate=np.array(with_face),
        hit_boxes=np.array([(i, 0, i + 9, 9, 0.9) for i in with_face], dtype=float),
        hit_suitability=np.full(len(with_face), 0.9),
        has_body=np.ones(n, bool),
        has_lower=np.zeros(n, bool),
        whole={"body": np.float32([BODIES[name] for name in IDS])},
        lower={"body": np.zeros((0, 4), np.float32)},
        stills=np.array(stills),
        boxes=np.tile([0.0, 0, 50, 90], (n, 1)),
        shifts=np.zeros((n, 2)),
        is_readable=np.ones(n, bool),
    )


def scores(facts: Facts | None = None, **changes) -> dict[str, dict[str, float]]:
    """By cast member, the probability of each candidate."""
    rankings, _, problems = ordered(MOVIE, evidence(**changes), FILM, facts)
    assert problems == ()
    return {r.query_id: dict(zip(r.candidate_ids, r.scores, strict=True)) for r in rankings}


def test_without_facts() -> None:
    rankings, faces, problems = ordered(MOVIE, evidence(), FILM)
    assert [r.query_id for r in rankings] == [ANN, BOB]
    assert set(rankings[0].candidate_ids[:2]) == {"ann", "ann2"}
    assert rankings[1].candidate_ids[0] == "bob"
    assert all(sorted(r.candidate_ids) == sorted(IDS) for r in rankings)
    assert faces == {IDS[i]: Face(Box(i, 0, i + 9, 9), 0.9) for i in (0, 1, 2)}
    assert problems == ()
    assert scores(Facts()) == scores()
    assert max(scores()[who]["back"] for who in (ANN, BOB)) < 0.5


def test_a_label_is_followed() -> None:
    before, after = scores(), scores(Facts(labels={"back": BOB}))
    assert before[BOB]["back"] < 0.5 < after[BOB]["back"]
    assert after[BOB]["back"] > 0.9
    # And what is dressed alike comes along.
    assert after[BOB]["back2"] > before[BOB]["back2"]
    assert after[BOB]["back2"] > after[BOB]["pillar"]


def test_a_label_of_nobody_is_followed() -> None:
    after = scores(Facts(labels={"ann": OTHERS}))
    assert scores()[ANN]["ann"] > 0.9
    assert max(after[who]["ann"] for who in (ANN, BOB)) < 0.1


def test_same_is_followed() -> None:
    after = scores(Facts(same=(("bob", "back"),)))
    assert after[BOB]["back"] == after[BOB]["bob"] > 0.9
    assert scores()[BOB]["back"] < 0.5


def test_denied_is_followed() -> None:
    after = scores(Facts(denied=(("ann2", ANN),)))
    assert scores()[ANN]["ann2"] > 0.9
    assert after[ANN]["ann2"] < 0.1
    assert after[ANN]["ann"] > 0.9


def test_different_is_followed() -> None:
    """Nothing tells the two backs apart, but if one is Bob, the other is not."""
    labelled = scores(Facts(labels={"back": BOB}))
    after = scores(Facts(labels={"back": BOB}, different=(("back", "back2"),)))
    assert after[BOB]["back"] > 0.9
    assert after[BOB]["back2"] < 0.1 < labelled[BOB]["back2"]


def test_reasons_say_what_a_person_said() -> None:
    facts = Facts(labels={"back": BOB}, denied=(("pillar", ANN),))
    rankings, _, _ = ordered(MOVIE, evidence(), FILM, facts)
    first, second = (dict(zip(r.candidate_ids, r.reasons, strict=True)) for r in rankings)
    assert first["back"] == second["back"] == "corrected: this is Bob"
    assert first["pillar"] == "corrected: not Ann"
    assert not second["pillar"].startswith("corrected")


def test_boxes_that_lie_in_one_another_are_one_person_unless_somebody_says_so() -> None:
    """The two backs stand in one still, in one box."""
    stills = (0, 1, 2, 3, 3, 5)
    one = scores(Facts(labels={"back": BOB}), stills=stills)
    assert one[BOB]["back2"] == one[BOB]["back"] > 0.9
    facts = Facts(labels={"back": BOB}, different=(("back", "back2"),))
    two = scores(facts, stills=stills)
    assert two[BOB]["back"] > 0.9
    assert two[BOB]["back2"] < 0.1


STRANGE = [
    (Facts(same=(("ann", "x"),)), "(1, first: x)"),
    (Facts(same=(("x", "y"),)), "(2, first: x)"),
    (Facts(different=(("x", "ann"),)), "(1, first: x)"),
    (Facts(labels={"x": ANN}), "(1, first: x)"),
    (Facts(labels={"ann": "m_cid"}), "(1, first: m_cid)"),
    (Facts(denied=(("x", ANN), ("ann", "m_cid"))), "(2, first: x)"),
    # A candidate is no cast member, nor the other way round.
    (Facts(denied=(("ann", "bob"),)), "(1, first: bob)"),
    (Facts(same=((ANN, "ann"),)), f"(1, first: {ANN})"),
]


@pytest.mark.parametrize(("facts", "told"), STRANGE)
def test_facts_that_name_what_is_not_there_are_told_and_left_aside(facts: Facts, told: str) -> None:
    rankings, _, problems = ordered(MOVIE, evidence(), FILM, facts)
    message = f"Facts about m name what is not there {told}; they are left aside."
    assert problems == (Problem("m", message),)
    assert rankings == ordered(MOVIE, evidence(), FILM)[0]


def test_the_other_facts_hold() -> None:
    facts = Facts(labels={"x": ANN, "back": BOB})
    rankings, _, problems = ordered(MOVIE, evidence(), FILM, facts)
    assert len(problems) == 1
    assert rankings == ordered(MOVIE, evidence(), FILM, Facts(labels={"back": BOB}))[0]


@pytest.mark.parametrize("fusion", ["face", "clusters"])
def test_facts_on_an_order_that_takes_none_are_told(fusion: str) -> None:
    def order(facts: Facts | None) -> tuple[tuple[Ranking, ...], tuple[Problem, ...]]:
        rankings, _, problems = ordered(MOVIE, evidence(), OrderSettings(fusion), facts)
        return rankings, problems

    plain, nothing = order(None)
    assert nothing == ()
    assert order(Facts()) == (plain, ())
    rankings, (problem,) = order(Facts(labels={"back": BOB}))
    assert rankings == plain
    assert problem == Problem(
        "m",
        f"The facts about m are not followed: the order {fusion!r} takes none; "
        "use a preset whose fusion is film.",
    )


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            Facts(same=(("ann", "bob"),), different=(("bob", "ann"),)),
            "ann and bob are said to be one person, and to be two; they are taken as two.",
        ),
        (
            Facts(labels={"back": BOB}, denied=(("back", BOB),)),
            "back is said to be Bob, and not to be; it is taken for Bob.",
        ),
        (
            Facts(labels={"back": OTHERS}, denied=(("back", OTHERS),)),
            "back is said to be nobody of the cast, and not to be; it is taken for "
            "nobody of the cast.",
        ),
        (
            Facts(same=(("ann", "bob"),), labels={"ann": ANN, "bob": BOB}),
            "ann and bob are said to be one person, but their labels are two's; taken as two.",
        ),
    ],
)
def test_a_contradiction_is_told_by_ids_and_names(facts: Facts, sentence: str) -> None:
    _, _, problems = ordered(MOVIE, evidence(), FILM, facts)
    assert problems == (Problem("m", sentence),)
