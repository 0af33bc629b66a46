"""SFace in 8-bit integers against itself in float32, on real faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from castsearch.encoders.align import aligned
from castsearch.encoders.encoder import network
from castsearch.encoders.face_onnx import SFACE, SFACE_INT8, as_batch, encode
from castsearch.errors import InputError
from castsearch.features.asked import asked
from castsearch.features.gather import find_faces
from castsearch.models import config as models
from castsearch.networks.device import CPU, Place
from castsearch.networks.prepare import prepared
from castsearch.networks.quantize import quantize
from castsearch.networks.session import Session
from castsearch.presets import preset
from castsearch.sources.images import decode, read_bytes
from castsearch.types import FloatArray, ImageArray

EXACT, INT8 = models.BY_NAME["sface"], models.BY_NAME["sface-int8"]


def faces_of(paths: list[Path]) -> list[ImageArray]:
    """The best face of each picture, upright."""
    what = asked(preset("face").look)
    chips = []
    for path in paths:
        image = decode(read_bytes(path), path.name)
        found = find_faces(what, image, role="portrait")
        chips.append(aligned(image, np.array(found[0].landmarks)))
    return chips


def vectors(chips: list[ImageArray], tmp_path: Path) -> Iterator[FloatArray]:
    for encoder in (SFACE, SFACE_INT8):
        yield encode(network(encoder, Place(CPU, tmp_path)), encoder.model, chips)


def test_vectors_are_those_of_the_exact_network_but_for_noise(
    data_dir: Path, tmp_path: Path
) -> None:
    paths = sorted((data_dir / "lfw-mini").rglob("*.jpg"))[:60]
    exact, integer = vectors(faces_of(paths), tmp_path)
    cosines = (exact * integer).sum(axis=1)
    assert cosines.mean() > 0.99
    assert cosines.min() > 0.97
    noise = (exact @ exact.T - integer @ integer.T)[np.triu_indices(len(exact), 1)]
    # Cosines of one person and of two lie 0.3 and more apart.
    assert np.abs(noise).max() < 0.1
    assert noise.std() < 0.02
    assert not np.array_equal(exact, integer)


def test_faces_without_the_labelled_data(hopper: Path, collins: Path, tmp_path: Path) -> None:
    chips = faces_of([hopper, collins])
    chips += [chip[:, ::-1].copy() for chip in chips] + [chip // 3 for chip in chips]
    exact, integer = vectors(chips, tmp_path)
    assert (exact * integer).sum(axis=1).min() > 0.97


def test_a_face_has_one_vector_whatever_batch_it_is_in(hopper: Path, tmp_path: Path) -> None:
    (chip,) = faces_of([hopper])
    session = network(SFACE_INT8, Place(CPU, tmp_path))
    n = CPU.per_call("int8")
    assert n > 1
    chips = [np.roll(chip, i, axis=1) for i in range(2 * n + 1)]
    for flip in (False, True):
        together = encode(session, INT8, chips, flip=flip)
        alone = [encode(session, INT8, [one], flip=flip)[0] for one in chips]
        assert np.array_equal(together, np.stack(alone))


def test_a_face_has_one_vector_however_the_network_is_run(hopper: Path, tmp_path: Path) -> None:
    """Without fused nodes and blocked layouts floats come out otherwise, integers do not."""
    (chip,) = faces_of([hopper])
    batch = as_batch([chip], INT8)
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    outputs = {}
    for encoder in (SFACE, SFACE_INT8):
        model = encoder.model
        path = prepared(models.weights(model), model.sha256, tmp_path, model.precision)
        unfused = onnxruntime.InferenceSession(str(path), plain, providers=[CPU.provider])
        (outputs[model.precision],) = unfused.run(None, {"data": batch})
        (fused,) = network(encoder, Place(CPU, tmp_path)).run(batch)
        assert np.array_equal(fused, outputs[model.precision]) == (model is INT8)


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    detector = models.BY_NAME["yunet"]
    with pytest.raises(InputError, match="cannot be made int8: Sub, Mul is expected"):
        prepared(models.weights(detector), detector.sha256, tmp_path, "int8")


@pytest.mark.parametrize(
    ("drop", "sentence"),
    [
        ("Dropout", None),
        ("PRelu", "Conv, BatchNormalization, PRelu is expected where it has"),
        ("Gemm", "BatchNormalization, Gemm, BatchNormalization is expected where it has"),
    ],
)
def test_the_chain_must_be_whole(drop: str, sentence: str | None, tmp_path: Path) -> None:
    model = onnx.load(str(models.weights(EXACT)))
    # The last of its kind is taken out, and what it gave is taken from before it.
    node = [node for node in model.graph.node if node.op_type == drop][-1]
    for user in model.graph.node:
        for i, name in enumerate(user.input):
            if name == node.output[0]:
                user.input[i] = node.input[0]
    model.graph.node.remove(node)
    if sentence is not None:
        with pytest.raises(ValueError, match=sentence):
            quantize(model)
        return
    quantize(model)
    onnx.save(model, str(tmp_path / "m.onnx"))
    assert Session(tmp_path / "m.onnx").input_shape == ("n", 3, 112, 112)
