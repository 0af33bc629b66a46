"""The stages of a ranking, for one movie: look (slow, stored), order (fast, takes facts)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from castsearch.detectors.choose import body_box
from castsearch.errors import InputError
from castsearch.features.asked import Asked, asked
from castsearch.features.extract import Work, extract
from castsearch.features.places import places
from castsearch.features.region import Features, Region
from castsearch.features.store import Store
from castsearch.presets import DEFAULT, Preset, preset
from castsearch.ranking.evidence import evidence_of, movie_evidence, portrait_features
from castsearch.ranking.movie import ordered
from castsearch.runtime.progress import track
from castsearch.runtime.settings import Runtime
from castsearch.types import Candidate, Facts, Movie, MovieResult, Problem

FACTS = "facts"
"""Where the problems of facts are said to be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How movies are ranked: the preset, the networks it asks, and where that works.

    ``work`` counts what was done for all movies so far.
    """

    preset: Preset
    asked: Asked
    runtime: Runtime
    work: Work = field(default_factory=Work)


def plan(
    name: str | Preset = DEFAULT,
    settings: tuple[str, ...] = (),
    *,
    face_model: str | None = None,
    body_models: tuple[str, ...] = (),
    runtime: Runtime | None = None,
) -> Plan:
    """A preset with its networks, checked before any work.

    Args:
        name: The preset, by name or as it is.
        settings: Replace single values of a preset named (``"num_jitters=5"``).
        face_model: Face encoder in place of the preset's: a name of the model table, or an ONNX
            file.
        body_models: Body encoders in place of the preset's, likewise.
        runtime: Where it works.

    Raises:
        InputError: there is no such preset, setting, encoder or device.
    """
    runtime = runtime or Runtime()
    chosen = preset(name, settings) if isinstance(name, str) else name
    what = asked(
        chosen.look,
        all_faces=chosen.way.all_faces,
        face_model=face_model,
        body_models=body_models,
        device_name=runtime.device,
    )
    if chosen.way.needs_body and not what.bodies:
        raise InputError(
            f"fusion={chosen.order.fusion} needs a body encoder; name one with body=NAME."
        )
    return Plan(chosen, what, runtime)


def look(movie: Movie, how: Plan, store: Store, *, label: str = "") -> MovieResult:
    """All that the pictures of a movie show, kept in ``store``; a result without rankings.

    Whole stills become candidates: a body box grown from each face. What cannot be read is in the
    problems of the result. ``label`` is put before what progress is shown of.

    Raises:
        InputError: a model is missing, or cannot be used with this preset.
        CastsearchError: the store cannot be written.
    """
    movie = _with_candidates(movie, how, store, label)
    features, work = _extracted(list(_regions(movie)), f"{label}pictures", how, store)
    how.work.add(work)
    crops = [
        features.get(_crop(c.id), Features(problem=c.problem or "not looked at"))
        for c in movie.candidates
    ]
    by_still = {
        still.id: features[_portrait(still.id)] for m in movie.cast for still in m.portraits
    }
    portraits = portrait_features(movie.cast, by_still)
    shares_stills = len({c.still.id for c in movie.candidates}) < len(movie.candidates)
    evidence = movie_evidence(
        movie, portraits, crops, None if shares_stills else places(crops, store), how.asked
    )
    shown = {c.id: f for c, f in zip(movie.candidates, crops, strict=True)} | by_still
    pictures = {c.still.id: f.picture for c, f in zip(movie.candidates, crops, strict=True)}
    pictures |= {still_id: f.picture for still_id, f in by_still.items()}
    return MovieResult(
        movie,
        rankings=(),
        faces={i: f.face for i, f in sorted(by_still.items()) if f.face},
        thumbnails={i: f.thumbnail for i, f in sorted(shown.items()) if f.thumbnail},
        frames={i: f.frame for i, f in sorted(shown.items()) if f.frame},
        problems=(*movie.problems, *_problems(movie, crops, portraits)),
        pictures={i: p for i, p in sorted(pictures.items()) if p},
        evidence=evidence.arrays(),
    )


def order(result: MovieResult, chosen: Preset, facts: Facts | None = None) -> MovieResult:
    """The rankings of a movie out of its evidence and what is known for sure; no picture is read.

    Args:
        result: Of :func:`look`, or of an earlier order, or out of a run folder.
        chosen: The preset; its order counts, and it has to be one that asks of pictures what
            ``result`` was asked.
        facts: What is known; the result's own facts unless given.

    Raises:
        InputError: the evidence holds NaN or infinity.
    """
    facts = result.facts if facts is None else facts
    rankings, faces, problems = ordered(
        result.movie, evidence_of(result.evidence), chosen.order, facts
    )
    portraits = {still.id for member in result.movie.cast for still in member.portraits}
    faces |= {i: face for i, face in result.faces.items() if i in portraits}
    before = tuple(p for p in result.problems if p.where != FACTS)
    told = tuple(Problem(FACTS, problem.message) for problem in problems)
    return replace(
        result,
        rankings=rankings,
        faces=dict(sorted(faces.items())),
        problems=before + told,
        facts=facts,
    )


def rank_movie(
    movie: Movie,
    how: Plan | None = None,
    *,
    facts: Facts | None = None,
    store: Store | None = None,
    label: str = "",
) -> MovieResult:
    """One movie, looked at and ordered.

    Args:
        movie: As :func:`castsearch.read` gives it, with cast, and candidates or stills.
        how: Of :func:`plan`; the default preset unless given.
        facts: What is known of the candidates.
        store: Opened where the plan says unless given.
        label: Put before what progress is shown of.

    Raises:
        InputError: a model is missing, or cannot be used with this preset.
        CastsearchError: the store cannot be written.
    """
    how = how or plan()
    if store is None:
        with Store(how.runtime.store) as opened:
            return rank_movie(movie, how, facts=facts, store=opened, label=label)
    return order(look(movie, how, store, label=label), how.preset, facts)


def _extracted(
    regions: list[Region], what: str, how: Plan, store: Store
) -> tuple[dict[str, Features], Work]:
    n_pictures = len({region.picture for region in regions})
    with track(what, n_pictures, how.runtime.progress) as advance:
        return extract(regions, how.asked, store, how.runtime, advance=advance)


def _crop(candidate_id: str) -> str:
    # A portrait and a candidate may have one id.
    return f"candidate\n{candidate_id}"


def _portrait(still_id: str) -> str:
    return f"portrait\n{still_id}"


def _regions(movie: Movie) -> Iterator[Region]:
    """All portraits and candidates of a movie that can be looked at."""
    for member in movie.cast:
        for still in member.portraits:
            yield Region(_portrait(still.id), still.picture, role="portrait")
    for candidate in movie.candidates:
        if candidate.problem is None:
            yield Region(_crop(candidate.id), candidate.still.picture, candidate.box)


def _problems(
    movie: Movie, crops: list[Features], portraits: list[list[Features]]
) -> Iterator[Problem]:
    """What could not be looked at, and cast members whose portraits show no face."""
    for candidate, feature in zip(movie.candidates, crops, strict=True):
        if feature.problem and candidate.problem is None:
            yield Problem(candidate.id, feature.problem)
    for member, features in zip(movie.cast, portraits, strict=True):
        for still, feature in zip(member.portraits, features, strict=True):
            if feature.problem:
                yield Problem(still.id, feature.problem)
        if all(f.vector is None and not f.problem for f in features):
            yield Problem(member.id, f"{member.id}: no face was found in any portrait of it.")


def _with_candidates(movie: Movie, how: Plan, store: Store, label: str) -> Movie:
    """The movie, with whole stills turned into candidates: a body box grown from each face."""
    if not movie.stills:
        return movie
    regions = [Region(still.id, still.picture, role="still") for still in movie.stills]
    features, _ = _extracted(regions, f"{label}stills", how, store)
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    for still in movie.stills:
        feature = features[still.id]
        if feature.problem:
            problems.append(Problem(still.id, feature.problem))
        elif feature.frame:
            frame = feature.frame
            candidates += [
                Candidate(f"{still.id}_f{i}", still, body_box(face.box, frame.width, frame.height))
                for i, face in enumerate(feature.faces)
            ]
    if not candidates and not movie.candidates:
        problems.append(Problem(movie.id, f"{movie.id}: no face was found in its stills."))
    return replace(
        movie,
        candidates=(*movie.candidates, *candidates),
        problems=(*movie.problems, *problems),
    )
