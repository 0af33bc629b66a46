"""What networks run on: the onnxruntime provider, with its threads and batch sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from castsearch.errors import InputError
from castsearch.models.table import Precision

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of hardware that a network can run on.

    ``n_threads`` is how many threads one call uses; ``n_float32`` and ``n_int8`` how many faces or
    crops go through a network of that precision in one call. ``auto`` is whether it is taken
    unasked where it is there; ``remedy`` says what makes it available.
    """

    name: str
    provider: str
    n_threads: int = 1
    n_float32: int = 32
    n_int8: int = 32
    auto: bool = True
    remedy: str = ""

    @property
    def key(self) -> str:
        """What is added to the names of stored results: nothing on a CPU."""
        return "" if self.name == CPU.name else f"@{self.name}"

    def per_call(self, precision: Precision) -> int:
        """How many faces or crops go through a network in one call."""
        return self.n_int8 if precision == "int8" else self.n_float32


@dataclass(frozen=True, slots=True)
class Place:
    """Where networks run, and the folder that their rewritten files are kept in."""

    device: Device
    cache: Path


# On a CPU callers run a picture per core, so a call takes one thread. With integers more than four
# faces in a call gain nothing (``benchmarks/sessions.py``); floats add up otherwise in larger
# batches, and a vector is not to depend on what is encoded beside it.
CPU = Device("cpu", "CPUExecutionProvider", n_float32=1, n_int8=4)
_GPU_REMEDY = (
    "put onnxruntime-gpu in onnxruntime's place: pip uninstall onnxruntime, then "
    "pip install onnxruntime-gpu"
)

DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device("cuda", "CUDAExecutionProvider", remedy=_GPU_REMEDY),
        # Engines are built for minutes: only where it is asked for.
        Device("tensorrt", "TensorrtExecutionProvider", auto=False, remedy=_GPU_REMEDY),
        Device("rocm", "ROCMExecutionProvider", remedy="install onnxruntime-rocm in its place"),
        Device("coreml", "CoreMLExecutionProvider", remedy="use onnxruntime on macOS"),
        Device("directml", "DmlExecutionProvider", remedy="install onnxruntime-directml"),
        CPU,
    )
}
"""Every device by its name, those first that ``auto`` takes first."""


@lru_cache(maxsize=16)
def device(name: str = AUTO) -> Device:
    """The device ``name``, or the first that is there for ``auto``.

    A provider that onnxruntime was built with is not always one that works on this machine: each
    but the CPU's runs a network of one node first.

    Raises:
        InputError: there is no such device, or it cannot be had here.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if name == AUTO:
        usable = (d for d in DEVICES.values() if d.auto and d.provider in available)
        return next((d for d in usable if _works(d)), CPU)
    if name not in DEVICES:
        raise InputError(f"There is no device {name!r}; there are {AUTO}, {', '.join(DEVICES)}.")
    chosen = DEVICES[name]
    if chosen.provider not in available:
        raise InputError(
            f"The device {name!r} cannot be had: this onnxruntime has no {chosen.provider} "
            f"(it has {', '.join(available)}); {chosen.remedy}."
        )
    if not _works(chosen):
        raise InputError(
            f"The device {name!r} cannot be had: onnxruntime has {chosen.provider}, but it does "
            "not start on this machine; check the driver and its libraries, or use --device cpu."
        )
    return chosen


def _works(candidate: Device) -> bool:
    """Whether a network of one node runs on the device and not, silently, on the CPU."""
    if candidate.name == CPU.name:
        return True
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # What is wrong is said in a sentence of ours; onnxruntime would add a page in red.
    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=[candidate.provider]
        )
        session.run(None, {"x": np.zeros(1, dtype=np.float32)})
    except Exception:  # onnxruntime's own errors have no base of their own
        return False
    finally:
        onnxruntime.set_default_logger_severity(2)
    return bool(session.get_providers()[0] == candidate.provider)
