"""castsearch: find who is who in films, from one portrait per cast member.

    import castsearch

    run = castsearch.rank("my-film", out="my-film-ranked")

What is exported is imported when it is first used, so that ``import castsearch`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from castsearch.errors import CastsearchError as CastsearchError
    from castsearch.errors import ImageError as ImageError
    from castsearch.errors import InputError as InputError
    from castsearch.features.store import Store as Store
    from castsearch.metrics import Evaluation as Evaluation
    from castsearch.outputs import export as export
    from castsearch.outputs import read_run as read_run
    from castsearch.presets import PRESETS as PRESETS
    from castsearch.presets import Preset as Preset
    from castsearch.presets import preset as preset
    from castsearch.runtime.settings import Runtime as Runtime
    from castsearch.sources.movies import read as read
    from castsearch.training.train import train as train
    from castsearch.types import OTHERS as OTHERS
    from castsearch.types import Box as Box
    from castsearch.types import Candidate as Candidate
    from castsearch.types import CastMember as CastMember
    from castsearch.types import Face as Face
    from castsearch.types import Facts as Facts
    from castsearch.types import Movie as Movie
    from castsearch.types import MovieResult as MovieResult
    from castsearch.types import Picture as Picture
    from castsearch.types import Problem as Problem
    from castsearch.types import Ranking as Ranking
    from castsearch.types import Still as Still
    from castsearch.verbs.ablate import ablate as ablate
    from castsearch.verbs.demo import demo as demo
    from castsearch.verbs.embed import embed as embed
    from castsearch.verbs.evaluate import evaluate as evaluate
    from castsearch.verbs.forget import forget as forget
    from castsearch.verbs.rank import RunResult as RunResult
    from castsearch.verbs.rank import rank as rank
    from castsearch.verbs.rerank import rerank as rerank
    from castsearch.verbs.stages import Plan as Plan
    from castsearch.verbs.stages import look as look
    from castsearch.verbs.stages import order as order
    from castsearch.verbs.stages import plan as plan
    from castsearch.verbs.stages import rank_movie as rank_movie
    from castsearch.verbs.verify import verify as verify

    __version__: str

# Where each exported name lives; a new one is a line here and one above, which type checkers read.
_HOMES = {
    # Verbs.
    "rank": "castsearch.verbs.rank",
    "read": "castsearch.sources.movies",
    "evaluate": "castsearch.verbs.evaluate",
    "rerank": "castsearch.verbs.rerank",
    "ablate": "castsearch.verbs.ablate",
    "embed": "castsearch.verbs.embed",
    "verify": "castsearch.verbs.verify",
    "train": "castsearch.training.train",
    "forget": "castsearch.verbs.forget",
    "demo": "castsearch.verbs.demo",
    # Stages of a ranking, one by one, and what a run left.
    "plan": "castsearch.verbs.stages",
    "look": "castsearch.verbs.stages",
    "order": "castsearch.verbs.stages",
    "rank_movie": "castsearch.verbs.stages",
    "export": "castsearch.outputs",
    "read_run": "castsearch.outputs",
    # Pipelines.
    "PRESETS": "castsearch.presets",
    "Preset": "castsearch.presets",
    "preset": "castsearch.presets",
    # What verbs take and give.
    "Runtime": "castsearch.runtime.settings",
    "Store": "castsearch.features.store",
    "Plan": "castsearch.verbs.stages",
    "RunResult": "castsearch.verbs.rank",
    "Evaluation": "castsearch.metrics",
    "OTHERS": "castsearch.types",
    "Box": "castsearch.types",
    "Candidate": "castsearch.types",
    "CastMember": "castsearch.types",
    "Face": "castsearch.types",
    "Facts": "castsearch.types",
    "Movie": "castsearch.types",
    "MovieResult": "castsearch.types",
    "Picture": "castsearch.types",
    "Problem": "castsearch.types",
    "Ranking": "castsearch.types",
    "Still": "castsearch.types",
    # What they raise.
    "CastsearchError": "castsearch.errors",
    "ImageError": "castsearch.errors",
    "InputError": "castsearch.errors",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import what is exported when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("castsearch")
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'castsearch' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
