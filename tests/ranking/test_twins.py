"""Which boxes of a still are one person given twice: by hand, and on labelled stills."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from castsearch import metrics
from castsearch.features.store import Store
from castsearch.ranking.evidence import Evidence, evidence_of
from castsearch.ranking.twins import twins
from castsearch.sources.movies import read
from castsearch.types import OTHERS, Box, MovieResult
from castsearch.verbs.stages import Plan, look, order, plan

Sides = tuple[float, float, float, float]
NOWHERE = (np.nan,) * 4


def evidence(
    boxes: list[Sides],
    faces: list[Sides | None] | list[list[tuple[Sides, float]]] | None = None,
    stills: list[int] | None = None,
    shifts: list[tuple[float, float]] | None = None,
) -> Evidence:
    """Boxes in their still, and the faces in them in pixels of their picture.

    A candidate has one face, or none, or several with how likely each is its own.
    """
    listed = faces or [None] * len(boxes)
    hits: list[tuple[int, Sides, float]] = []
    for i, one in enumerate(listed):
        several = one if isinstance(one, list) else [] if one is None else [(one, 0.5)]
        hits += [(i, box, suitability) for box, suitability in several]
    n = len(boxes)
    return Evidence(
        n_cast=1,
        portraits=np.zeros((0, 1), np.float32),
        portrait_cast=np.zeros(0, np.intp),
        hits=np.ones((len(hits), 1), np.float32),
        hit_candidate=np.array([i for i, _, _ in hits], dtype=np.intp),
        hit_boxes=np.array([(*box, 0.9) for _, box, _ in hits]).reshape(-1, 5),
        hit_suitability=np.array([suitability for _, _, suitability in hits]),
        has_body=np.zeros(n, bool),
        has_lower=np.zeros(n, bool),
        whole={},
        lower={},
        stills=np.array(stills or [0] * n, dtype=np.intp),
        boxes=np.array(boxes, dtype=float).reshape(-1, 4),
        shifts=np.array(shifts or [(0, 0)] * n, dtype=float).reshape(-1, 2),
        is_readable=np.ones(n, bool),
    )


BODY = (100, 100, 200, 400)
FACE = (130, 110, 170, 160)
ONE = {
    # 6 % of the width, 4 % of the height: 94 x 288 of 30,000 pixels are shared, 0.82 of the union.
    "shifted": ((106, 112, 206, 412), FACE),
    # A shifted box is the same box whatever is seen in it: another detector's face, or none.
    "shifted, another face": ((106, 112, 206, 412), (180, 300, 195, 320)),
    "shifted, no face": ((106, 112, 206, 412), None),
    # A tenth on each side: 1 / 1.44 of the union.
    "grown": ((90, 70, 210, 430), FACE),
    "identical": (BODY, FACE),
    # Twice the face.
    "head": ((110, 85, 190, 185), FACE),
    # Twice the box's height and width, with the person in the middle.
    "the middle of a large box": ((50, 0, 250, 600), FACE),
    # A detector's face is never the same to the pixel.
    "head, face off by some pixels": ((110, 85, 190, 185), (133, 106, 174, 162)),
}


@pytest.mark.parametrize("case", ONE)
def test_one_person_twice(case: str) -> None:
    box, face = ONE[case]
    assert twins(evidence([BODY, box], [FACE, face])) == [(0, 1)]
    assert twins(evidence([box, BODY], [face, FACE])) == [(0, 1)]


# Seen from behind: nothing but where the boxes stand tells anything.
ONE_FACELESS = {
    "grown": (90, 70, 210, 430),
    "head from behind": (125, 95, 175, 155),
}


@pytest.mark.parametrize("case", ONE_FACELESS)
def test_one_person_twice_without_a_face(case: str) -> None:
    assert twins(evidence([BODY, ONE_FACELESS[case]])) == [(0, 1)]


def test_a_copy_with_black_bars_is_one_person() -> None:
    """A crop file of 100 x 300, and it again with bars of 36 above and below."""
    boxes = [(0, 0, 100, 300), (0, -36, 100, 336)]
    faces = [(30, 10, 70, 60), (30, 46, 70, 96)]
    letterboxed = evidence(boxes, faces, shifts=[(0, 0), (0, -36)])
    assert twins(letterboxed) == [(0, 1)]


def test_faces_are_compared_where_they_stand_in_the_still() -> None:
    """The head is cut out of the body's file: only in the still are the two faces one."""
    boxes = [(0, 0, 100, 300), (10, -15, 90, 85)]
    faces = [(30, 10, 70, 60), (20, 25, 60, 75)]
    assert twins(evidence(boxes, faces, shifts=[(0, 0), (10, -15)])) == [(0, 1)]
    # Without the shift the second face lies elsewhere: another person's.
    assert twins(evidence(boxes, faces)) == []


TWO = {
    # The second box reaches over to the first person, whose face is the best that it shows.
    "side by side, one face": (
        [(100, 100, 200, 400), (150, 100, 260, 400)],
        [(155, 120, 190, 165)],
    ),
    # Boxes of two people share at most 0.71 of their union; here 0.67.
    "side by side, much shared": ([(100, 100, 200, 400), (120, 100, 220, 400)], [FACE]),
    # A child in front: within the adult's box, with the adult's face above it, out of its middle.
    "a child before an adult": (
        [(100, 100, 300, 700), (180, 350, 290, 700)],
        [(170, 120, 230, 200), (215, 370, 260, 425)],
    ),
    "a child from behind": ([(100, 100, 300, 700), (180, 350, 290, 700)], [None]),
    "a small one in a large box": (
        [(0, 0, 600, 600), (20, 300, 120, 600)],
        [(250, 40, 350, 170), (50, 310, 90, 360)],
    ),
    # The large box is of somebody seen from behind; the only face in it is the small one's, at its
    # side.
    "a small one at the side of a large box, one face": (
        [(0, 0, 600, 600), (0, 300, 80, 600)],
        [(22, 310, 58, 355)],
    ),
    "beside one another": ([(0, 0, 100, 300), (100, 0, 200, 300)], [None]),
    "two heads of one size": (
        [(0, 0, 100, 100), (30, 0, 130, 100)],
        [(20, 20, 70, 80), (60, 20, 110, 80)],
    ),
    # Somebody at the edge of a group, seen from behind.
    "a box in the corner of another": ([(0, 0, 400, 300), (5, 0, 60, 150)], [None]),
}


@pytest.mark.parametrize("case", TWO)
def test_two_people_stay_two(case: str) -> None:
    boxes, faces = TWO[case]
    both = [faces[0], faces[-1]]
    assert twins(evidence(boxes, both)) == []
    assert twins(evidence(boxes[::-1], both[::-1])) == []


def test_boxes_of_two_stills_are_not_compared() -> None:
    assert twins(evidence([BODY, BODY, BODY], [FACE] * 3, stills=[4, 1, 4])) == [(0, 2)]


def test_the_most_suitable_face_of_a_box_is_its_own() -> None:
    """The large box shows its person's face, and in its corner that of somebody behind it."""
    boxes = [(0, 0, 200, 600), (120, 0, 220, 110)]
    faces = [
        [((150, 20, 190, 70), 0.3), ((70, 20, 120, 80), 0.9)],
        [((150, 20, 190, 70), 0.8)],
    ]
    assert twins(evidence(boxes, faces)) == []
    # The same with the other face for its own: a head at the side of the body, 0.35 widths off.
    faces[0] = [((150, 20, 190, 70), 0.9), ((70, 20, 120, 80), 0.3)]
    assert twins(evidence(boxes, faces)) == [(0, 1)]


def test_a_head_between_two_bodies_is_one_of_theirs_and_joins_no_three() -> None:
    """The middle of the head lies nearer to that of the second body; the two share its face."""
    head = (150, 85, 230, 185)
    face = (170, 105, 210, 160)
    bodies = [(80, 100, 230, 500), (130, 90, 250, 490)]
    assert twins(evidence([*bodies, head], [face] * 3)) == [(1, 2)]
    assert twins(evidence([head, *bodies], [face] * 3)) == [(0, 2)]


def test_of_a_chain_the_surest_link_is_joined() -> None:
    """The first is the second, and that the third, shifted on; the first and the third are not."""
    boxes = [(0, 0, 100, 100), (8, 0, 108, 100), (17, 0, 117, 100)]
    # 92 of 108 and 91 of 109 are shared, and 83 of 117.
    assert twins(evidence(boxes)) == [(0, 1)]


def test_three_boxes_of_one_person_are_one() -> None:
    pairs = twins(evidence([BODY, (101, 100, 201, 400), (102, 101, 202, 401)], [FACE] * 3))
    assert len(pairs) == 2
    assert {i for pair in pairs for i in pair} == {0, 1, 2}
    # The surest come first: the second and third share 99 x 299 pixels, the first two 99 x 300.
    assert pairs[0] == (0, 1)


@pytest.mark.parametrize(
    "box", [NOWHERE, (100, 100, 100, 400), (200, 400, 100, 100), (100, 400, 200, 100)]
)
def test_boxes_that_are_nowhere_or_without_area_are_nobodys_twin(box: Sides) -> None:
    assert twins(evidence([BODY, box, box], [FACE] * 3)) == []


def test_no_candidates() -> None:
    assert twins(evidence([], [])) == []


# On labelled stills.


@pytest.fixture(scope="module")
def how() -> Plan:
    return plan("castsearch")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("store") / "s.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def results(data_dir: Path, how: Plan, store: Store) -> Callable[[str], list[MovieResult]]:
    """What the pictures of a set show, looked at once."""

    @cache
    def of_set(name: str) -> list[MovieResult]:
        return [look(movie, how, store) for movie in read(data_dir / name)]

    return of_set


@pytest.mark.parametrize("name", ["wider-mini", "ntu-mini"])
def test_no_two_labelled_people_are_joined(
    name: str, results: Callable[[str], list[MovieResult]]
) -> None:
    n_overlapping = 0
    for result in results(name):
        candidates = result.movie.candidates
        found = evidence_of(result.evidence)
        boxes = [Box(*box) for box in found.boxes.tolist()]
        n_overlapping += sum(
            found.stills[i] == found.stills[j] and boxes[i].intersection(boxes[j]) > 0
            for i, j in combinations(range(found.n), 2)
        )
        # Each person of these sets has one box in a still.
        assert [(candidates[i].id, candidates[j].id) for i, j in twins(found)] == []
    assert n_overlapping > 5


def shifted(box: Box, face: Box) -> Box:
    return box.shift(0.06 * box.width, 0.04 * box.height)


def grown(box: Box, face: Box) -> Box:
    dx, dy = box.width / 10, box.height / 10
    return Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy)


def head(box: Box, face: Box) -> Box:
    dx, dy = face.width / 2, face.height / 2
    return Box(face.x0 - dx, face.y0 - dy, face.x1 + dx, face.y1 + dy)


def mean_ap(result: MovieResult) -> float:
    truth = metrics.truth_of([result.movie])
    assert truth is not None
    return metrics.evaluate(truth, metrics.submission_of(result.rankings)).mAP


@pytest.mark.parametrize("double", [shifted, grown, head])
def test_a_movie_whose_named_boxes_are_all_doubled_is_ranked_as_before(
    double: Callable[[Box, Box], Box],
    how: Plan,
    store: Store,
    results: Callable[[str], list[MovieResult]],
) -> None:
    """Taken for two people, shifted boxes took the first movie from 1 to 0.776."""
    for looked_at in results("wider-mini"):
        plain = order(looked_at, how.preset)
        assert mean_ap(plain) >= 0.99
        more = []
        for candidate in plain.movie.candidates:
            face = plain.faces.get(candidate.id)
            if candidate.label != OTHERS and face is not None:
                assert candidate.box is not None
                size = plain.pictures[candidate.still.id]
                box = double(candidate.box, face.box).clip(size.width, size.height)
                more.append(replace(candidate, id=f"{candidate.id}-b", box=box))
        assert len(more) > 10
        movie = replace(plain.movie, candidates=(*plain.movie.candidates, *more))
        result = order(look(movie, how, store), how.preset)
        assert mean_ap(result) >= 0.99
