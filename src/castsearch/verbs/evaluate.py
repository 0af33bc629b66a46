"""Score rankings against the truth, or a model by the protocol of a public benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias, overload

from castsearch import metrics
from castsearch.errors import InputError
from castsearch.metrics import Evaluation, Submission, Truth, Verification
from castsearch.presets import DEFAULT
from castsearch.runtime.settings import Runtime
from castsearch.types import Movie, Ranking
from castsearch.verbs.embed import IdentityScore, score_identities
from castsearch.verbs.verify import verify

Protocol = Literal["cast", "lfw", "market1501"]
TruthSource: TypeAlias = "str | Path | Iterable[Movie]"
RankingSource: TypeAlias = "str | Path | Iterable[Ranking]"


@overload
def evaluate(
    truth: TruthSource,
    ranking: RankingSource | None = None,
    *,
    protocol: Literal["cast"] = "cast",
) -> Evaluation: ...


@overload
def evaluate(
    truth: str | Path,
    ranking: None = None,
    *,
    protocol: Literal["lfw"],
    preset: str = DEFAULT,
    face_model: str | None = None,
    runtime: Runtime | None = None,
) -> Verification: ...


@overload
def evaluate(
    truth: str | Path,
    ranking: None = None,
    *,
    protocol: Literal["market1501"],
    model: str | None = None,
    flip: bool = False,
    runtime: Runtime | None = None,
) -> IdentityScore: ...


def evaluate(
    truth: TruthSource,
    ranking: RankingSource | None = None,
    *,
    protocol: Protocol = "cast",
    preset: str = DEFAULT,
    face_model: str | None = None,
    model: str | None = None,
    flip: bool = False,
    runtime: Runtime | None = None,
) -> Evaluation | Verification | IdentityScore:
    """Score ``ranking`` against ``truth``: mAP, rank-1/5/10, per movie and per query.

    Args:
        truth: Ground truth: a file (``GT.json``, a WIDER label file), a labelled source, or movies
            as :func:`~castsearch.sources.movies.read` gives them. With the protocol ``lfw`` the
            folder or the file of pairs, with ``market1501`` the data set.
        ranking: A file (CSV ``Id,Rank`` or WIDER text), or rankings; for ``cast`` alone.
        protocol: ``cast`` scores rankings; ``lfw`` verifies pairs of faces with a face encoder
            (:func:`~castsearch.verbs.verify.verify`); ``market1501`` scores re-identification with
            the vectors of a model (:func:`~castsearch.verbs.embed.score_identities`).
        preset: For ``lfw``: the pipeline whose detector and encoder are measured.
        face_model: For ``lfw``: another face encoder than the preset's.
        model: For ``market1501``: body encoder, a name of the model table or an ONNX file.
        flip: For ``market1501``: average each vector with that of the mirror image.
        runtime: For ``lfw`` and ``market1501``: where the run works, and with how much.

    Raises:
        InputError: a file cannot be used, the two do not fit, or an argument is missing.
    """
    if protocol == "cast":
        if ranking is None:
            raise InputError("RANKING is missing: castsearch evaluate TRUTH RANKING.")
        return metrics.evaluate(_truth(truth), _submission(ranking))
    if ranking is not None:
        raise InputError(f"RANKING is for the protocol cast alone, not for {protocol}.")
    if not isinstance(truth, str | Path):
        raise InputError(f"The protocol {protocol} needs a folder or a file as its TRUTH.")
    if protocol == "lfw":
        return verify(truth, preset=preset, face_model=face_model, runtime=runtime)
    if protocol == "market1501":
        if model is None:
            raise InputError("--protocol market1501 needs --model: castsearch models lists them.")
        return score_identities(truth, model, flip=flip, runtime=runtime)
    raise InputError(f"There is no protocol {protocol!r}; there are cast, lfw and market1501.")


def _truth(source: TruthSource) -> Truth:
    if isinstance(source, str | Path):
        return metrics.read_truth(Path(source))
    truth = metrics.truth_of(list(source))
    if truth is None:
        raise InputError("No candidate of these movies is labelled; there is nothing to score by.")
    return truth


def _submission(source: RankingSource) -> Submission:
    if isinstance(source, str | Path):
        return metrics.read_ranking(Path(source))
    return metrics.submission_of(source)
