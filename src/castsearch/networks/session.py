"""One onnxruntime session wrapper: ordered providers, thread counts set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

PROVIDERS = (
    "TensorrtExecutionProvider",
    "CUDAExecutionProvider",
    "ROCMExecutionProvider",
    "CoreMLExecutionProvider",
    "CPUExecutionProvider",
)
"""Tried in this order; those that the installed onnxruntime lacks are left out. TensorRT is taken
only when asked for by name, since it builds its engines for minutes."""


class Session:
    """A network ready to run, safe to call from several threads at once.

    ``n_threads`` is the intra-op count: callers that run several threads of their own keep it at
    1, so that cores are never oversubscribed.
    """

    def __init__(
        self, path: Path, *, n_threads: int = 1, providers: Sequence[str] | None = None
    ) -> None:
        import onnxruntime

        available = onnxruntime.get_available_providers()
        wanted = PROVIDERS[1:] if providers is None else tuple(providers)
        chosen = [name for name in wanted if name in available]
        if not chosen:
            raise InputError(
                f"None of the providers {', '.join(wanted)} is in this onnxruntime; "
                f"it has {', '.join(available)}."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between calls would take the cores from the other workers.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=chosen)
        except Exception as error:  # onnxruntime's own errors have no base of their own
            first = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: onnxruntime cannot run this model: {first}") from error
        self.input_name: str = self._session.get_inputs()[0].name
        self.input_shape: tuple[int | str | None, ...] = tuple(self._session.get_inputs()[0].shape)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.provider: str = self._session.get_providers()[0]

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs for one input batch, float32, shape as the network has it."""
        outputs: list[NDArray[np.float32]] = self._session.run(None, {self.input_name: batch})
        return outputs
