"""Joining candidates to persons, against the plain meaning of the facts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from castsearch.ranking.people import ALSO_TWO, TWO_LABELS, People


def test_a_chain_is_one_person_numbered_by_first_appearance() -> None:
    people = People(5, 2)
    assert people.join(4, 2) == ""
    assert people.join(1, 4) == ""
    assert people.join(1, 2) == ""
    assert people.numbered().tolist() == [0, 1, 1, 2, 1]


def test_who_is_told_apart_is_not_joined_by_a_detour() -> None:
    people = People(4, 2)
    people.tell_apart(0, 3)
    assert [people.join(0, 1), people.join(2, 3), people.join(1, 2)] == ["", "", ALSO_TWO]
    assert people.numbered().tolist() == [0, 0, 1, 1]


def test_labels_of_two_are_not_joined() -> None:
    people = People(5, 3)
    people.label(0, 1)
    people.label(1, 2)
    people.label(2, 1)
    people.deny(3, [1])
    assert people.join(0, 1) == TWO_LABELS
    assert people.join(0, 3) == TWO_LABELS
    assert people.join(3, 4) == ""
    assert people.join(0, 4) == TWO_LABELS
    assert people.join(0, 2) == ""
    assert people.numbered().tolist() == [0, 1, 0, 2, 2]


def test_a_person_who_could_be_nobody_is_two() -> None:
    people = People(2, 2)
    people.deny(0, [0])
    people.deny(1, [1])
    assert people.join(0, 1) == TWO_LABELS


Pairs = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12)


@given(
    different=Pairs,
    same=Pairs,
    labels=st.dictionaries(st.integers(0, 7), st.integers(0, 2), max_size=4),
)
def test_pairs_are_joined_one_after_the_other_where_nothing_forbids_it(
    different, same, labels
) -> None:
    people = People(8, 3)
    different = [(i, j) for i, j in different if i != j]
    for i, j in different:
        people.tell_apart(i, j)
    for i, label in labels.items():
        people.label(i, label)
    groups = [{i} for i in range(8)]
    for i, j in same:
        one = next(g for g in groups if i in g)
        two = next(g for g in groups if j in g)
        both = one | two
        is_torn = any({a, b} <= both for a, b in different)
        names = {labels[k] for k in both if k in labels}
        is_free = one is two or not (is_torn or len(names) > 1)
        assert (people.join(i, j) == "") == is_free
        if is_free and one is not two:
            groups = [g for g in groups if g is not one and g is not two] + [both]
    numbers = people.numbered()
    for i in range(8):
        for j in range(8):
            assert (numbers[i] == numbers[j]) == any({i, j} <= g for g in groups)
    first = [int(np.flatnonzero(numbers == k)[0]) for k in range(numbers.max() + 1)]
    assert first == sorted(first)
