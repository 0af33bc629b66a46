"""What decided each candidate, in words a person can check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castsearch.ranking.constraints import Constraints, free
from castsearch.ranking.film import FilmBeliefs, FilmEvidence

N_NAMED = 3
"""Candidates that are named as what a body looks like."""
SPEAKS = 0.5
"""Part of a face's word that makes it the reason."""
NOTABLE = 0.15
"""Beliefs that change by less are not worth a word."""
HARDLY = 0.05
"""Below this a belief has no reason of its own."""
SILENT = "nothing speaks for anyone asked for"


@dataclass(frozen=True, slots=True)
class _Case:
    """All that reasons are found in, and the first candidate of each node."""

    beliefs: FilmBeliefs
    evidence: FilmEvidence
    facts: Constraints
    ids: Sequence[str]
    names: Sequence[str]
    first: NDArray[np.intp]


def film_reasons(
    beliefs: FilmBeliefs,
    evidence: FilmEvidence,
    candidate_ids: Sequence[str],
    cast_names: Sequence[str],
    facts: Constraints | None = None,
) -> list[list[str]]:
    """One sentence part per cast member and candidate, indexed ``[cast][candidate]``.

    What a person said of it; a face with its cosine; the candidates that a body looks like; a
    still-mate who is this cast member already; another cast member who is likelier; or that nothing
    speaks for anyone. ``facts`` are those that the beliefs were found with.
    """
    n, n_cast = len(candidate_ids), len(cast_names)
    facts = facts or free(n, n_cast)
    case = _Case(beliefs, evidence, facts, candidate_ids, cast_names, facts.first)
    final, before = beliefs.final, beliefs.beliefs
    likeliest = final.argmax(axis=1)
    own = [_own_reason(j, case, int(likeliest[j])) for j in range(n)]
    corrected = _corrections(case)
    reasons = []
    for member in range(n_cast):
        row = []
        for j in range(n):
            if (j, member) in corrected:
                row.append(corrected[j, member])
            elif likeliest[j] == member or final[j, member] > SPEAKS:
                row.append(_why(j, member, case))
            elif before[j, member] - final[j, member] > NOTABLE:
                mate = _mate(j, member, case)
                row.append(f"a still-mate{f' ({mate})' if mate else ''} is likelier")
            elif final[j, member] > HARDLY:
                but = own[j] if own[j] != SILENT else "rather nobody asked for"
                row.append(f"{_why(j, member, case)}, but {but}")
            else:
                row.append(own[j])
        reasons.append(row)
    return reasons


def _corrections(case: _Case) -> dict[tuple[int, int], str]:
    """What a person said of a candidate and a cast member, or of one it is apart from."""
    facts, names = case.facts, [*case.names, "nobody asked for"]
    impossible = facts.impossible[:, :-1]
    words: dict[tuple[int, int], str] = {}
    for j in np.flatnonzero((impossible.any(axis=1) | facts.certain)[facts.nodes]).tolist():
        node = facts.nodes[j]
        for member in range(len(case.names)):
            if facts.certain[node]:
                words[j, member] = f"corrected: this is {names[facts.given[node]]}"
            elif facts.denied[node, member]:
                words[j, member] = f"corrected: not {names[member]}"
            elif impossible[node, member]:
                words[j, member] = f"corrected: {names[member]} is {_mate(j, member, case)}"
    return words


def _own_reason(j: int, case: _Case, likeliest: int) -> str:
    """What a candidate is taken for, said in the lists of the others."""
    if likeliest < len(case.names):
        return f"rather {case.names[likeliest]}"
    seeds = case.beliefs.seeds[j]
    # Of candidates that are one person, one shows the face.
    if seeds[-1] > seeds[:-1].sum():
        return "a face unlike every portrait"
    return SILENT


def _why(j: int, member: int, case: _Case) -> str:
    """Why a candidate is taken for a cast member."""
    beliefs = case.beliefs
    parts = []
    if beliefs.seeds[j, member] > SPEAKS * beliefs.seeds[j].sum() > 0:
        parts.append(_face(j, member, case))
    else:
        like = _alike(j, member, case)
        if like:
            parts.append("looks like " + ", ".join(like))
    if beliefs.final[j, member] - beliefs.beliefs[j, member] > NOTABLE:
        parts.append("its still-mates are others")
    return "; ".join(parts) or "weak likeness"


def _face(j: int, member: int, case: _Case) -> str:
    """The face that speaks for a cast member; of another candidate of the person, with its id."""
    nodes, scores = case.facts.nodes, case.evidence.face_scores[member]
    members = np.flatnonzero(nodes == nodes[j])
    best = members[scores[members].argmax()]
    shown = f"{scores[best]:.2f}"
    return f"face ({shown})" if scores[j] == scores[best] else f"face ({shown}) of {case.ids[best]}"


def _alike(j: int, member: int, case: _Case) -> list[str]:
    """The linked candidates that say most for a cast member, the strongest first."""
    links, node = case.beliefs.links, case.facts.nodes[j]
    start, end = links.indptr[node : node + 2]
    linked = case.first[links.indices[start:end]]
    said = links.data[start:end] * case.beliefs.beliefs[linked, member]
    order = np.argsort(-said, kind="stable")[:N_NAMED]
    return [case.ids[linked[k]] for k in order if said[k] > 0.2 * said[order[0]] > 0]


def _mate(j: int, member: int, case: _Case) -> str:
    """Who of those that a candidate is apart from is likeliest a cast member; "" if it itself."""
    apart, node = case.facts.apart, case.facts.nodes[j]
    mates = apart.indices[apart.indptr[node] : apart.indptr[node + 1]]
    # In their order, so that of equals the first is named.
    group = np.sort(np.append(mates, node))
    best = group[case.beliefs.final[case.first[group], member].argmax()]
    return "" if best == node else case.ids[case.first[best]]
