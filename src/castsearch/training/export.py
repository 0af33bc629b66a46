"""Trained networks as ONNX files, entered into the user's model table."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from castsearch.encoders.body import MEAN_KEY, STD_KEY
from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.networks.prepare import saved
from castsearch.training.architectures import ARCHITECTURES, VGGFACE
from castsearch.training.networks import NetworkOptions, build, imagenet, load_backbone
from castsearch.training.vggface import DIM, MEAN, SIZE, VggFaceDescriptor, load_vggface
from castsearch.training.weights import fit, read_torch

OPSET = 18
REID_SIZE = (256, 128)
"""Height and width of person crops where a weight file does not say them."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network in evaluation mode, and how its input is prepared (RGB, 0..255)."""

    network: nn.Module
    kind: models.Kind
    arch: str
    dim: int
    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class Mirrored(nn.Module):
    """The sum of a network's vectors of a picture and of its mirror image."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Vectors, shape (n, dim), of pictures (n, 3, h, w)."""
        return self.network(x) + self.network(x.flip(-1))


def read_trained(path: Path, arch: str = "") -> Trained:
    """The network of a weight file.

    Args:
        path: A checkpoint of ``castsearch train``; or, with ``arch``, a file of weights alone:
            VGG-Face's, or ImageNet weights of a backbone, of which the pooled maps are exported.
        arch: A key of ``ARCHITECTURES``; a checkpoint says its own.

    Raises:
        InputError: the file cannot be read, or is not what ``arch`` says.
    """
    if arch and arch not in ARCHITECTURES:
        raise InputError(
            f"There is no architecture {arch!r}; choose one of {', '.join(ARCHITECTURES)}."
        )
    if arch == VGGFACE:
        network = VggFaceDescriptor(load_vggface(path)).eval()
        return Trained(network, "face encoder", arch, DIM, SIZE, MEAN, (1.0, 1.0, 1.0))
    document = read_torch(path)
    if isinstance(document, Mapping) and {"network", "options"} <= document.keys():
        return _of_checkpoint(path, document, arch)
    if not arch:
        raise InputError(
            f"{path}: this is no checkpoint of castsearch train; for a file of weights alone say "
            f"--arch, one of {', '.join(ARCHITECTURES)}."
        )
    prepared = imagenet(arch)
    backbone = build(NetworkOptions(arch)).eval()
    load_backbone(backbone, path)
    return Trained(
        backbone, "body encoder", arch, backbone.dim, REID_SIZE, prepared.mean, prepared.std
    )


def _of_checkpoint(path: Path, document: Mapping[str, Any], arch: str) -> Trained:
    """The network of a castsearch checkpoint, without its classifier."""
    names = {field.name for field in fields(NetworkOptions)}
    try:
        options = NetworkOptions(**{k: v for k, v in document["options"].items() if k in names})
        height, width = map(int, document["size"])
        mean, std = (tuple(map(float, document[key])) for key in ("mean", "std"))
        if len(mean) != 3 or len(std) != 3 or min(height, width, *std) <= 0:
            raise ValueError("size, mean or std")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: this checkpoint is damaged or of another version.") from error
    if arch and arch != options.arch:
        raise InputError(f"{path}: this is a checkpoint of {options.arch}, not of {arch}.")
    network = build(options).eval()
    fit(network, document["network"], path, what=options.arch, leave_out=("classifier",))
    return Trained(
        network,
        "body encoder",
        options.arch,
        network.dim,
        (height, width),
        (mean[0], mean[1], mean[2]),
        (std[0], std[1], std[2]),
    )


def write_onnx(trained: Trained, target: Path, *, flip: bool = False) -> Path:
    """Write a network as ONNX: input ``pictures`` (n, 3, h, w), output ``embedding`` (n, dim).

    The batch is free, height and width are fixed, vectors are not of unit length yet. The file
    carries how its pixels are prepared, so that it can be used by its path alone.

    Args:
        trained: The network.
        target: The file, replaced where it exists.
        flip: Whether the mirror image's vector is added, inside the network (twice the work).
    """
    import onnx

    network = Mirrored(trained.network) if flip else trained.network
    # Two pictures: a batch of one would be taken for a fixed size.
    example = torch.zeros(2, 3, *trained.size)
    # The exporter says on every call that torchvision, which nothing here needs, is missing.
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network.eval(),
                (example,),
                input_names=["pictures"],
                output_names=["embedding"],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    model = program.model_proto
    onnx.helper.set_model_props(
        model,
        {
            MEAN_KEY: ",".join(map(str, trained.mean)),
            STD_KEY: ",".join(map(str, trained.std)),
        },
    )
    return saved(model, target)


def export(
    checkpoint: Path,
    *,
    arch: str = "",
    out: Path | None = None,
    name: str = "",
    size: tuple[int, int] | None = None,
    flip: bool = False,
    config: Path | None = None,
) -> models.Model:
    """Write a trained network as ONNX and enter it into the user's model table.

    Args:
        checkpoint: As ``read_trained`` takes it.
        arch: Likewise.
        out: The ONNX file, else the checkpoint's path with the suffix ``.onnx``.
        name: What the model is called in the table, else the stem of ``out``.
        size: Height and width of the input, else those it was trained with.
        flip: As for ``write_onnx``.
        config: The TOML file of the table, else that of ``config_file`` of the models.

    Raises:
        InputError: the file cannot be read, the name is taken, or the size does not suit.
    """
    target = out or checkpoint.with_suffix(".onnx")
    if target.suffix != ".onnx":
        raise InputError(f"{target}: the name of the exported file must end in .onnx.")
    name = name or target.stem
    config = config or models.config_file()
    # Asked before the minutes of work, not after them.
    models.check_new_name(name, config)
    if size is not None and arch == VGGFACE and size != SIZE:
        raise InputError("VGG-Face takes faces of 224x224 alone; leave --size out.")
    if size is not None and min(size) < 32:
        raise InputError(f"The input must be at least 32x32, not {size[0]}x{size[1]}.")
    trained = read_trained(checkpoint, arch)
    trained = replace(trained, size=size or trained.size)
    write_onnx(trained, target, flip=flip)
    folder = config.parent.resolve()
    path = target.resolve()
    entry: dict[str, Any] = {
        "kind": trained.kind,
        "file": (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix(),
        "sha256": models.file_sha256(path),
        "origin": f"{trained.arch}, exported from {checkpoint.name}{', mirrored' if flip else ''}",
        "size": list(trained.size),
        "mean": list(trained.mean),
        "std": list(trained.std),
        "color": "rgb",
        "dim": trained.dim,
    }
    models.add(name, entry, config)
    return models.table(config)[name]
