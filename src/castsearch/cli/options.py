"""Options that several commands share, each written once, with its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.sources import layouts

Layout = Annotated[
    layouts.Layout,
    Parameter(help="How the movies are laid out; told by itself unless given."),
]
AnyLayout = Annotated[
    layouts.AnyLayout,
    Parameter(help="How SOURCE is laid out; told by itself unless given."),
]
PresetName = Annotated[
    str,
    Parameter(help="Named pipeline; `castsearch presets` lists them."),
]
Flip = Annotated[
    bool, Parameter(negative="", help="Average each vector with that of the mirror image.")
]
Store = Annotated[
    Path | None, Parameter(help="File that detections, vectors and thumbnails are kept in.")
]
Quiet = Annotated[bool, Parameter(negative="", help="Show no progress, and nothing but problems.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print the result as JSON.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Machine:
    """What every command that looks at pictures is told of where it runs."""

    store: Store = None
    jobs: int | None = None
    """How many pictures are worked on at once; all cores unless given."""
    device: str = "auto"
    """What networks run on: `auto`, `cpu`, `cuda`, `tensorrt`, `rocm`, `coreml`, `directml`."""
    max_megapixels: float = 100.0
    """Pictures with more pixels than this are refused."""
    quiet: Quiet = False

    def runtime(self, *, as_json: bool = False) -> Runtime:
        """The same for the public functions; beside ``--json`` no progress is shown.

        Raises:
            InputError: ``jobs`` is below 1.
        """
        if self.jobs is not None and self.jobs < 1:
            raise InputError("--jobs takes 1 or more.")
        return Runtime(
            store=self.store,
            n_jobs=self.jobs,
            device=self.device,
            max_megapixels=self.max_megapixels,
            progress="quiet" if self.quiet or as_json else "auto",
        )
