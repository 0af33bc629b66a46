"""Networks made ready at the first use, and kept."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from castsearch.errors import CastsearchError, InputError
from castsearch.models import config as models
from castsearch.networks.prepare import VERSION, prepared, saved


def identity() -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [value], [out])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


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
        prepared(path, "0" * 64, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_name_says_which_bytes_form_and_version(tmp_path: Path) -> None:
    onnx.save(identity(), str(tmp_path / "same.onnx"))
    path = prepared(tmp_path / "same.onnx", "0123456789abcdef" + "f" * 48, tmp_path / "cache")
    assert path == tmp_path / "cache" / f"same-0123456789abcdef-{VERSION}.onnx"
    # A file with other bytes has another form beside it.
    other = prepared(tmp_path / "same.onnx", "f" * 64, tmp_path / "cache")
    assert {p.name for p in path.parent.iterdir()} == {path.name, other.name}


def test_the_integers_of_a_network_lie_beside_its_floats(tmp_path: Path) -> None:
    model = models.BY_NAME["sface-int8"]
    path = prepared(models.weights(model), model.sha256, tmp_path, "int8")
    assert path.name == f"{models.weights(model).stem}-{model.sha256[:16]}-int8-{VERSION}.onnx"
    kinds = {node.op_type for node in onnx.load(str(path)).graph.node}
    assert kinds == {"QuantizeLinear", "QLinearConv", "QLinearAdd", "Flatten", "QGemm"}


def test_a_network_is_written_whole_into_a_new_folder(tmp_path: Path) -> None:
    target = tmp_path / "new" / "m.onnx"
    assert saved(identity(), target) == target
    assert onnx.load(str(target)) == identity()
    assert [path.name for path in target.parent.iterdir()] == ["m.onnx"]


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "m.onnx"
    saved(identity(), target)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save", full)
    with pytest.raises((OSError, CastsearchError), match="No space left"):
        saved(identity(), target)
    assert onnx.load(str(target)) == identity()
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
