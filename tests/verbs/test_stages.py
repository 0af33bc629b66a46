"""The stages for one movie: what is planned, looked at and ordered, on two photographs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castsearch.errors import InputError
from castsearch.features.store import Store
from castsearch.outputs import RunFolder, read_run
from castsearch.presets import preset
from castsearch.ranking.evidence import evidence_of
from castsearch.runtime.settings import Runtime
from castsearch.types import (
    Box,
    Candidate,
    CastMember,
    Facts,
    Movie,
    MovieResult,
    Problem,
    Ranking,
    Still,
)
from castsearch.verbs.stages import FACTS, Plan, look, order, plan, rank_movie

GRACE, EILEEN = "m_grace", "m_eileen"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, hopper: Path, collins: Path) -> Path:
    """Crops of two people, some without the head, and scenery."""
    folder = tmp_path_factory.mktemp("pictures")
    with Image.open(hopper) as one, Image.open(collins) as two:
        grace, eileen = one.convert("RGB"), two.convert("RGB")
    mirrored = Image.Transpose.FLIP_LEFT_RIGHT
    parts = {
        "portrait_grace": grace,
        "portrait_eileen": eileen,
        "grace": grace.transpose(mirrored),
        "eileen": eileen.transpose(mirrored),
        "grace_below": grace.crop((0, 340, 512, 600)),
        "grace_below2": grace.transpose(mirrored).crop((10, 350, 512, 600)),
        "eileen_below": eileen.crop((0, 270, 512, 512)),
    }
    noise = np.random.default_rng(0).integers(0, 255, (3, 8, 6, 3), dtype=np.uint8)
    for i, one in enumerate(noise):
        size = (180, 240)
        parts[f"scenery{i}"] = Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)
    for name, part in parts.items():
        part.save(folder / f"{name}.png")
    (folder / "torn.png").write_bytes((folder / "grace.png").read_bytes()[:2000])
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(store=tmp_path_factory.mktemp("store") / "s.sqlite", n_jobs=1)


@pytest.fixture(scope="module")
def how(runtime: Runtime) -> Plan:
    return plan("castsearch", runtime=runtime)


@pytest.fixture
def store(runtime: Runtime) -> Iterator[Store]:
    with Store(runtime.store) as opened:
        yield opened


CROPS = (
    *("grace", "eileen", "grace_below", "grace_below2", "eileen_below"),
    *("scenery0", "scenery1", "scenery2"),
)
MakeMovie = Callable[..., Movie]


@pytest.fixture(scope="module")
def movie_of(pictures: Path) -> MakeMovie:
    """A movie of crop files, by their names; ``portraits`` says what the two portraits show."""

    def made(
        crops: tuple[str, ...] = CROPS,
        portraits: tuple[str, str] = ("portrait_grace", "portrait_eileen"),
        stills: tuple[str, ...] = (),
    ) -> Movie:
        cast = tuple(
            CastMember(member, member, (Still(f"p_{member}", pictures / f"{name}.png"),))
            for member, name in zip((GRACE, EILEEN), portraits, strict=True)
        )
        return Movie(
            "m",
            cast,
            tuple(Candidate(n, Still(n, pictures / f"{n}.png")) for n in crops),
            tuple(Still(n, pictures / f"{n}.png") for n in stills),
        )

    return made


def scores(result: MovieResult, member: str) -> dict[str, float]:
    (ranking,) = (r for r in result.rankings if r.query_id == member)
    return dict(zip(ranking.candidate_ids, ranking.scores, strict=True))


def same(one: MovieResult, two: MovieResult) -> None:
    """Equal in all parts, evidence to the bit."""
    for part in dataclasses.fields(MovieResult):
        if part.name != "evidence":
            assert getattr(one, part.name) == getattr(two, part.name), part.name
    assert sorted(one.evidence) == sorted(two.evidence)
    for name, array in one.evidence.items():
        np.testing.assert_array_equal(array, two.evidence[name], strict=True)


# Plans.


def test_a_plan_is_of_the_default_preset() -> None:
    made = plan()
    assert made.preset == preset("castsearch")
    assert made.runtime == Runtime()
    assert [encoder.model.name for encoder in made.asked.bodies] == ["lite0-parts", "hsv-stripes"]
    assert made.asked.all_faces


def test_a_plan_takes_settings_networks_or_a_preset_as_it_is() -> None:
    made = plan("face", ("flip=true",), face_model="sface", body_models=("hsv-stripes",))
    assert made.preset == preset("face", ["flip=true"])
    assert made.asked.encoder.model.name == "sface"
    assert [encoder.model.name for encoder in made.asked.bodies] == ["hsv-stripes"]
    mine = dataclasses.replace(preset("face"), name="mine")
    assert plan(mine).preset is mine


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "nope"}, "There is no preset 'nope'"),
        ({"settings": ("nope=1",)}, "There is no setting 'nope'"),
        ({"face_model": "nope"}, "There is no face encoder 'nope'"),
        ({"body_models": ("sface",)}, "is a face encoder, not a body encoder"),
        ({"runtime": Runtime(device="nope")}, "nope"),
        (
            {"name": "sgbt_hybrid", "settings": ("body=",)},
            "fusion=clusters needs a body encoder; name one with body=NAME",
        ),
    ],
)
def test_a_plan_is_checked_before_any_work(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        plan(**arguments)


# Looking and ordering.


def test_looking_and_then_ordering_is_ranking(movie_of: MakeMovie, how: Plan, store: Store) -> None:
    looked_at = look(movie_of(), how, store)
    assert looked_at.rankings == ()
    result = order(looked_at, how.preset)
    same(rank_movie(movie_of(), how, store=store), result)
    same(rank_movie(movie_of(), how), result)  # which opens the store by itself
    assert result.rankings[0].candidate_ids[0] == "grace"
    assert result.rankings[1].candidate_ids[0] == "eileen"


def test_what_is_found_belongs_to_ids(movie_of: MakeMovie, how: Plan, store: Store) -> None:
    looked_at = look(movie_of(), how, store)
    ids = {*CROPS, f"p_{GRACE}", f"p_{EILEEN}"}
    assert set(looked_at.pictures) == set(looked_at.thumbnails) == set(looked_at.frames) == ids
    assert set(looked_at.faces) == {f"p_{GRACE}", f"p_{EILEEN}"}
    faces = order(looked_at, how.preset).faces
    assert {"grace", "eileen"} < set(faces)
    assert not {"scenery0", "scenery1", "scenery2", "eileen_below"} & set(faces)
    info = looked_at.pictures["eileen"]
    assert (info.width, info.height) == (512, 512)


def test_an_order_from_a_saved_run_is_the_same_to_the_bit(
    movie_of: MakeMovie, how: Plan, store: Store, tmp_path: Path
) -> None:
    result = rank_movie(movie_of(), how, store=store)
    with RunFolder(tmp_path / "run", fingerprint="f", named=True) as folder:
        folder.save(result)
        folder.finish()
    with read_run(tmp_path / "run") as run:
        saved = run.movie("m")
    same(saved, result)
    again = order(dataclasses.replace(saved, rankings=()), how.preset)
    assert again.rankings == result.rankings
    assert again.faces == result.faces
    facts = Facts(labels={"grace_below": GRACE}, different=(("grace", "eileen_below"),))
    corrected = order(saved, how.preset, facts).rankings
    assert corrected == order(result, how.preset, facts).rankings != result.rankings


def test_a_correction_moves_a_look_alike_without_a_face(
    movie_of: MakeMovie, how: Plan, store: Store
) -> None:
    """Nothing but their clothes joins the two crops, in which no head is."""
    before = rank_movie(movie_of(), how, store=store)
    facts = Facts(labels={"grace_below": EILEEN})
    after = order(before, how.preset, facts)
    assert scores(after, EILEEN)["grace_below"] > 0.9
    assert scores(after, EILEEN)["grace_below2"] > scores(before, EILEEN)["grace_below2"] + 0.2
    place = [r.candidate_ids.index("grace_below2") for r in (before.rankings[1], after.rankings[1])]
    assert place[1] < place[0]
    assert scores(after, EILEEN)["scenery1"] < 0.5
    assert after.facts == facts
    same(rank_movie(movie_of(), how, facts=facts, store=store), after)


def test_facts_stay_with_a_result_until_others_are_given(
    movie_of: MakeMovie, how: Plan, store: Store
) -> None:
    facts = Facts(labels={"grace_below": EILEEN})
    plain = rank_movie(movie_of(), how, store=store)
    corrected = order(plain, how.preset, facts)
    same(order(corrected, how.preset), corrected)
    same(order(corrected, how.preset, Facts()), plain)


def test_what_is_wrong_with_facts_is_told_once_and_goes_with_them(
    movie_of: MakeMovie, how: Plan, store: Store
) -> None:
    movie = movie_of((*CROPS, "torn"))
    plain = rank_movie(movie, how, store=store)
    (torn,) = plain.problems
    assert torn.where == "torn"
    once = order(plain, how.preset, Facts(labels={"nobody": GRACE}))
    twice = order(once, how.preset)
    message = "Facts about m name what is not there (1, first: nobody); they are left aside."
    assert once.problems == twice.problems == (torn, Problem(FACTS, message))
    assert order(twice, how.preset, Facts()).problems == (torn,)


def test_an_order_that_takes_no_facts_says_so(movie_of: MakeMovie, runtime: Runtime) -> None:
    by_faces = plan("face", runtime=runtime)
    facts = Facts(labels={"grace": EILEEN})
    result = rank_movie(movie_of(("grace", "eileen")), by_faces, facts=facts)
    (problem,) = result.problems
    assert problem.where == FACTS
    assert "the order 'face' takes none" in problem.message
    assert result.rankings[0].candidate_ids == ("grace", "eileen")


def test_a_portrait_and_a_candidate_of_one_id_do_not_mix(
    movie_of: MakeMovie, how: Plan, store: Store
) -> None:
    """The still of Grace's portrait is called "eileen", as a candidate is."""
    movie = movie_of()
    grace, eileen = movie.cast
    still = dataclasses.replace(grace.portraits[0], id="eileen")
    alike = dataclasses.replace(
        movie, cast=(dataclasses.replace(grace, portraits=(still,)), eileen)
    )
    found, expected = look(alike, how, store), look(movie, how, store)
    for name, array in expected.evidence.items():
        np.testing.assert_array_equal(found.evidence[name], array, strict=True)
    assert order(found, how.preset).rankings == order(expected, how.preset).rankings


# What cannot be looked at.


def test_pictures_that_cannot_be_read_are_told(
    movie_of: MakeMovie, how: Plan, store: Store
) -> None:
    movie = movie_of(("grace", "torn"), portraits=("torn", "scenery0"))
    refused = Candidate("no", Still("no", Path("no.png")), problem="no: this path is refused")
    movie = dataclasses.replace(
        movie,
        candidates=(*movie.candidates, refused),
        problems=(Problem("no", "no: this path is refused"),),
    )
    result = rank_movie(movie, how, store=store)
    assert [problem.where for problem in result.problems] == ["no", "torn", f"p_{GRACE}", EILEEN]
    assert "torn.png" in result.problems[1].message
    # Whether a portrait that cannot be read shows a face is not said.
    assert result.problems[3].message == f"{EILEEN}: no face was found in any portrait of it."
    for ranking in result.rankings:
        assert sorted(ranking.candidate_ids) == ["grace", "no", "torn"]
        assert ranking.candidate_ids[0] == "grace"
        assert ranking.scores[1:] == (-np.inf, -np.inf)
    assert evidence_of(result.evidence).is_readable.tolist() == [True, False, False]
    assert set(result.pictures) == {"grace", f"p_{EILEEN}"}


# Whole stills.


def test_whole_stills_become_candidates(
    movie_of: MakeMovie, how: Plan, store: Store, pictures: Path, tmp_path: Path
) -> None:
    with Image.open(pictures / "grace.png") as one, Image.open(pictures / "eileen.png") as two:
        group = Image.new("RGB", (1200, 700), (90, 120, 60))
        group.paste(one, (0, 60))
        group.paste(two, (640, 100))
        width = one.width
    group.save(tmp_path / "group.png")
    movie = movie_of(("grace",), stills=("torn", "scenery0"))
    group_still = Still("group", tmp_path / "group.png")
    movie = dataclasses.replace(movie, stills=(group_still, *movie.stills))
    result = rank_movie(movie, how, store=store)
    assert [c.id for c in result.movie.candidates] == ["grace", "group_f0", "group_f1"]
    (problem,) = result.problems
    assert problem.where == "torn"
    firsts: dict[str, Box] = {}
    boxes = {c.id: c.box for c in result.movie.candidates}
    for ranking in result.rankings:
        first = next(i for i in ranking.candidate_ids if i.startswith("group"))
        box = boxes[first]
        assert box is not None
        face = result.faces[first].box
        # A body is wider than its face, and stands below it, within the still.
        assert box.intersection(face) == pytest.approx(face.area, rel=1e-6)
        assert box.area > 3 * face.area
        assert box.clip(1200, 700) == box
        firsts[ranking.query_id] = face
    assert firsts[GRACE].x1 < width
    assert firsts[EILEEN].x0 > 640


def test_stills_without_a_face_are_told(movie_of: MakeMovie, how: Plan, store: Store) -> None:
    movie = movie_of((), stills=("scenery0", "scenery1"))
    result = rank_movie(movie, how, store=store)
    assert result.movie.candidates == ()
    assert result.problems == (Problem("m", "m: no face was found in its stills."),)
    assert result.rankings == (Ranking(GRACE, ()), Ranking(EILEEN, ()))
