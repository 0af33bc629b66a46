"""What every run is given by the machine and its user, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castsearch.runtime.progress import Style


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where a run works and with how much; none of it changes a result.

    ``store`` is the file that results are kept in (default: in the user's cache folder).
    ``n_jobs`` is how many pictures are worked on at once (default: all cores). ``device`` names
    what networks run on: ``auto`` or one of :data:`castsearch.networks.device.DEVICES`.
    Pictures with more than ``max_megapixels`` are refused. ``progress`` is how progress is shown.
    """

    store: Path | None = None
    n_jobs: int | None = None
    device: str = "auto"
    max_megapixels: float = 100.0
    progress: Style = "quiet"
