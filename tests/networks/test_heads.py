"""Heads side by side give the numbers that they gave one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from castsearch.models import config as models
from castsearch.networks.heads import ROWS, merge_heads
from castsearch.networks.prepare import prepared
from castsearch.networks.rewrite import fold_weights, free_axes, rewrite
from castsearch.networks.session import Session


def head(name: str, source: str, width: int, *, sigmoid: bool, constants: dict) -> list:
    """A pointwise and a depthwise convolution and their cells as rows; adds its constants."""
    rng = np.random.default_rng(len(constants))
    constants |= {
        f"{name}_pw": rng.normal(size=(width, 2, 1, 1)).astype(np.float32),
        f"{name}_pb": rng.normal(size=width).astype(np.float32),
        f"{name}_dw": rng.normal(size=(width, 1, 3, 3)).astype(np.float32),
        f"{name}_db": rng.normal(size=width).astype(np.float32),
        f"{name}_shape": np.array([0, -1, width], np.int64),
    }
    rows = f"{name}_rows" if sigmoid else name
    nodes = [
        helper.make_node("Conv", [source, f"{name}_pw", f"{name}_pb"], [f"{name}_p"]),
        helper.make_node(
            "Conv",
            [f"{name}_p", f"{name}_dw", f"{name}_db"],
            [f"{name}_d"],
            group=width,
            pads=[1, 1, 1, 1],
        ),
        helper.make_node("Transpose", [f"{name}_d"], [f"{name}_t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{name}_t", f"{name}_shape"], [rows]),
    ]
    if sigmoid:
        nodes.append(helper.make_node("Sigmoid", [rows], [name]))
    return nodes


def network(*, widths: tuple[tuple[int, int], tuple[int, int]] = ((1, 4), (1, 4))):
    """Two maps, the second half as large, with a score and a box each."""
    constants: dict[str, np.ndarray] = {}
    nodes = [
        helper.make_node("Relu", ["x"], ["large"]),
        helper.make_node("MaxPool", ["large"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    names = []
    for source, (score, box) in zip(("large", "small"), widths, strict=True):
        for kind, width in (("score", score), ("box", box)):
            names.append(f"{source}_{kind}")
            sigmoid = kind == "score"
            nodes += head(names[-1], source, width, sigmoid=sigmoid, constants=constants)
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, "h", "w"])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", "c", "k"]) for n in names],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_rows_hold_the_cells_of_one_map_after_the_other() -> None:
    x = np.random.default_rng(9).normal(size=(2, 2, 4, 6)).astype(np.float32)
    model = network()
    large_score, large_box, small_score, small_box = ReferenceEvaluator(model).run(None, {"x": x})
    merge_heads(model)
    assert [output.name for output in model.graph.output] == [ROWS]
    assert [node.op_type for node in model.graph.node].count("Conv") == 4
    (rows,) = ReferenceEvaluator(model).run(None, {"x": x})
    assert rows.shape == (2, 24 + 6, 5)
    # The sigmoid at the end of the scores is left to the caller.
    scores = 1 / (1 + np.exp(-rows[..., :1]))
    np.testing.assert_allclose(scores[:, :24], large_score, atol=1e-6)
    np.testing.assert_allclose(scores[:, 24:], small_score, atol=1e-6)
    np.testing.assert_allclose(rows[:, :24, 1:], large_box, atol=1e-5)
    np.testing.assert_allclose(rows[:, 24:, 1:], small_box, atol=1e-5)


@pytest.mark.parametrize("change", ["width", "output", "stride"])
def test_other_networks_stay_as_they_are(change: str) -> None:
    model = network(widths=((1, 4), (1, 2))) if change == "width" else network()
    if change == "output":
        model.graph.output.append(onnx.ValueInfoProto(name="large"))
    if change == "stride":
        depth = next(node for node in model.graph.node if node.output[0] == "small_box_d")
        depth.attribute.append(helper.make_attribute("strides", [2, 2]))
    before = model.SerializeToString()
    merge_heads(model)
    assert model.SerializeToString() == before


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
