from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.networks.prepare import prepared
from castsearch.networks.rewrite import fold_weights, free_axes, rewrite
from castsearch.networks.session import Session


def small_model() -> onnx.ModelProto:
    """int8 blocks -> conv -> PRelu, with a weight listed as an input and a fixed batch of 1."""
    rng = np.random.default_rng(1)
    constants = {
        "q": rng.integers(-127, 128, (4, 27), dtype=np.int8),
        "scale": rng.uniform(0.001, 0.01, (4, 3)).astype(np.float32),
        "zero": rng.integers(-3, 4, (4, 3), dtype=np.int8),
        "shape": np.array([4, 3, 3, 3]),
        "slope": np.array([-0.5, 0.25, 1.5, 0.0], np.float32).reshape(4, 1, 1),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"], axis=1, block_size=10),
        helper.make_node("Reshape", ["d", "shape"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["z"]),
        helper.make_node("PRelu", ["z", "slope"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8]),
            helper.make_tensor_value_info("slope", TensorProto.FLOAT, [4, 1, 1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_the_rewritten_graph_computes_the_same_in_batches(tmp_path: Path) -> None:
    model = small_model()
    images = np.random.default_rng(2).normal(size=(3, 3, 8, 8)).astype(np.float32)
    reference = ReferenceEvaluator(model)
    expected = np.concatenate([reference.run(None, {"x": images[i : i + 1]})[0] for i in range(3)])
    rewrite(model)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds == {"Conv", "Relu", "Add"}
    assert [i.name for i in model.graph.input] == ["x"]
    onnx.save(model, str(tmp_path / "m.onnx"))
    session = Session(tmp_path / "m.onnx")
    assert session.run(images)[0] == pytest.approx(expected, abs=1e-5)


def test_a_model_is_rewritten_once(tmp_path: Path) -> None:
    model = models.BY_NAME["yunet"]
    first = prepared(models.weights(model), model.sha256, tmp_path)
    time = first.stat().st_mtime_ns
    assert prepared(models.weights(model), model.sha256, tmp_path) == first
    assert first.stat().st_mtime_ns == time
    assert [p.name for p in tmp_path.iterdir()] == [first.name]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is no network")
    with pytest.raises(InputError, match=r"text\.onnx"):
        Session(prepared(path, "0" * 64, tmp_path / "cache"))


def test_one_output_holds_all_of_the_detector_s(tmp_path: Path) -> None:
    model = models.BY_NAME["yunet"]
    plain = onnx.load(str(models.weights(model)))
    fold_weights(plain)
    free_axes(plain)
    onnx.save(plain, str(tmp_path / "plain.onnx"))
    names = [output.name for output in plain.graph.output]
    picture = np.random.default_rng(3).uniform(0, 255, (1, 3, 96, 64)).astype(np.float32)
    expected = dict(zip(names, Session(tmp_path / "plain.onnx").run(picture), strict=True))
    session = Session(prepared(models.weights(model), model.sha256, tmp_path))
    (rows,) = session.run(picture)
    assert rows.shape == (1, (12 * 8) + (6 * 4) + (3 * 2), 16)
    columns = {"cls": slice(0, 1), "bbox": slice(1, 5), "obj": slice(5, 6), "kps": slice(6, 16)}
    for kind, column in columns.items():
        got = rows[0, :, column]
        if kind in {"cls", "obj"}:
            got = 1 / (1 + np.exp(-got))
        maps = np.concatenate([expected[f"{kind}_{stride}"][0] for stride in (8, 16, 32)])
        np.testing.assert_allclose(got, maps, atol=1e-4)


def test_heads_of_different_kinds_stay_apart() -> None:
    model = onnx.load(str(models.weights(models.BY_NAME["yunet"])))
    # One output more, and the network is no longer all heads.
    model.graph.output.append(onnx.ValueInfoProto(name="242"))
    rewrite(model)
    assert len(model.graph.output) == 13
