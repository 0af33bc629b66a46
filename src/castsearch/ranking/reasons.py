"""What decided each candidate, in words a person can check."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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


def film_reasons(
    beliefs: FilmBeliefs,
    evidence: FilmEvidence,
    candidate_ids: Sequence[str],
    cast_names: Sequence[str],
) -> list[list[str]]:
    """One sentence part per cast member and candidate, indexed ``[cast][candidate]``.

    A face with its cosine; the candidates that a body looks like; a still-mate who is this cast
    member already; another cast member who is likelier; or that nothing speaks for anyone.
    """
    n = len(candidate_ids)
    likeliest = beliefs.final.argmax(axis=1)
    own = [_own_reason(j, beliefs, evidence, cast_names, int(likeliest[j])) for j in range(n)]
    mates = _mates(beliefs.final, evidence.stills)
    reasons = []
    for member in range(len(cast_names)):
        row = []
        for j in range(n):
            if likeliest[j] == member or beliefs.final[j, member] > SPEAKS:
                row.append(_why(j, member, beliefs, evidence, candidate_ids))
            elif beliefs.beliefs[j, member] - beliefs.final[j, member] > NOTABLE:
                mate = mates[j][member] if j in mates else -1
                named = f" ({candidate_ids[mate]})" if mate >= 0 else ""
                row.append(f"a still-mate{named} is likelier")
            elif beliefs.final[j, member] > HARDLY:
                why = _why(j, member, beliefs, evidence, candidate_ids)
                row.append(
                    f"{why}, but {own[j] if own[j] != SILENT else 'rather nobody asked for'}"
                )
            else:
                row.append(own[j])
        reasons.append(row)
    return reasons


def _own_reason(
    j: int, beliefs: FilmBeliefs, evidence: FilmEvidence, names: Sequence[str], likeliest: int
) -> str:
    """What a candidate is taken for, said in the lists of the others."""
    if likeliest < len(names):
        return f"rather {names[likeliest]}"
    if evidence.faces.has_face[j] and beliefs.seeds[j, -1] > beliefs.seeds[j, :-1].sum():
        return "a face unlike every portrait"
    return SILENT


def _why(
    j: int,
    member: int,
    beliefs: FilmBeliefs,
    evidence: FilmEvidence,
    ids: Sequence[str],
) -> str:
    """Why a candidate is taken for a cast member."""
    parts = []
    if beliefs.seeds[j, member] > SPEAKS * beliefs.seeds[j].sum() > 0:
        parts.append(f"face ({evidence.face_scores[member, j]:.2f})")
    else:
        like = _alike(j, member, beliefs)
        if like:
            parts.append("looks like " + ", ".join(ids[k] for k in like))
    if beliefs.final[j, member] - beliefs.beliefs[j, member] > NOTABLE:
        parts.append("its still-mates are others")
    return "; ".join(parts) or "weak likeness"


def _alike(j: int, member: int, beliefs: FilmBeliefs) -> list[int]:
    """The linked candidates that say most for a cast member, the strongest first."""
    start, end = beliefs.links.indptr[j : j + 2]
    linked = beliefs.links.indices[start:end]
    said = beliefs.links.data[start:end] * beliefs.beliefs[linked, member]
    order = np.argsort(-said, kind="stable")[:N_NAMED]
    return [int(linked[k]) for k in order if said[k] > 0.2 * said[order[0]] > 0]


def _mates(final: NDArray[np.float64], stills: NDArray[np.integer]) -> dict[int, NDArray[np.intp]]:
    """For candidates with still-mates: the likeliest mate for each cast member."""
    mates: dict[int, NDArray[np.intp]] = {}
    order = np.argsort(stills, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(stills[order])) + 1):
        if len(group) > 1:
            best = group[final[group].argmax(axis=0)]
            for j in group:
                mates[int(j)] = np.where(best == j, -1, best)
    return mates
