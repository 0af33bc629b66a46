"""The film ranking on movies so small that what must come out is plain, and its invariants."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.affinity import Bodies, Faces, LinkSettings
from castsearch.ranking.constraints import Constraints, constraints
from castsearch.ranking.film import OFFSET, SLOPE, FilmEvidence, FilmSettings, film
from castsearch.ranking.reasons import film_reasons

IDS = [f"c{i}" for i in range(99)]
NAMES = ["Ann", "Bob", "Cy"]
NOTHING = 1 / (1 + np.exp(-OFFSET))
"""The probability where nothing speaks for a cast member, nor for another."""


def movie(faces, looks, n_cast=2, n_background=24, seed=0):
    """Candidates of which each shows the face of a cast member (or -1: none, 9: a stranger).

    ``looks`` are numbers, equal for crops that look alike. Crops that look like nobody stand
    behind them, so that a likeness can stand out from the movie.
    """
    rng = np.random.default_rng(seed)
    n = len(faces) + n_background
    faces = np.array([*faces, *[-1] * n_background])
    people = np.eye(10, dtype=np.float32)
    vectors = np.where(faces[:, None] >= 0, people[faces], np.float32(0))
    scores = np.where(faces[None] >= 0, people[:n_cast] @ vectors.T, -np.inf)
    centres = rng.normal(size=(len(faces), 64))
    bodies = np.array([*looks, *range(50, 50 + n_background)])
    _, index = np.unique(bodies, return_inverse=True)
    whole = centres[index] + 0.05 * rng.normal(size=(n, 64))
    whole = (whole / np.linalg.norm(whole, axis=1, keepdims=True)).astype(np.float32)
    return FilmEvidence(
        face_scores=scores.astype(np.float64),
        faces=Faces(vectors, faces >= 0),
        face_quality=np.where(faces >= 0, 0.95, 0.0),
        bodies=Bodies(whole, whole * 0, np.zeros(n, dtype=bool)),
    )


def facts_of(evidence, stills=(), **facts) -> Constraints:
    """Facts of a movie; candidates whose still is not said stand alone."""
    n_cast, n = evidence.face_scores.shape
    return constraints([*stills, *range(100, 100 + n - len(stills))], n_cast, **facts)


def reasons(evidence, beliefs, n_cast=2, facts=None):
    n = evidence.face_scores.shape[1]
    return film_reasons(beliefs, evidence, IDS[:n], NAMES[:n_cast], facts)


def test_a_sure_face_gets_its_cast_and_says_so() -> None:
    evidence = movie([0, 1], [0, 1])
    beliefs = film(evidence)
    scores = beliefs.probabilities
    assert scores[0].argmax() == 0
    assert scores[1].argmax() == 1
    assert scores[0, 0] > 0.99
    assert scores[0, 1] < 0.01
    words = reasons(evidence, beliefs)
    assert words[0][0] == "face (1.00)"
    assert words[1][0] == "rather Ann"


def test_a_back_goes_to_the_cast_whose_clothes_it_wears() -> None:
    evidence = movie([0, 1, -1, -1], [0, 1, 0, 1])
    beliefs = film(evidence)
    assert beliefs.final[2].argmax() == 0
    assert beliefs.final[3].argmax() == 1
    assert list(np.argsort(-beliefs.probabilities[0])[:2]) == [0, 2]
    words = reasons(evidence, beliefs)
    assert words[0][2] == "looks like c0"
    assert words[1][2] == "rather Ann"


def test_a_likeness_reaches_over_a_third_crop() -> None:
    # Nobody's body: the chain 0 - 2 - 3 has one look, and 3 no face near it.
    beliefs = film(movie([0, 1, -1, -1], [0, 1, 0, 0])).final
    assert beliefs[3].argmax() == 0


def test_a_face_of_a_still_mate_takes_the_cast_away() -> None:
    # 2 and 3 look like Ann; beside 3, in one still, stands Ann with her face.
    faces, looks, stills = [0, 1, -1, -1, 0], [0, 1, 0, 0, 7], [0, 1, 2, 3, 3]
    evidence = movie(faces, looks)
    facts = facts_of(evidence, stills)
    beliefs = film(evidence, facts=facts)
    assert beliefs.beliefs[3].argmax() == 0  # before
    assert beliefs.final[3].argmax() == 2  # after: others
    assert beliefs.final[2].argmax() == 0
    words = reasons(evidence, beliefs, facts=facts)
    assert words[0][3] == "a still-mate (c4) is likelier"
    free = film(evidence, FilmSettings(exclusive=False), facts)
    np.testing.assert_array_equal(free.final, free.beliefs)
    assert free.final[3].argmax() == 0


def test_a_still_mate_who_is_someone_else_makes_it_likelier() -> None:
    # 2 wears what Ann and Bob wore both, and stands beside Bob.
    evidence = movie([0, 1, -1, 1], [0, 0, 0, 8])
    facts = facts_of(evidence, [0, 1, 2, 2])
    beliefs = film(evidence, facts=facts)
    before, after = beliefs.beliefs[2], beliefs.final[2]
    assert after[0] > before[0] + 0.3
    assert after[1] < before[1] - 0.3
    assert "its still-mates are others" in reasons(evidence, beliefs, facts=facts)[0][2]


def test_nothing_speaks_for_what_is_like_nothing() -> None:
    evidence = movie([0, 1, -1], [0, 1, 2])
    unlinked = film(evidence, FilmSettings(links=LinkSettings(neighbours=0)))
    np.testing.assert_allclose(unlinked.final[2], [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(unlinked.probabilities[:, 2], NOTHING, atol=1e-9)
    assert reasons(evidence, unlinked)[0][2] == "nothing speaks for anyone asked for"
    # What is a little like all is nobody's too, only less surely.
    weakly = film(evidence)
    assert weakly.final[2].argmax() == 2
    assert reasons(evidence, weakly)[0][2].endswith("but rather nobody asked for")


def test_a_stranger_and_who_looks_like_it_are_others() -> None:
    evidence = movie([0, 1, 9, -1], [0, 1, 2, 2])
    beliefs = film(evidence)
    assert beliefs.final[2:4].argmax(axis=1).tolist() == [2, 2]
    assert (beliefs.final[2:4, 2] > 0.8).all()
    unlinked = film(evidence, FilmSettings(links=LinkSettings(neighbours=0)))
    assert reasons(evidence, unlinked)[0][2] == "a face unlike every portrait"


def test_a_doubtful_detection_says_little() -> None:
    evidence = movie([0, 1, -1], [0, 1, 2])
    quality = evidence.face_quality.copy()
    quality[0] = 0.3
    doubtful = film(dataclasses.replace(evidence, face_quality=quality))
    assert doubtful.seeds[0, 0] < 0.001 < 0.9 < film(evidence).seeds[0, 0]


def test_seeds_by_hand() -> None:
    # Cosines 0.42 and 0.32 against others at 0.32, T = 0.05: weights e^2, 1 and 1.
    evidence = movie([0], [0])
    scores = evidence.face_scores.copy()
    scores[:, 0] = 0.42, 0.32
    quality = evidence.face_quality.copy()
    quality[0] = 0.75
    evidence = dataclasses.replace(evidence, face_scores=scores, face_quality=quality)
    total = np.exp(2) + 2
    half = 0.5 * np.array([np.exp(2), 1, 0.3]) / total
    seeds = film(evidence).seeds
    np.testing.assert_allclose(seeds[0], half, atol=1e-9)
    assert not seeds[1:].any()


def test_scores_are_calibrated_beliefs_that_competed_by_hand() -> None:
    evidence = movie([0, 1, -1], [0, 1, 0])
    beliefs = film(evidence, FilmSettings(competition=0.5))
    first, second = beliefs.final[2, 0], beliefs.final[2, 1]
    lost = second - 0.5 * (first - second)
    expected = [1 / (1 + np.exp(-(SLOPE * x + OFFSET))) for x in (first, lost)]
    np.testing.assert_allclose(beliefs.probabilities[:, 2], expected, atol=1e-9)


def test_a_cast_without_a_portrait_ranks_what_nobody_else_claims_first() -> None:
    evidence = movie([0, 1, -1], [0, 1, 0])
    scores = evidence.face_scores.copy()
    scores[1] = -np.inf
    probabilities = film(dataclasses.replace(evidence, face_scores=scores)).probabilities
    assert probabilities[1].argsort()[:2].tolist() == [0, 2]
    assert np.isfinite(probabilities).all()


def test_without_any_face_all_is_equally_unlikely() -> None:
    beliefs = film(movie([-1, -1], [0, 0]))
    np.testing.assert_allclose(beliefs.probabilities, NOTHING, atol=1e-9)


@pytest.mark.parametrize("n_cast", [1, 2, 30])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_any_number_of_candidates_and_cast(n: int, n_cast: int) -> None:
    rng = np.random.default_rng(n)
    whole = np.eye(n, 4, dtype=np.float32)
    evidence = FilmEvidence(
        rng.uniform(-1, 1, size=(n_cast, n)),
        Faces(whole, np.ones(n, dtype=bool)),
        np.full(n, 0.9),
        Bodies(whole, whole, np.ones(n, dtype=bool)),
    )
    beliefs = film(evidence, facts=facts_of(evidence, [0] * n))
    assert beliefs.probabilities.shape == (n_cast, n)
    assert np.isfinite(beliefs.probabilities).all()
    assert beliefs.final.shape == (n, n_cast + 1)


def random_movie(
    seed: int, n: int, n_cast: int = 3, n_stills: int | None = None
) -> tuple[FilmEvidence, np.ndarray]:
    """Evidence and stills of a movie of ``n_cast`` people and two others."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(n_cast + 2, 16))
    who = rng.integers(n_cast + 2, size=n)

    def around(noise: float) -> np.ndarray:
        rows = people[who] + noise * rng.normal(size=(n, 16))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    has_face = rng.random(n) < 0.6
    vectors = np.where(has_face[:, None], around(0.5), np.float32(0))
    portraits = people[:n_cast] / np.linalg.norm(people[:n_cast], axis=1, keepdims=True)
    evidence = FilmEvidence(
        np.where(has_face, portraits @ vectors.T, -np.inf),
        Faces(vectors, has_face),
        np.where(has_face, rng.uniform(0.5, 1, size=n), 0),
        Bodies(around(0.5), np.where(has_face[:, None], around(0.6), np.float32(0)), has_face),
    )
    return evidence, rng.integers(n_stills or n, size=n)


def picked(evidence: FilmEvidence, order) -> FilmEvidence:
    """The candidates in another order, or some of them twice."""
    return FilmEvidence(
        evidence.face_scores[:, order],
        Faces(evidence.faces.vectors[order], evidence.faces.has_face[order]),
        evidence.face_quality[order],
        Bodies(
            evidence.bodies.whole[order],
            evidence.bodies.lower[order],
            evidence.bodies.has_lower[order],
        ),
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_beliefs_are_shares_and_scores_probabilities(seed: int, n: int) -> None:
    evidence, stills = random_movie(seed, n)
    facts = facts_of(evidence, stills)
    beliefs = film(evidence, facts=facts)
    for values in (beliefs.beliefs, beliefs.final):
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-9)
        assert (values >= 0).all()
    assert ((beliefs.probabilities > 0) & (beliefs.probabilities < 1)).all()
    words = reasons(evidence, beliefs, 3, facts)
    assert [len(row) for row in words] == [n] * 3
    assert all(word for row in words for word in row)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 60))
def test_the_order_of_the_candidates_does_not_matter(seed: int, n: int) -> None:
    evidence, stills = random_movie(seed, n)
    order = np.random.default_rng(seed + 1).permutation(n)
    shuffled = film(picked(evidence, order), facts=facts_of(evidence, stills[order])).probabilities
    expected = film(evidence, facts=facts_of(evidence, stills)).probabilities[:, order]
    np.testing.assert_allclose(shuffled, expected, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 19))
def test_a_picture_given_twice_is_believed_the_same(seed: int, n: int) -> None:
    # In fewer candidates than a crop has neighbours both have the same links.
    evidence, stills = random_movie(seed, n)
    order = [*range(n), 0]
    doubled = picked(evidence, order)
    twice = film(doubled, facts=facts_of(doubled, stills[order]))
    np.testing.assert_allclose(twice.beliefs[-1], twice.beliefs[0], atol=1e-4)
    np.testing.assert_allclose(twice.final[-1], twice.final[0], atol=1e-3)


def test_no_doubt_leaves_no_nan() -> None:
    beliefs = film(movie([-1, -1], [0, 1]), FilmSettings(doubt=0.0))
    np.testing.assert_array_equal(beliefs.final, [[0, 0, 1]] * 26)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(value) -> None:
    evidence = movie([0, 1], [0, 1])
    scores = evidence.face_scores.copy()
    scores[0, 0] = value
    with pytest.raises(InputError, match="face vectors hold NaN"):
        film(dataclasses.replace(evidence, face_scores=scores))
    vectors = evidence.faces.vectors.copy()
    vectors[0, 0] = value
    with pytest.raises(InputError, match="face vectors hold NaN"):
        film(dataclasses.replace(evidence, faces=Faces(vectors, evidence.faces.has_face)))


def test_evidence_that_does_not_fit_is_refused() -> None:
    evidence = movie([0, 1], [0, 1])
    with pytest.raises(InputError, match="26 candidates have face scores"):
        film(dataclasses.replace(evidence, face_quality=evidence.face_quality[:-1]))
    with pytest.raises(InputError, match="26 candidates have face scores"):
        film(evidence, facts=constraints(range(25), 2))
    with pytest.raises(InputError, match="facts for a cast of 3"):
        film(evidence, facts=constraints(range(26), 3))
    with pytest.raises(InputError, match="no cast member"):
        film(dataclasses.replace(evidence, face_scores=evidence.face_scores[:0]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 7),
    n_stills=st.integers(1, 7),
    labels=st.dictionaries(st.integers(0, 6), st.integers(0, 2), max_size=3),
    denied=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 1)), max_size=4),
)
def test_with_and_without_facts_it_is_its_literal_form(
    film_loop, seed, n, n_stills, labels, denied
) -> None:
    evidence, stills = random_movie(seed, n, 2, n_stills)
    labels = {i: label for i, label in labels.items() if i < n}
    denied = {(i, label) for i, label in denied if i < n and i not in labels}
    facts = facts_of(evidence, stills, labels=labels, denied=denied)
    chosen = FilmSettings(links=LinkSettings(neighbours=3, link_at=0.5), adapt=0.0)
    apart = facts.apart.toarray()
    # One pair alone that may be linked has no spread but that of its last bits.
    assume((~apart).sum() - n != 2)
    got = film(evidence, chosen, facts)
    expected = film_loop(evidence, chosen, apart, labels, denied, (SLOPE, OFFSET))
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(got, name), values, atol=1e-4, err_msg=name)


def test_a_label_is_certain_and_spreads_to_who_looks_like_it() -> None:
    # No face anywhere: 0 and 2 look alike, 1 and 3 do. Somebody says who 0 and 1 are.
    evidence = movie([-1] * 4, [0, 1, 0, 1])
    facts = facts_of(evidence, labels={0: 0, 1: 2})
    beliefs = film(evidence, facts=facts)
    np.testing.assert_array_equal(beliefs.probabilities[:, 0], [1, 0])
    np.testing.assert_array_equal(beliefs.probabilities[:, 1], [0, 0])
    np.testing.assert_array_equal(beliefs.final[:2], [[1, 0, 0], [0, 0, 1]])
    assert beliefs.final[2, 0] > 0.8
    assert beliefs.final[3, 2] > 0.95
    words = reasons(evidence, beliefs, facts=facts)
    assert words[0][0] == words[1][0] == "corrected: this is Ann"
    assert words[0][2] == "looks like c0"
    assert words[0][1] == "corrected: this is nobody asked for"


def test_a_label_outweighs_the_own_face() -> None:
    evidence = movie([0, -1], [0, 0])
    wrong = film(evidence).final
    assert wrong[:2, 0].min() > 0.8
    right = film(evidence, facts=facts_of(evidence, labels={0: 1}))
    np.testing.assert_array_equal(right.probabilities[:, 0], [0, 1])
    assert right.final[1, 1] > 0.8


def test_nobody_said_by_hand_speaks_louder_than_a_strange_face() -> None:
    # 3 wears what Ann wears and what a stranger wears.
    evidence = movie([0, 9, 1, -1], [0, 0, 1, 0])
    face_only = film(evidence).final[3]
    said = film(evidence, facts=facts_of(evidence, labels={1: 2})).final[3]
    assert said[2] > face_only[2] + 0.1


def test_what_somebody_is_not_is_nowhere_and_passed_on_to_nobody() -> None:
    # The chain 0 - 1 - 2 has one look; the face of 0 is Ann's, and it is not she.
    evidence = movie([0, -1, -1], [0, 0, 0])
    facts = facts_of(evidence, denied=[(0, 0)])
    beliefs = film(evidence, facts=facts)
    assert beliefs.probabilities[0, 0] == 0
    assert beliefs.seeds[0, 0] == 0
    assert beliefs.final[0, 0] == 0
    np.testing.assert_allclose(beliefs.final.sum(axis=1), 1)
    assert (beliefs.final[1:3, 0] < 1e-9).all()
    assert film(evidence).final[1, 0] > 0.8
    assert reasons(evidence, beliefs, facts=facts)[0][0] == "corrected: not Ann"


def test_who_is_not_nobody_is_somebody_of_the_cast() -> None:
    # A face of a stranger, a little like Bob's; and a back that is like nothing.
    evidence = movie([9, -1], [0, 1])
    scores = evidence.face_scores.copy()
    scores[:, 0] = 0.05, 0.15
    evidence = dataclasses.replace(evidence, face_scores=scores)
    facts = facts_of(evidence, denied=[(0, 2), (1, 2)])
    chosen = FilmSettings(links=LinkSettings(neighbours=0))
    final = film(evidence, chosen, facts).final
    # Softmax of cosines 0.1 apart at temperature 0.05: e^2 times likelier.
    np.testing.assert_allclose(final[0, :2], [1 / (1 + np.e**2), np.e**2 / (1 + np.e**2)])
    np.testing.assert_allclose(final[1], [0.5, 0.5, 0])


def test_beside_who_is_labelled_nobody_else_is_that() -> None:
    # Two boxes of Ann's look in one still, both with a face like hers; the second is she.
    evidence = movie([0, 0], [0, 0])
    facts = facts_of(evidence, [0, 0], labels={1: 0})
    beliefs = film(evidence, facts=facts)
    np.testing.assert_array_equal(beliefs.probabilities[0, :2], [0, 1])
    assert reasons(evidence, beliefs, facts=facts)[0][0] == "corrected: Ann is c1"
    # Told apart by hand they may stand anywhere.
    far = facts_of(evidence, [0, 1], labels={1: 0}, different=[(0, 1)])
    np.testing.assert_array_equal(film(evidence, facts=far).probabilities[0, :2], [0, 1])


def test_labels_teach_what_tells_people_apart() -> None:
    evidence = movie([-1] * 20, [*range(20)])
    plain = film(evidence, FilmSettings(adapt=0.0))
    np.testing.assert_array_equal(film(evidence).links.toarray(), plain.links.toarray())
    facts = facts_of(evidence, labels={i: i % 2 for i in range(20)})
    taught = film(evidence, facts=facts)
    assert np.abs(taught.links.toarray() - plain.links.toarray()).max() > 0.01


def test_a_box_given_twice_is_one_person_and_takes_nothing_from_itself() -> None:
    faces, looks = [0, 1, -1, -1], [0, 1, 0, 1]
    once = movie(faces, looks)
    n = once.face_scores.shape[1]
    order = [*range(n), 0, 2]
    stills = np.array([*range(n), 0, 2])
    twice = picked(once, order)
    torn = film(twice, facts=constraints(stills, 2))
    joined = film(twice, facts=constraints(stills, 2, suggested=[(0, n), (2, n + 1)]))
    # Taken for two people, one of two equal boxes has to be somebody else.
    assert torn.final[[0, n], 0].sum() <= 1
    alone = film(once)
    np.testing.assert_allclose(joined.probabilities, alone.probabilities[:, order], atol=1e-6)
    np.testing.assert_array_equal(joined.final[n], joined.final[0])
    assert joined.links.shape == (n, n)


def test_a_head_and_its_body_are_one_person() -> None:
    # 0 is a body without a face, 1 its head: like nothing, but with Ann's face; 2 wears the same.
    evidence = movie([-1, 0, -1], [0, 1, 0])
    facts = facts_of(evidence, [0, 0, 1], suggested=[(0, 1)])
    area = np.where(np.arange(27) == 1, 1.0, 9.0)
    beliefs = film(dataclasses.replace(evidence, body_weight=area), facts=facts)
    assert beliefs.final[:3, 0].min() > 0.8
    words = reasons(evidence, beliefs, facts=facts)
    assert words[0][:3] == ["face (1.00) of c1", "face (1.00)", "looks like c0"]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 30),
    data=st.data(),
)
def test_any_facts_hold_in_what_comes_out(seed, n, data) -> None:
    evidence, stills = random_movie(seed, n)
    one, label = st.integers(0, n - 1), st.integers(0, 3)
    pairs = st.lists(st.tuples(one, one), max_size=5)
    facts = constraints(
        stills,
        3,
        same=data.draw(pairs),
        suggested=data.draw(pairs),
        different=data.draw(pairs),
        labels=data.draw(st.dictionaries(one, label, max_size=4)),
        denied=data.draw(st.lists(st.tuples(one, label), max_size=6)),
    )
    beliefs = film(evidence, facts=facts)
    for values in (beliefs.beliefs, beliefs.final):
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-9)
    known = facts.given[facts.nodes]
    for i in range(n):
        if known[i] >= 0:
            np.testing.assert_array_equal(beliefs.final[i], np.eye(4)[known[i]])
            np.testing.assert_array_equal(beliefs.probabilities[:, i], np.eye(4)[known[i]][:3])
        denied = facts.denied[facts.nodes[i]]
        assert known[i] >= 0 or not beliefs.final[i, denied].any()
        assert known[i] >= 0 or not beliefs.probabilities[denied[:3], i].any()
        mates = np.flatnonzero(facts.nodes == facts.nodes[i])
        np.testing.assert_array_equal(beliefs.final[mates], beliefs.final[[i] * len(mates)])
    words = reasons(evidence, beliefs, 3, facts)
    assert all(word for row in words for word in row)
