"""The extra castsearch[train]: whether it is installed, and the sentence where it is not."""

from __future__ import annotations

from castsearch.runtime.extras import need

PACKAGES = (
    "torch",
    "accelerate",
    "kornia",
    "pytorch_metric_learning",
    "onnxscript",
    "tensorboard",
    "matplotlib",
)
"""What the extra brings, by the names that Python imports."""


def need_training() -> None:
    """Refuse, before anything of torch is imported, what an install without the extra cannot do.

    Raises:
        InputError: a package of the extra is missing.
    """
    need("train", *PACKAGES, purpose="This")
