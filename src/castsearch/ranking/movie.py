"""From the evidence of a movie and what is known for sure to one ranking per cast member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from castsearch.ranking.coarse import rankings
from castsearch.ranking.constraints import Constraints, constraints, free
from castsearch.ranking.evidence import Evidence
from castsearch.ranking.order import OrderSettings, People
from castsearch.ranking.orders import ORDERS
from castsearch.ranking.twins import twins
from castsearch.types import OTHERS, Face, Facts, Movie, Problem, Ranking


def ordered(
    movie: Movie, evidence: Evidence, settings: OrderSettings, facts: Facts | None = None
) -> tuple[tuple[Ranking, ...], dict[str, Face], tuple[Problem, ...]]:
    """The rankings of a movie, the face of each candidate, and facts that could not be followed.

    Args:
        movie: The cast and candidates that the evidence is of.
        evidence: What their pictures show.
        settings: Which order, and what it weighs.
        facts: What is known of the candidates; those that name an id that is not there are told
            and left aside.

    Raises:
        InputError: a vector holds NaN or infinity.
    """
    order = ORDERS[settings.fusion]
    ids = [candidate.id for candidate in movie.candidates]
    names = [member.name for member in movie.cast]
    facts = facts or Facts()
    # What boxes are one person's is not asked where nobody would be told.
    known, problems = free(evidence.n, evidence.n_cast), tuple[Problem, ...]()
    if order.takes_facts or facts != Facts():
        known, problems = _constraints(movie, evidence, facts)
    if facts != Facts() and not order.takes_facts:
        message = (
            f"The facts about {movie.id} are not followed: the order {settings.fusion!r} takes "
            "none; use a preset whose fusion is film."
        )
        problems = (*problems, Problem(movie.id, message))
    result = order.rank(evidence, settings, known, People(ids, names))
    lists = rankings(movie.cast, movie.candidates, result.scores, result.reasons)
    return lists, {ids[i]: face for i, face in sorted(result.faces.items())}, problems


def _constraints(
    movie: Movie, evidence: Evidence, facts: Facts
) -> tuple[Constraints, tuple[Problem, ...]]:
    """Facts by the positions of what they name, and those that name nothing or contradict."""
    place = {candidate.id: i for i, candidate in enumerate(movie.candidates)}
    cast = {member.id: i for i, member in enumerate(movie.cast)} | {OTHERS: len(movie.cast)}
    strange: list[str] = []

    def pairs(
        listed: Sequence[tuple[str, str]], second: Mapping[str, int]
    ) -> list[tuple[int, int]]:
        strange.extend(one for one, _ in listed if one not in place)
        strange.extend(two for _, two in listed if two not in second)
        return [(place[a], second[b]) for a, b in listed if a in place and b in second]

    labels = dict(pairs(list(facts.labels.items()), cast))
    known = constraints(
        evidence.stills,
        len(movie.cast),
        same=pairs(facts.same, place),
        suggested=twins(evidence),
        different=pairs(facts.different, place),
        labels=labels,
        denied=pairs(facts.denied, cast),
    )
    problems = [Problem(movie.id, f"{text}.") for text in known.sentences(place, _names(movie))]
    if strange:
        message = (
            f"Facts about {movie.id} name what is not there ({len(set(strange))}, first: "
            f"{strange[0]}); they are left aside."
        )
        problems.append(Problem(movie.id, message))
    return known, tuple(problems)


def _names(movie: Movie) -> list[str]:
    return [member.name for member in movie.cast]
