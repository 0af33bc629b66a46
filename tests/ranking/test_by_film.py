"""The evidence of a movie as the film ranking takes it, and what its order says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from castsearch.features.asked import Asked, asked
from castsearch.features.region import Features
from castsearch.presets import preset
from castsearch.ranking.by_film import BY_FILM, film_evidence, one_blas_thread
from castsearch.ranking.constraints import constraints, free
from castsearch.ranking.evidence import Evidence, movie_evidence
from castsearch.ranking.film import FilmEvidence
from castsearch.ranking.order import UNREADABLE, OrderSettings, People
from castsearch.ranking.twins import twins
from castsearch.types import Box, Candidate, CastMember, Face, FaceHit, Movie, Still

A, B = np.float32([1, 0]), np.float32([0, 1])
NAME = "hsv-stripes"


def asked_with(*settings: str) -> Asked:
    return asked(preset("castsearch", settings).look, all_faces=True)


def crop(vector=None, suitability: float = 0.5, **values) -> Features:
    hits = ()
    if vector is not None:
        hits = (FaceHit(Face(Box(0, 0, 9, 9), 0.8), vector, suitability),)
    return Features(hits=hits, **values)


def evidence(
    stills: str, crops: list[Features], portraits=((A,),), what: Asked | None = None
) -> Evidence:
    """Candidates of stills that a letter names each, and the face vectors of each cast member."""
    cast = tuple(CastMember(f"m_{i}", f"Cast {i}", ()) for i in range(len(portraits)))
    candidates = (Candidate(f"c{i}", Still(s, Path(f"{s}.jpg"))) for i, s in enumerate(stills))
    return movie_evidence(
        Movie("m", cast, tuple(candidates)),
        [[Features(vector=vector) for vector in vectors] for vectors in portraits],
        crops,
        None,
        what or asked_with(f"body={NAME}"),
    )


def of_stills(found: Evidence) -> tuple[FilmEvidence, list[FaceHit | None]]:
    """As the film ranking takes it, with nothing but the stills known."""
    return film_evidence(found, constraints(found.stills, found.n_cast))


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_works_in_one_thread_while_a_movie_is_ranked() -> None:
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_faces_are_compared_with_portraits() -> None:
    found = evidence("stu", [crop(A), crop(), crop(np.float32([0.6, 0.8]))], [[A], [], [A, B]])
    weighed, owned = of_stills(found)
    expected = [[1, -np.inf, 0.6], [-np.inf] * 3, [1, -np.inf, 0.8]]
    np.testing.assert_allclose(weighed.face_scores, expected, atol=1e-6)
    np.testing.assert_array_equal(weighed.faces.has_face, [True, False, True])
    np.testing.assert_array_equal(weighed.faces.vectors[1], [0, 0])
    np.testing.assert_allclose(weighed.face_quality, [0.8, 0, 0.8])
    assert [hit and hit.vector.tolist() for hit in owned][:2] == [[1, 0], None]


def test_a_face_in_two_boxes_of_a_still_has_one_owner() -> None:
    found = evidence("sst", [crop(A, 0.2), crop(A, 0.9), crop(A, 0.1)])
    weighed, _ = of_stills(found)
    np.testing.assert_array_equal(weighed.faces.has_face, [False, True, True])


def test_two_boxes_of_one_person_may_show_one_face() -> None:
    found = evidence("sst", [crop(A, 0.2), crop(A, 0.9), crop(A, 0.1)])
    facts = constraints(found.stills, 1, same=[(0, 1)])
    weighed, _ = film_evidence(found, facts)
    np.testing.assert_array_equal(weighed.faces.has_face, [True, True, True])


def test_without_any_face() -> None:
    weighed, owned = of_stills(evidence("st", [crop(), crop()]))
    assert owned == [None, None]
    assert np.isneginf(weighed.face_scores).all()


def test_a_box_given_twice_is_no_still_mate_of_itself() -> None:
    same, other = Box(0, 0, 5, 9), Box(3, 0, 8, 9)
    found = evidence("ssstss", [crop(frame=f) for f in (same, other, same, same, None, None)])
    facts = constraints(found.stills, 1, suggested=twins(found))
    # The third is the first again; the last two could not be read.
    np.testing.assert_array_equal(facts.nodes, [0, 1, 0, 2, 3, 4])
    expected = np.ones((5, 5), dtype=bool) & ~np.eye(5, dtype=bool)
    expected[2] = expected[:, 2] = False  # alone in its still
    np.testing.assert_array_equal(facts.apart.toarray(), expected)


def test_bodies_of_whole_crops_and_lower_parts() -> None:
    crops = [
        crop(A, body={NAME: A}, lower={NAME: B}),
        crop(body={NAME: B}),
        Features(problem="unreadable"),
    ]
    bodies = of_stills(evidence("stu", crops))[0].bodies
    half = np.sqrt(0.5)
    # The mean of what could be read is (1/2, 1/2).
    np.testing.assert_allclose(bodies.whole, [[half, -half], [-half, half], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(bodies.lower, [[-half, half], [0, 0], [0, 0]], atol=1e-6)
    np.testing.assert_array_equal(bodies.has_lower, [True, False, False])


def test_parts_of_a_network_count_alike() -> None:
    rng = np.random.default_rng(0)
    crops = [
        crop(
            body={
                "lite0-parts": rng.normal(size=3136).astype(np.float32),
                NAME: rng.normal(size=256).astype(np.float32),
            }
        )
        for _ in range(5)
    ]
    whole = of_stills(evidence("abcde", crops, what=asked_with()))[0].bodies.whole
    squares = [(part**2).sum(axis=1) for part in np.split(whole, np.cumsum([320, 1536, 1280]), 1)]
    np.testing.assert_allclose(squares, 0.25, atol=1e-5)


def test_without_body_encoders_all_bodies_are_nothing() -> None:
    found = evidence("st", [crop(A), crop()], what=asked_with("body="))
    assert not of_stills(found)[0].bodies.whole.any()


def test_a_body_weighs_as_much_as_its_box_has_pixels() -> None:
    crops = [crop(frame=Box(1, 2, 5, 12)), crop(frame=Box(0, 0, 3, 0)), Features(problem="torn")]
    weighed, _ = of_stills(evidence("stu", crops))
    # Where there is no area to go by, a body counts something.
    np.testing.assert_array_equal(weighed.body_weight, [40, 1, 1])


def test_a_picture_that_could_not_be_read_is_last_for_all() -> None:
    found = evidence("stu", [crop(A), Features(problem="torn"), crop(B)], [[A], [B]])
    people = People(["c0", "c1", "c2"], ["Ann", "Bob"])
    result = BY_FILM.rank(found, OrderSettings("film"), free(3, 2), people)
    assert (result.scores.argmax(axis=1) == [0, 2]).all()
    assert np.isneginf(result.scores[:, 1]).all()
    assert [row[1] for row in result.reasons] == [UNREADABLE] * 2
    assert result.reasons[0][0] == "face (1.00)"
    assert result.faces == {i: Face(Box(0, 0, 9, 9), 0.8) for i in (0, 2)}
    finite = result.scores[:, [0, 2]]
    assert ((finite > 0) & (finite < 1)).all()


def test_what_the_order_is() -> None:
    assert BY_FILM.all_faces
    assert BY_FILM.gives_probabilities
    assert BY_FILM.takes_facts
    assert not BY_FILM.needs_body


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_faces_that_are_no_numbers_are_refused(fault: float) -> None:
    from castsearch.errors import InputError

    found = evidence("st", [crop(np.float32([fault, 0])), crop(B)])
    with pytest.raises(InputError, match="NaN or infinite"):
        BY_FILM.rank(found, OrderSettings("film"), free(2, 1), People(["c0", "c1"], ["Ann"]))
