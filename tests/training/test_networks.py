from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.training.networks import (
    BACKBONES,
    GeneralisedMeanPooling,
    NetworkOptions,
    build,
    imagenet,
    load_backbone,
    weight_file,
)
from castsearch.training.resnet import DEPTHS, ResNet

LITE0 = "efficientnet-lite0"


def pictures(n: int = 2) -> torch.Tensor:
    return torch.rand(n, 3, 64, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("options", "dim"),
    [
        (NetworkOptions("resnet18"), 512),
        (NetworkOptions("resnet18", embedding_dim=128, bnneck=True, pooling="gem"), 128),
        (NetworkOptions(LITE0, last_stride=1, bnneck=True), 1280),
    ],
)
def test_features_neck_and_classifier_have_the_shapes_of_the_options(
    options: NetworkOptions, dim: int
) -> None:
    network = build(options, n_identities=7)
    features = network.features(pictures())
    assert features.shape == (2, dim)
    assert network.dim == dim
    necked = network.neck(features)
    assert torch.equal(necked, features) is not options.bnneck
    assert network.classifier is not None
    assert network.classifier(necked).shape == (2, 7)
    # Bag of Tricks leaves the classifier's bias out and keeps the neck's at zero.
    assert (network.classifier.bias is None) is options.bnneck
    if options.bnneck:
        assert not network.neck.bias.requires_grad
        assert torch.allclose(necked.mean(dim=0), torch.zeros(dim), atol=1e-4)


def test_forward_is_the_neck_of_the_features() -> None:
    network = build(NetworkOptions("resnet18", bnneck=True)).eval()
    assert network.classifier is None
    with torch.no_grad():
        assert torch.equal(network(pictures()), network.neck(network.features(pictures())))


def test_the_generalised_mean_by_hand() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    # The mean, the cube root of (1 + 8 + 27 + 64) / 4, and nearly the maximum.
    with torch.no_grad():
        assert GeneralisedMeanPooling(p=1.0)(maps).item() == pytest.approx(2.5)
        assert GeneralisedMeanPooling()(maps).item() == pytest.approx(25 ** (1 / 3))
        assert GeneralisedMeanPooling(p=60.0)(maps).item() == pytest.approx(4.0, rel=0.03)


def test_the_exponent_is_learnt_and_zeros_have_a_gradient() -> None:
    pooling = GeneralisedMeanPooling()
    maps = torch.zeros(1, 2, 4, 4, requires_grad=True)
    (pooling(maps).sum() + pooling(torch.rand(1, 2, 4, 4)).sum()).backward()
    assert pooling.p.grad is not None
    assert torch.isfinite(pooling.p.grad).all()
    assert maps.grad is not None
    assert torch.isfinite(maps.grad).all()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"arch": "vggface"}, "'vggface' is not a network for re-identification"),
        ({"embedding_dim": -1}, "0 or more"),
        ({"last_stride": 3}, "must be 1 or 2"),
        ({"pooling": "max"}, "'avg' or 'gem'"),
    ],
)
def test_wrong_options_are_refused(changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        NetworkOptions(**(asdict(NetworkOptions("resnet18")) | changed))  # type: ignore[arg-type]


def test_a_torchvision_file_fills_the_backbone_and_its_classifier_is_left_out(
    tmp_path: Path,
) -> None:
    torch.manual_seed(1)
    published = ResNet(DEPTHS["resnet18"])
    state = published.state_dict()
    # Files of the time before torch 0.4.1 have no step counters.
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "resnet18.pth")
    network = build(NetworkOptions("resnet18", bnneck=True))
    load_backbone(network, tmp_path / "resnet18.pth")
    published.eval()
    network.eval()
    with torch.no_grad():
        assert torch.equal(network.backbone.maps(pictures()), published.maps(pictures()))


def test_the_packaged_lite0_weights_fill_the_backbone() -> None:
    network = build(NetworkOptions(LITE0))
    load_backbone(network, models.weights(models.BY_NAME[LITE0]))
    assert float(network.backbone._bn0.running_var.max()) > 2  # A fresh one has ones.


def test_a_checkpoint_of_ours_fills_the_backbone(tmp_path: Path) -> None:
    torch.manual_seed(2)
    options = NetworkOptions(LITE0, embedding_dim=16)
    trained = build(options, n_identities=3)
    path = tmp_path / "best.pt"
    torch.save({"network": trained.state_dict(), "options": asdict(options), "step": 5}, path)
    network = build(NetworkOptions(LITE0, bnneck=True))
    load_backbone(network, path)
    own, given = network.backbone.state_dict(), trained.backbone.state_dict()
    assert all(torch.equal(own[name], given[name]) for name in given)


def test_weights_are_named_by_path_or_by_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert weight_file(LITE0) == models.weights(models.BY_NAME[LITE0])
    Path("mine.pth").write_bytes(b"x")
    assert weight_file("mine.pth") == Path("mine.pth")
    models.add("ours", {"kind": "backbone weights", "file": "mine.pth"})
    assert weight_file("ours") == (tmp_path / "mine.pth").resolve()
    for name in ("none.pth", "sface"):
        with pytest.raises(InputError, match=f"{name}: no such weight file.*resnet50-imagenet"):
            weight_file(name)


@pytest.mark.parametrize("arch", BACKBONES)
def test_every_backbone_has_public_weights_in_the_table(arch: str) -> None:
    model = imagenet(arch)
    with torch.device("meta"):
        assert model.dim == build(NetworkOptions(arch)).dim
    assert all(value > 50 for value in (*model.mean, *model.std))  # Of pixels 0..255.


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    network = build(NetworkOptions("resnet18"))
    before = network.backbone.conv1.weight.clone()
    path = tmp_path / "weights.pth"

    torch.save(ResNet(DEPTHS["resnet34"]).state_dict(), path)
    with pytest.raises(InputError, match=r"with no place for it, 'layer1\.2\.conv1\.weight' and"):
        load_backbone(network, path)

    state = ResNet(DEPTHS["resnet18"]).state_dict()
    torch.save({k: v for k, v in state.items() if k != "layer4.1.conv2.weight"}, path)
    with pytest.raises(InputError, match=r"lacks 'layer4\.1\.conv2\.weight'\."):
        load_backbone(network, path)

    torch.save(state | {"conv1.weight": torch.zeros(64, 1, 7, 7)}, path)
    with pytest.raises(InputError, match=r"'conv1\.weight' has the shape \(64, 1, 7, 7\)"):
        load_backbone(network, path)
    assert torch.equal(network.backbone.conv1.weight, before)
