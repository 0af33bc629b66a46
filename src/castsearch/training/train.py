"""Train: from a folder of people to a network that tells them apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from castsearch.runtime.files import make_folder
from castsearch.runtime.progress import Style
from castsearch.training import schedule
from castsearch.training.extra import need_training
from castsearch.training.options import Options
from castsearch.training.result import TrainResult

DEFAULT_OUT = Path("castsearch-train")


def train(
    source: str | Path,
    *,
    out: str | Path = DEFAULT_OUT,
    options: Options | None = None,
    cache: Path | None = None,
    progress: Style = "quiet",
) -> TrainResult:
    """Train a re-ID network on the people in ``source``, or go on with a run that was broken off.

    Writes to ``out``: ``last.pt`` and ``best.pt`` (by validation mAP), ``log.jsonl``,
    ``tensorboard/`` and ``curves.png``. On a CPU a run that was broken off and gone on with ends
    with the weights, bit for bit, of one that was not (but for a budget of minutes, which depends
    on the clock). Another recipe, and another value of it::

        train("people", options=Options(recipe=recipe_of("finetune", lr=1e-4)))

    Args:
        source: Root of a data set (:func:`castsearch.training.splits.read_splits`).
        out: Folder of the run.
        options: How it is done, what is learnt, and for how long.
        cache: Folder of the decoded pictures, by default ``out``.
        progress: How it is shown on stderr.

    Raises:
        InputError: the extra castsearch[train] is not installed, the data or the options cannot be
            used, or ``out`` holds another run.
        CastsearchError: the loss is not finite, or a file cannot be written.
        KeyboardInterrupt: interrupted; the state was saved before.
    """
    need_training()
    from castsearch.training.dataset import load_dataset
    from castsearch.training.log import Reporter
    from castsearch.training.networks import weight_file
    from castsearch.training.process import deterministic, start_accelerator
    from castsearch.training.run import Run

    options = options or Options()
    schedule.check(options.recipe)
    if options.weights is not None:
        options = replace(options, weights=weight_file(options.weights))
    out = Path(out)
    reporter = Reporter(progress)
    accelerator = start_accelerator(options)
    if not accelerator.is_main_process:
        reporter = Reporter("quiet")
    make_folder(out)
    with accelerator.main_process_first():
        data = load_dataset(source, options, cache or out, reporter, progress)
    with deterministic(accelerator.device):
        run = Run(options, data, out, accelerator, reporter)
        return run.to_the_end()
