"""Packaged ONNX files in the form that runs fast, made at the first use and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from castsearch.errors import InputError
from castsearch.models.table import Precision
from castsearch.networks.quantize import quantize
from castsearch.networks.rewrite import rewrite
from castsearch.runtime.files import whole_file

if TYPE_CHECKING:
    import onnx

VERSION = "2"
"""Part of the cached file's name: raised when the rewriting changes."""


def prepared(path: Path, sha256: str, cache: Path, precision: Precision = "float32") -> Path:
    """The rewritten form of ``path``, made at the first use and kept in ``cache``.

    Raises:
        InputError: the file is not a readable ONNX model, or none that can be made int8.
    """
    form = "" if precision == "float32" else f"{precision}-"
    target = cache / f"{path.stem}-{sha256[:16]}-{form}{VERSION}.onnx"
    if target.is_file():
        return target
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path))
    except (DecodeError, ValueError, OSError) as error:
        raise InputError(f"{path}: this is not a readable ONNX file: {error}.") from error
    if precision == "int8":
        try:
            quantize(model)
        except ValueError as error:
            raise InputError(f"{path}: this network cannot be made int8: {error}.") from error
    else:
        rewrite(model)
    return saved(model, target)


def saved(model: onnx.ModelProto, target: Path) -> Path:
    """Write ``model`` to ``target``, whole or not at all."""
    import onnx

    with whole_file(target) as temporary:
        onnx.save(model, str(temporary))
    return target
