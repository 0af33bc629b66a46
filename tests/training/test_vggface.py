from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from castsearch.encoders import face_onnx
from castsearch.errors import InputError
from castsearch.networks.session import Session
from castsearch.training.export import export
from castsearch.training.vggface import VggFace, load_vggface, read_mat

# Layer by layer, maps and side, for one picture of 224x224 (table of the paper, network D).
SHAPES = {
    **dict.fromkeys(["conv1_1", "relu1_1", "conv1_2", "relu1_2"], (64, 224)),
    "pool1": (64, 112),
    **dict.fromkeys(["conv2_1", "relu2_1", "conv2_2", "relu2_2"], (128, 112)),
    "pool2": (128, 56),
    **dict.fromkeys([f"{k}3_{i}" for i in (1, 2, 3) for k in ("conv", "relu")], (256, 56)),
    "pool3": (256, 28),
    **dict.fromkeys([f"{k}4_{i}" for i in (1, 2, 3) for k in ("conv", "relu")], (512, 28)),
    "pool4": (512, 14),
    **dict.fromkeys([f"{k}5_{i}" for i in (1, 2, 3) for k in ("conv", "relu")], (512, 14)),
    "pool5": (512, 7),
    **dict.fromkeys(["fc6", "relu6", "fc7", "relu7"], (4096, 1)),
    **dict.fromkeys(["fc8", "prob"], (2622, 1)),
}


@pytest.fixture(scope="module")
def network() -> VggFace:
    with torch.device("meta"):
        network = VggFace()
    generator = torch.Generator().manual_seed(0)
    state = {
        # Of a size that keeps the activations alive through all layers.
        name: torch.rand(tensor.shape, generator=generator).sub_(0.5)
        * (3.5 / tensor[0].numel() ** 0.5)
        if tensor.ndim == 4
        else torch.rand(tensor.shape, generator=generator) * 0.1
        for name, tensor in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    return network.eval()


def as_matconvnet(network: VggFace, *, old: bool = False, wrapped: bool = True) -> dict[str, Any]:
    """The variables of a ``.mat`` file as MATLAB holds them: a cell array of structures."""
    cells = np.empty((1, len(list(network.named_children()))), dtype=object)
    for i, (name, layer) in enumerate(network.named_children()):
        cell: dict[str, Any] = {"name": name, "type": name.rstrip("_0123456789")}
        if isinstance(layer, torch.nn.Conv2d):
            filters = layer.weight.detach().numpy().transpose(2, 3, 1, 0)
            biases = layer.bias.detach().numpy()
            if old:
                cell |= {"type": "conv", "filters": filters, "biases": biases[None]}
            else:
                pair = np.empty((1, 2), dtype=object)
                pair[0, 0], pair[0, 1] = filters, biases[:, None]
                cell |= {"type": "conv", "weights": pair, "stride": 1.0}
        cells[0, i] = cell
    found = {"layers": cells, "meta": {"normalization": {"averageImage": np.zeros((1, 1, 3))}}}
    return {"net": found} if wrapped else found


@pytest.fixture(scope="module")
def face(hopper: Path) -> np.ndarray:
    portrait = Image.open(hopper).convert("RGB")
    return np.asarray(portrait.crop((100, 50, 400, 350)).resize((224, 224)))


def test_37_layers_have_the_published_shapes() -> None:
    with torch.device("meta"):
        network, x = VggFace(), torch.zeros(1, 3, 224, 224)
    assert len(SHAPES) == len(list(network.children())) == 37
    for name, layer in network.named_children():
        x = layer(x)
        maps, side = SHAPES[name]
        assert tuple(x.shape) == (1, maps, side, side), name


@pytest.fixture(scope="module")
def mat(network: VggFace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("vgg") / "vgg_face.mat"
    savemat(path, as_matconvnet(network))
    yield path
    path.unlink()  # More than half a gigabyte.


@pytest.fixture(scope="module")
def descriptor(network: VggFace, face: np.ndarray) -> np.ndarray:
    """fc7 after its ReLU, computed layer by layer."""
    pixels = face.astype(np.float32) - np.float32([129.1863, 104.7624, 93.5940])
    x = torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        for name, layer in network.named_children():
            x = layer(x)
            if name == "relu7":
                return np.asarray(x.flatten())
    raise AssertionError("there is no relu7")


def test_a_random_network_saved_as_mat_gives_the_same_outputs(mat: Path, network: VggFace) -> None:
    read = load_vggface(mat)
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 255 - 110
    with torch.no_grad():
        prob = read(x)
        assert torch.equal(prob, network(x))
    assert prob.shape == (1, 2622, 1, 1)
    assert prob.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert prob.max() > 2 / 2622  # The weights keep the layers alive, so that equality says much.


def test_the_exported_encoder_gives_fc7_of_unit_length(
    mat: Path, face: np.ndarray, descriptor: np.ndarray, tmp_path: Path
) -> None:
    out, config = tmp_path / "vggface.onnx", tmp_path / "castsearch.toml"
    model = export(mat, arch="vggface", out=out, config=config)
    assert (model.kind, model.dim, model.size) == ("face encoder", 4096, (224, 224))
    assert model.mean == (129.1863, 104.7624, 93.5940)
    vector = face_onnx.encode(Session(out), model, [face])[0]
    out.unlink()
    assert descriptor.min() == 0.0  # A ReLU's output, and not all of it zero.
    assert abs(vector - descriptor / np.linalg.norm(descriptor)).max() < 1e-4
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_another_size_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="224x224 alone"):
        export(tmp_path / "none.mat", arch="vggface", size=(112, 112))


class Tiny(torch.nn.Sequential):
    """Two layers, one with weights, for what does not depend on the size of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("conv1_1", torch.nn.Conv2d(3, 4, (3, 5)))
        self.add_module("relu1_1", torch.nn.ReLU())


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_both_layouts_of_matconvnet_are_read(old: bool, wrapped: bool, tmp_path: Path) -> None:
    tiny = Tiny()
    savemat(tmp_path / "net.mat", as_matconvnet(tiny, old=old, wrapped=wrapped))  # type: ignore[arg-type]
    state = read_mat(tmp_path / "net.mat")
    assert list(state) == ["conv1_1.weight", "conv1_1.bias"]
    assert torch.equal(state["conv1_1.weight"], tiny.conv1_1.weight)
    assert torch.equal(state["conv1_1.bias"], tiny.conv1_1.bias)


def test_a_torch_file_with_matrices_is_read_too(network: VggFace, tmp_path: Path) -> None:
    path = tmp_path / "vgg_face.pth"
    state: Mapping[str, torch.Tensor] = {
        name: tensor.flatten(1) if name.startswith("fc") and tensor.ndim == 4 else tensor
        for name, tensor in network.state_dict().items()
    }
    torch.save(state, path)
    read = load_vggface(path)
    path.unlink()
    for name in ("conv5_3", "fc6", "fc8"):
        assert torch.equal(getattr(read, name).weight, getattr(network, name).weight)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such weight file"):
        load_vggface(tmp_path / "none.mat")
    path = tmp_path / "net.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform".ljust(124) + b"\x00\x02IM" + bytes(64))
    with pytest.raises(InputError, match="save it with -v7"):
        load_vggface(path)
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="not a readable MATLAB file"):
        load_vggface(path)
    savemat(path, {"x": np.zeros(3)})
    with pytest.raises(InputError, match="holds no MatConvNet network"):
        load_vggface(path)
    savemat(path, as_matconvnet(Tiny()))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not the weights of VGG-Face"):
        load_vggface(path)
