"""VGG-Face (Parkhi et al., "Deep Face Recognition", BMVC 2015): 37 layers, all of them local.

Thirteen convolutions with their ReLUs, five poolings, and the fully connected layers as
convolutions of 7x7 and 1x1 with ReLUs between them and a softmax at the end; dropout, which only
training has, is not counted. A face is described by what the classifier fc8 sees: the 4096 numbers
of fc7 after its ReLU, of unit length (section 4.1 of the paper writes the scores as W phi + b).

The input is 224x224 RGB, 0..255, less the mean of the training faces.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.training.weights import fit, read_state

SIZE = (224, 224)
MEAN = (129.1863, 104.7624, 93.5940)
"""Mean red, green and blue of the training faces, as the authors' file says it."""

DIM = 4096
N_IDENTITIES = 2622
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions, pooling by pooling."""


class VggFace(nn.Sequential):
    """The 37 layers by the names of the authors' file: conv1_1, relu1_1 .. fc8, prob."""

    def __init__(self) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        n_in = 3
        for block, widths in enumerate(BLOCKS, start=1):
            for i, width in enumerate(widths, start=1):
                layers[f"conv{block}_{i}"] = nn.Conv2d(n_in, width, 3, padding=1)
                layers[f"relu{block}_{i}"] = nn.ReLU(inplace=True)
                n_in = width
            layers[f"pool{block}"] = nn.MaxPool2d(2)
        layers["fc6"] = nn.Conv2d(n_in, DIM, 7)
        layers["relu6"] = nn.ReLU(inplace=True)
        layers["fc7"] = nn.Conv2d(DIM, DIM, 1)
        layers["relu7"] = nn.ReLU(inplace=True)
        layers["fc8"] = nn.Conv2d(DIM, N_IDENTITIES, 1)
        layers["prob"] = nn.Softmax(dim=1)
        super().__init__(layers)

    def stages(self) -> dict[str, nn.Module]:
        """The poolings, by name: the layers after which the maps are half as large."""
        return {name: layer for name, layer in self.named_children() if name.startswith("pool")}


class VggFaceDescriptor(nn.Module):
    """The layers of a VGG-Face network up to relu7."""

    def __init__(self, network: VggFace) -> None:
        super().__init__()
        layers = OrderedDict(network.named_children())
        del layers["fc8"], layers["prob"]
        self.layers = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Descriptors, shape (n, 4096), not yet of unit length, of faces (n, 3, 224, 224)."""
        return torch.flatten(self.layers(x), 1)


def load_vggface(path: Path) -> VggFace:
    """VGG-Face with the weights of a file, in evaluation mode.

    Takes the authors' MatConvNet file (``.mat``) and torch state dicts with the same layer names,
    also those that keep the fully connected layers as matrices.

    Raises:
        InputError: the file cannot be read, or holds the weights of another network.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weight file.")
    state = read_mat(path) if path.suffix.lower() == ".mat" else _as_filters(read_state(path))
    with torch.device("meta"):
        network = VggFace()
    # Half a gigabyte of weights: they take the place of the empty ones instead of being copied.
    fit(network, state, path, what="VGG-Face", assign=True)
    network.eval()
    return network


def read_mat(path: Path) -> dict[str, Tensor]:
    """The filters and biases of a MatConvNet network, as the state dict of a torch one.

    MatConvNet keeps filters as height x width x input x output, in ``weights`` (since its
    version 1.0-beta10) or in ``filters`` and ``biases``; torch wants output x input x height x
    width. Both correlate, so that nothing is mirrored.

    Raises:
        InputError: the file is no MATLAB file up to version 7, or holds no such network.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        document = loadmat(str(path), variable_names=("net", "layers"))
    except NotImplementedError as error:
        raise InputError(
            f"{path}: MATLAB files of version 7.3 are not read; save it with -v7."
        ) from error
    except (MatReadError, ValueError, TypeError, OSError, EOFError) as error:
        raise InputError(f"{path}: this is not a readable MATLAB file: {error}.") from error
    try:
        # The network is the file itself, or its one variable "net".
        layers = document["net"]["layers"][0, 0] if "net" in document else document["layers"]
        state: dict[str, Tensor] = {}
        for cell in layers.ravel():
            layer = cell[0, 0]
            pair = _filters_and_biases(layer)
            if pair is not None:
                name = str(layer["name"].item())
                filters, biases = pair
                state[f"{name}.weight"] = _tensor(filters.transpose(3, 2, 0, 1))
                state[f"{name}.bias"] = _tensor(biases.ravel())
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: this MATLAB file holds no MatConvNet network of convolutions "
            f"(net.layers with names, filters and biases)."
        ) from error
    return state


def _filters_and_biases(layer: Any) -> tuple[Any, Any] | None:
    """The two arrays of one layer of a MatConvNet file; ``None`` for a layer without weights."""
    fields = layer.dtype.names
    if "weights" in fields and layer["weights"].size == 2:
        filters, biases = layer["weights"].ravel()
        return filters, biases
    if "filters" in fields:
        return layer["filters"], layer["biases"]
    return None


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _as_filters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices of fully connected layers as filters; their columns run channel, row, column."""
    sizes = {"fc6.weight": 7, "fc7.weight": 1, "fc8.weight": 1}
    return {
        name: tensor.reshape(len(tensor), -1, sizes[name], sizes[name])
        if name in sizes and tensor.ndim == 2 and tensor.shape[1] % sizes[name] ** 2 == 0
        else tensor
        for name, tensor in state.items()
    }
