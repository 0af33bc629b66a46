"""One network ready to run: what it says of itself, what it gives, and what cannot be run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from castsearch.errors import InputError
from castsearch.networks.device import CPU, Device
from castsearch.networks.session import Session


@pytest.fixture
def doubles(tmp_path: Path) -> Path:
    """A network that gives its input doubled, then the input itself."""
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("twice", "once")]
    nodes = [
        helper.make_node("Add", ["pixels", "pixels"], ["twice"]),
        helper.make_node("Identity", ["pixels"], ["once"]),
    ]
    graph = helper.make_graph(
        nodes,
        "doubles",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 4, "w"])],
        outputs,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"castsearch.mean": "1,2,3"})
    path = tmp_path / "doubles.onnx"
    onnx.save(model, str(path))
    return path


def test_a_network_says_what_it_takes_and_gives_all_outputs(doubles: Path) -> None:
    session = Session(doubles)
    assert session.input_name == "pixels"
    assert session.input_shape == ("n", 3, 4, "w")
    assert session.metadata == {"castsearch.mean": "1,2,3"}
    assert session.place is CPU
    batch = np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2)
    twice, once = session.run(batch)
    assert twice.dtype == once.dtype == np.float32
    np.testing.assert_array_equal(twice, 2 * batch)
    np.testing.assert_array_equal(once, batch)


@pytest.mark.parametrize(("n_threads", "wanted"), [(0, 3), (1, 1), (2, 2)])
def test_a_call_takes_the_threads_of_its_device_or_those_it_is_given(
    n_threads: int, wanted: int, doubles: Path
) -> None:
    place = Device("cpu", "CPUExecutionProvider", n_threads=3)
    session = Session(doubles, place, n_threads=n_threads)
    options = session._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (wanted, 1)
    assert session.place is place


def test_what_a_device_cannot_run_runs_on_the_cpu(
    doubles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    asked: list[list[str]] = []
    real = onnxruntime.InferenceSession

    def remember(path: str, options: object, *, providers: list[str]) -> object:
        asked.append(providers)
        return real(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", remember)
    Session(doubles, Device("cuda", "CUDAExecutionProvider"))
    Session(doubles)
    assert asked == [["CUDAExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]]


def test_one_session_serves_several_threads(doubles: Path) -> None:
    session = Session(doubles)
    batches = [np.full((1, 3, 4, 50), i, np.float32) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda batch: session.run(batch)[0], batches))
    for i, output in enumerate(outputs):
        assert (output == 2 * i).all()


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is no network")
    with pytest.raises(InputError, match=r"text\.onnx: onnxruntime cannot run this model: "):
        Session(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        Session(tmp_path / "gone.onnx")
    assert str(refusal.value).startswith(f"{tmp_path / 'gone.onnx'}: onnxruntime cannot run this")
    assert "\n" not in str(refusal.value)
