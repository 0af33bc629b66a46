"""Read the tensors of a torch file without torch, and without running code from it.

Both layouts of ``torch.save`` are read: the legacy one (four pickles, then the raw storages; all
files before torch 1.6) and the zip archive. The pickles may name ordered dicts, tensors and their
storages, and nothing else.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from castsearch.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("u1"),
}
# What unpickling of damaged bytes raises, by the documentation of pickle and by experiment.
DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    NotImplementedError,
)


@dataclass(frozen=True, slots=True)
class _Storage:
    """A flat array that the file holds under ``key``."""

    key: str
    dtype: np.dtype[Any]
    n: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage: where it starts, its shape, and its steps in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, steps)))


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows four kinds of names."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is not read")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, n, *view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or (view and view[0] is not None):
            raise pickle.UnpicklingError("it refers to something that is no plain storage")
        return _Storage(str(key), dtype, int(n))


def read_torch_file(path: Path) -> dict[str, NDArray[Any]]:
    """The state dict of a torch file, as arrays by name; other values are left out.

    Raises:
        InputError: no such file, a file of another kind, or one that holds other objects than
            tensors in a dict.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weight file.")
    try:
        with path.open("rb") as file:
            tensors = _read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(file)
    except DAMAGE as error:
        raise InputError(
            f"{path}: this is not a torch file of plain tensors: {error or type(error).__name__}."
        ) from error
    if not tensors:
        raise InputError(f"{path}: this torch file holds no tensors by name.")
    return tensors


def _read_legacy(file: BinaryIO) -> dict[str, NDArray[Any]]:
    file.seek(0)
    if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
        raise pickle.UnpicklingError("it does not begin as torch.save begins")
    if not _Unpickler(file).load()["little_endian"]:
        raise pickle.UnpicklingError("it was written on a big-endian machine")
    document = _Unpickler(file).load()
    keys = _Unpickler(file).load()
    sizes = {
        tensor.storage.key: tensor.storage
        for tensor in document.values()
        if isinstance(tensor, _Tensor)
    }
    raw: dict[str, bytes] = {}
    for key in keys:
        (n,) = struct.unpack("<q", file.read(8))
        storage = sizes[key]
        if n != storage.n:
            raise pickle.UnpicklingError(f"storage {key} has {n} numbers, not {storage.n}")
        raw[key] = file.read(n * storage.dtype.itemsize)
    return _arrays(document, raw.__getitem__)


def _read_zip(file: BinaryIO) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError("it is a zip archive, but not of torch.save")
        folder = pickles[0].removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in names and archive.read(order) != b"little":
            raise pickle.UnpicklingError("it was written on a big-endian machine")
        document = _Unpickler(io.BytesIO(archive.read(pickles[0]))).load()
        return _arrays(document, lambda key: archive.read(f"{folder}data/{key}"))


def _arrays(
    document: Mapping[str, Any], bytes_of: Callable[[str], bytes]
) -> dict[str, NDArray[Any]]:
    """The tensors of ``document`` as arrays of their own."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, tensor in document.items():
        if not isinstance(tensor, _Tensor):
            continue
        storage = tensor.storage
        flat = np.frombuffer(bytes_of(storage.key), dtype=storage.dtype)
        last = tensor.offset + sum(
            (n - 1) * step for n, step in zip(tensor.shape, tensor.steps, strict=True)
        )
        inside = min((tensor.offset, *tensor.shape, *tensor.steps)) >= 0 and last < flat.size
        if flat.size != storage.n or not (inside or 0 in tensor.shape):
            raise pickle.UnpicklingError(f"the tensor {name!r} reaches outside its storage")
        view = np.lib.stride_tricks.as_strided(
            flat[tensor.offset :],
            tensor.shape,
            [step * storage.dtype.itemsize for step in tensor.steps],
        )
        arrays[str(name)] = view.copy()
    return arrays
