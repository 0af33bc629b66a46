from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from castsearch.encoders import body
from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.networks.session import Session
from castsearch.training.export import export, read_trained, write_onnx
from castsearch.training.networks import NetworkOptions, ReidNetwork, build
from castsearch.training.resnet import DEPTHS, ResNet

LITE0 = "efficientnet-lite0"
MEAN, STD = (120.0, 110.0, 100.0), (60.0, 58.0, 57.0)


def checkpoint(path: Path, options: NetworkOptions) -> ReidNetwork:
    """A checkpoint as the training writes it, of a network whose norms have seen something."""
    torch.manual_seed(3)
    network = build(options, n_identities=5)
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 32))
    document = {
        "network": network.state_dict(),
        "options": asdict(options),
        "size": [128, 64],
        "mean": list(MEAN),
        "std": list(STD),
        "step": 12,
    }
    torch.save(document, path)
    return network.eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of one checkpoint."""
    path = tmp_path_factory.mktemp("saved") / "best.pt"
    checkpoint(path, NetworkOptions(LITE0))
    return path.read_bytes()


@pytest.fixture(scope="module")
def crops(data_dir: Path) -> list[np.ndarray]:
    paths = sorted((data_dir / "reid-pku" / "val").rglob("*.png"))[:3]
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def by_torch(network: torch.nn.Module, batch: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(network(torch.from_numpy(batch)))


def as_batch(crops: list[np.ndarray], size: tuple[int, int] = (128, 64)) -> np.ndarray:
    pixels = np.stack([body.resized(crop, size) for crop in crops]).astype(np.float32)
    prepared = (pixels - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(prepared.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    "options",
    [
        NetworkOptions(LITE0, embedding_dim=64, bnneck=True, pooling="gem"),
        NetworkOptions("resnet18", last_stride=1),
    ],
    ids=lambda o: o.arch,
)
def test_onnx_and_torch_agree_on_real_crops(
    options: NetworkOptions,
    crops: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    network = checkpoint(Path("best.pt"), options)
    model = export(Path("best.pt"), name="mine")
    assert model == models.table()["mine"]
    assert (model.kind, model.size, model.dim) == ("body encoder", (128, 64), network.dim)
    assert (model.mean, model.std, model.color) == (MEAN, STD, "rgb")
    assert models.weights(model) == tmp_path / "best.onnx"
    # The path in the file is relative to it, so that the folder may be moved.
    assert 'file = "best.onnx"' in Path("castsearch.toml").read_text()

    session = Session(models.weights(model))
    batch = as_batch(crops)
    expected = by_torch(network, batch)
    for n in (1, 3):  # The batch is free.
        assert abs(session.run(batch[:n])[0] - expected[:n]).max() < 1e-4
    # And the way that ranking takes: pixels prepared as the entry and the file's metadata say.
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assert abs(body.encode(session, model, crops) - unit).max() < 1e-4
    alone = models.from_file(Path("best.onnx"), kind="body encoder")
    assert body.with_metadata(session, alone).mean == MEAN
    assert body.with_metadata(session, alone).std == STD


def test_with_flip_the_network_adds_the_mirror_image(
    crops: list[np.ndarray], tmp_path: Path
) -> None:
    network = checkpoint(tmp_path / "best.pt", NetworkOptions("resnet18"))
    write_onnx(read_trained(tmp_path / "best.pt"), tmp_path / "flip.onnx", flip=True)
    batch = as_batch(crops)
    mirrored = np.ascontiguousarray(batch[..., ::-1])
    expected = by_torch(network, batch) + by_torch(network, mirrored)
    session = Session(tmp_path / "flip.onnx")
    assert abs(session.run(batch)[0] - expected).max() < 1e-4
    assert abs(session.run(mirrored)[0] - session.run(batch)[0]).max() < 1e-4


def test_a_file_of_weights_alone_is_exported_with_its_architecture(tmp_path: Path) -> None:
    torch.manual_seed(4)
    published = ResNet(DEPTHS["resnet18"]).eval()
    torch.save(published.state_dict(), tmp_path / "resnet18.pth")
    config = tmp_path / "sub" / "castsearch.toml"
    model = export(
        tmp_path / "resnet18.pth",
        arch="resnet18",
        out=tmp_path / "out" / "r18.onnx",
        size=(96, 48),
        config=config,
    )
    assert model.name == "r18"
    assert model.size == (96, 48)
    assert model.mean == models.BY_NAME["resnet18-imagenet"].mean
    # Outside the folder of the config file the path is whole.
    assert Path(model.file) == tmp_path / "out" / "r18.onnx"
    x = np.random.default_rng(0).standard_normal((2, 3, 96, 48), dtype=np.float32)
    published.fc = None  # Without its classifier it gives the pooled maps.
    pooled = by_torch(published, x)
    assert abs(Session(Path(model.file)).run(x)[0] - pooled).max() < 1e-4
    dims = onnx.load(model.file).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["n", 3, 96, 48]


@pytest.mark.parametrize(
    ("changed", "options", "sentence"),
    [
        ({}, {"arch": "resnet50"}, "a checkpoint of efficientnet-lite0, not of resnet50"),
        ({}, {"arch": "resnet51"}, "no architecture 'resnet51'"),
        ({}, {"name": "sface"}, "a model 'sface' already"),
        ({}, {"out": Path("best.pt")}, r"must end in \.onnx"),
        ({}, {"size": (16, 64)}, "at least 32x32"),
        ({"size": None}, {}, "damaged or of another version"),
        ({"mean": [1.0]}, {}, "damaged or of another version"),
        ({"options": {"arch": LITE0, "bnneck": True}}, {}, "lacks 'neck.weight'"),
        ({"options": {"arch": "vgg"}}, {}, "'vgg' is not a network"),
    ],
)
def test_refused_exports_write_nothing(
    changed: dict[str, Any],
    options: dict[str, Any],
    sentence: str,
    saved: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    document = torch.load(io.BytesIO(saved), weights_only=True)
    torch.save(document | changed, "best.pt")
    with pytest.raises(InputError, match=sentence):
        export(Path("best.pt"), **options)
    assert [path.name for path in tmp_path.iterdir()] == ["best.pt"]


def test_a_file_without_architecture_is_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="say --arch, one of resnet18"):
        read_trained(tmp_path / "w.pth")
