from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.networks.lite0 import STAGES, blocks, lite0_onnx, prepared_lite0
from castsearch.networks.session import Session
from castsearch.training.efficientnet import EfficientNetLite0
from castsearch.training.weights import read_state

MODEL = models.BY_NAME["efficientnet-lite0"]


@pytest.fixture(scope="module")
def weights() -> Path:
    return models.weights(MODEL)


@pytest.fixture(scope="module")
def exported(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lite0_onnx(weights, tmp_path_factory.mktemp("lite0") / "lite0.onnx")


@pytest.fixture(scope="module")
def network(weights: Path) -> EfficientNetLite0:
    network = EfficientNetLite0()
    network.load_state_dict(read_state(weights))
    return network.eval()


def as_input(picture: Image.Image, height: int, width: int) -> np.ndarray:
    pixels = np.asarray(picture.convert("RGB").resize((width, height)), dtype=np.float32)
    scaled = (pixels - np.float32(MODEL.mean)) / np.float32(MODEL.std)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def test_the_table_has_the_16_blocks_of_b0() -> None:
    table = blocks()
    assert len(table) == 16
    assert [block.n_out for block in table if block.residual] == [24, 40, 80, 80, 112, 112] + [
        192
    ] * 3
    assert [block.stride for block in table].count(2) == 4
    assert [block.stride for block in blocks(last_stride=1)].count(2) == 3
    assert table[-1].n_out == STAGES[-1].n_out == 320


@pytest.mark.parametrize(("height", "width"), [(256, 128), (128, 64), (101, 45)])
def test_onnx_and_torch_agree_on_real_crops(
    height: int, width: int, exported: Path, network: EfficientNetLite0, data_dir: Path
) -> None:
    crops = sorted((data_dir / "reid-pku" / "val").rglob("*.png"))[:2]
    batch = np.concatenate([as_input(Image.open(crop), height, width) for crop in crops])
    maps: dict[str, torch.Tensor] = {}
    handles = [
        stage.register_forward_hook(lambda _m, _i, out, name=name: maps.update({name: out}))
        for name, stage in network.stages().items()
    ]
    with torch.no_grad():
        expected = network.maps(torch.from_numpy(batch)).mean(dim=(2, 3))
    for handle in handles:
        handle.remove()
    embedding, stage3, stage6 = Session(exported).run(batch)
    assert embedding.shape == (2, 1280)
    assert stage3.shape == (2, 40, -(-height // 8), -(-width // 8))
    assert stage6.shape == (2, 192, -(-height // 32), -(-width // 32))
    assert abs(embedding - expected.numpy()).max() < 1e-4
    for name, found in (("stage3", stage3), ("stage6", stage6)):
        # Maps before an activation reach tens, so that float32 rounds them more.
        wanted = maps[name].numpy()
        assert abs(found - wanted).max() < 1e-5 * abs(wanted).max()


@pytest.mark.parametrize(("picture", "classes"), [("coffee", {967}), ("chelsea", {281, 282, 285})])
def test_the_weights_know_an_espresso_and_a_tabby_when_prepared_as_the_entry_says(
    picture: str, classes: set[int], network: EfficientNetLite0
) -> None:
    import skimage.data

    image = Image.fromarray(getattr(skimage.data, picture)())
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    centre = image.crop((left, top, left + side, top + side))
    with torch.no_grad():
        scores = network(torch.from_numpy(as_input(centre, 224, 224))).softmax(dim=1)[0]
    assert int(scores.argmax()) in classes
    assert float(scores[sorted(classes)].sum()) > 0.8


def test_the_file_is_valid_onnx_of_free_batch_and_size(exported: Path) -> None:
    model = onnx.load(str(exported))
    onnx.checker.check_model(model, full_check=True)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["n", 3, "h", "w"]


def test_it_is_made_once(weights: Path, tmp_path: Path) -> None:
    first = prepared_lite0(weights, MODEL.sha256, tmp_path / "models")
    made = first.stat().st_mtime_ns
    assert prepared_lite0(weights, MODEL.sha256, tmp_path / "models") == first
    assert first.stat().st_mtime_ns == made
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"conv1.weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match=r"not the weights of EfficientNet-lite0: '_bn0\.weight'"):
        lite0_onnx(path, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
