"""One onnxruntime session wrapper: the device named, thread counts set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError
from castsearch.networks.device import CPU, Device


class Session:
    """A network ready to run, safe to call from several threads at once.

    ``n_threads`` is the intra-op count, else the device's: callers that run several threads of
    their own keep it at 1, so that cores are never oversubscribed. What a device cannot run of a
    network runs on the CPU.
    """

    def __init__(self, path: Path, place: Device = CPU, *, n_threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads or place.n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between calls would take the cores from the other workers.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=list(dict.fromkeys([place.provider, CPU.provider]))
            )
        except Exception as error:  # onnxruntime's own errors have no base of their own
            first = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: onnxruntime cannot run this model: {first}") from error
        self.input_name: str = self._session.get_inputs()[0].name
        self.input_shape: tuple[int | str | None, ...] = tuple(self._session.get_inputs()[0].shape)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.place = place

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs for one input batch, float32, shape as the network has it."""
        outputs: list[NDArray[np.float32]] = self._session.run(None, {self.input_name: batch})
        return outputs
