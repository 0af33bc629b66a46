"""Facts as arrays: small movies worked out by hand, and what must hold of any facts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.ranking.constraints import constraints, free

IDS, NAMES = ["a", "b", "c", "d", "e"], ["Ann", "Bob"]
ANN, BOB, NOBODY = 0, 1, 2


def pairs(facts) -> set[tuple[int, int]]:
    """Nodes that are two people, each pair once; the graph is checked to be one."""
    dense = facts.apart.toarray()
    assert dense.dtype == bool
    np.testing.assert_array_equal(dense, dense.T)
    assert not dense.diagonal().any()
    return {(int(i), int(j)) for i, j in np.argwhere(dense) if i < j}


def said(facts) -> list[str]:
    return list(facts.sentences(IDS, NAMES))


@given(st.lists(st.integers(0, 5), max_size=20))
def test_boxes_of_a_still_are_two_people(stills) -> None:
    facts = constraints(stills, 2)
    n = len(stills)
    assert facts.nodes.tolist() == list(range(n))
    expected = {(i, j) for j in range(n) for i in range(j) if stills[i] == stills[j]}
    assert pairs(facts) == expected
    assert not facts.certain.any()
    assert not facts.impossible.any()
    assert facts.contradictions == ()


def test_nothing_is_known_of_free_candidates() -> None:
    assert pairs(free(4, 2)) == set()
    assert free(4, 2).impossible.shape == (4, 3)


def test_the_same_person_stands_in_its_still_once() -> None:
    # a and c are one, in one still with b; e stands beside d alone.
    facts = constraints([0, 0, 0, 1, 1], 2, same=[(0, 2)])
    assert facts.nodes.tolist() == [0, 1, 0, 2, 3]
    assert facts.first.tolist() == [0, 1, 3, 4]
    assert pairs(facts) == {(0, 1), (2, 3)}


def test_a_person_of_several_stills_is_apart_from_all_in_them() -> None:
    # A track: a, c, e are one; A meets b, A meets d, and b never meets d.
    facts = constraints([0, 0, 1, 1, 2], 2, same=[(0, 2), (2, 4)])
    assert facts.nodes.tolist() == [0, 1, 0, 2, 0]
    assert pairs(facts) == {(0, 1), (0, 2)}


def test_different_people_are_apart_wherever_they_stand() -> None:
    facts = constraints([0, 1, 2], 2, different=[(2, 0), (0, 2)])
    assert pairs(facts) == {(0, 2)}


def test_who_is_told_apart_stays_two_and_it_is_said() -> None:
    facts = constraints([0, 1, 2], 2, same=[(0, 1), (1, 2)], different=[(0, 2)])
    assert facts.nodes.tolist() == [0, 0, 1]
    assert pairs(facts) == {(0, 1)}
    assert said(facts) == [
        "b and c are said to be one person, and to be two; they are taken as two"
    ]


def test_what_boxes_suggest_gives_way_in_silence() -> None:
    facts = constraints([0, 0], 2, suggested=[(0, 1)])
    assert facts.nodes.tolist() == [0, 0]
    facts = constraints([0, 0], 2, suggested=[(0, 1)], different=[(0, 1)])
    assert facts.nodes.tolist() == [0, 1]
    assert facts.contradictions == ()
    facts = constraints([0, 0], 2, suggested=[(0, 1)], labels={0: ANN, 1: BOB})
    assert facts.nodes.tolist() == [0, 1]
    assert facts.given.tolist() == [ANN, BOB]
    assert facts.contradictions == ()


def test_what_somebody_said_is_joined_before_what_boxes_suggest() -> None:
    facts = constraints([0, 0, 0], 2, suggested=[(0, 1)], same=[(1, 2)], different=[(0, 2)])
    assert facts.nodes.tolist() == [0, 1, 1]
    assert facts.contradictions == ()


def test_a_label_is_that_of_the_whole_person() -> None:
    facts = constraints([0, 0, 1], 2, suggested=[(0, 1)], labels={1: BOB}, denied=[(2, ANN)])
    assert facts.given.tolist() == [BOB, -1]
    assert facts.certain.tolist() == [True, False]
    assert facts.denied.tolist() == [[False] * 3, [True, False, False]]


def test_labels_that_do_not_fit_a_join_are_said() -> None:
    facts = constraints([0, 1], 2, same=[(0, 1)], labels={0: ANN, 1: NOBODY})
    assert facts.given.tolist() == [ANN, NOBODY]
    assert said(facts) == [
        "a and b are said to be one person, but their labels are two's; taken as two"
    ]


def test_a_label_outweighs_its_denial() -> None:
    facts = constraints([0], 2, labels={0: NOBODY}, denied=[(0, NOBODY), (0, NOBODY)])
    assert facts.given.tolist() == [NOBODY]
    assert not facts.denied.any()
    assert said(facts) == [
        "a is said to be nobody of the cast, and not to be; it is taken for nobody of the cast"
    ]


def test_who_is_denied_everything_is_denied_nothing() -> None:
    facts = constraints([0, 1], 2, denied=[(1, c) for c in (0, 1, 2)])
    assert not facts.denied.any()
    assert said(facts) == ["b is said to be none of the cast, and not nobody; that is left aside"]


def test_two_boxes_of_a_still_that_have_one_name_are_no_strangers() -> None:
    facts = constraints([0, 0, 0], 2, labels={0: ANN, 1: ANN})
    assert pairs(facts) == {(0, 2), (1, 2)}
    assert facts.contradictions == ()
    # Nobody of the cast are many.
    assert pairs(constraints([0, 0], 2, labels={0: NOBODY, 1: NOBODY})) == {(0, 1)}


def test_two_people_of_one_name_are_said() -> None:
    facts = constraints([0, 1], 2, labels={0: ANN, 1: ANN}, different=[(0, 1)])
    assert pairs(facts) == {(0, 1)}
    assert said(facts) == [
        "a and b are said to be two people, and both Ann; both are taken for Ann"
    ]


def test_nobody_is_another_than_itself() -> None:
    facts = constraints([0, 1], 2, different=[(1, 1)])
    assert pairs(facts) == set()
    assert said(facts) == ["b is said not to be the same person as itself; that is left aside"]


def test_what_is_impossible_by_all_facts() -> None:
    # a is Ann, beside b and c; c is not Bob; d is nobody, beside e.
    facts = constraints([0, 0, 0, 1, 1], 2, labels={0: ANN, 3: NOBODY}, denied=[(2, BOB)])
    expected = [[0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(facts.impossible, np.array(expected, dtype=bool))
    np.testing.assert_array_equal(facts.taken[:, ANN], [False, True, True, False, False])
    # What is known is settled: c and b are left to each other, e alone.
    undecided = facts.undecided.toarray()
    assert {(int(i), int(j)) for i, j in np.argwhere(undecided) if i < j} == {(1, 2)}


def test_where_nothing_is_possible_only_what_is_said_of_it_counts() -> None:
    # b stands beside Ann and Bob, and is said not to be nobody.
    facts = constraints([0, 0, 0], 2, labels={0: ANN, 2: BOB}, denied=[(1, NOBODY)])
    assert facts.impossible[1].tolist() == [False, False, True]


@pytest.mark.parametrize(
    "facts",
    [
        {"same": [(0, 3)]},
        {"suggested": [(-1, 0)]},
        {"different": [(0, 9)]},
        {"labels": {3: 0}},
        {"labels": {0: 3}},
        {"labels": {0: -1}},
        {"denied": [(0, 3)]},
    ],
)
def test_a_fact_about_nobody_is_refused(facts) -> None:
    with pytest.raises(InputError, match="a fact names number"):
        constraints([0, 1, 2], 2, **facts)


Pairs = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8)


@given(
    stills=st.lists(st.integers(0, 3), min_size=8, max_size=8),
    same=Pairs,
    suggested=Pairs,
    different=Pairs,
    labels=st.dictionaries(st.integers(0, 7), st.integers(0, 2), max_size=4),
    denied=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), max_size=8),
)
def test_no_facts_contradict_each_other_in_the_arrays(
    stills, same, suggested, different, labels, denied
) -> None:
    facts = constraints(
        stills,
        2,
        same=same,
        suggested=suggested,
        different=different,
        labels=labels,
        denied=denied,
    )
    apart = pairs(facts)
    for i, label in labels.items():
        assert facts.given[facts.nodes[i]] == label
    assert not facts.impossible.all(axis=1).any()
    for i, j in different:
        if i != j:
            one, two = sorted((int(facts.nodes[i]), int(facts.nodes[j])))
            assert (one, two) in apart
    for i in range(8):
        for j in range(i):
            one, two = sorted((int(facts.nodes[i]), int(facts.nodes[j])))
            names = facts.given[[one, two]]
            if stills[i] == stills[j] and one != two and not 0 <= names[0] == names[1] < 2:
                assert (one, two) in apart
    names = [f"c{i}" for i in range(8)]
    assert all("{" not in sentence for sentence in facts.sentences(names, NAMES))
