from __future__ import annotations

import collections
import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.networks.torchfile import read_torch_file


def state() -> collections.OrderedDict[str, torch.Tensor]:
    base = torch.arange(24, dtype=torch.float32)
    return collections.OrderedDict(
        matrix=base.reshape(4, 6),
        turned=base.reshape(4, 6).t(),  # Shares the storage, with other steps.
        part=base[5:9],
        half=torch.tensor([1.5, -2.0], dtype=torch.float16),
        count=torch.tensor(7),
        empty=torch.zeros(0, 3),
    )


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "weights.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=request.param)
    return path


def test_both_layouts_give_the_tensors_that_torch_gives(saved: Path) -> None:
    arrays = read_torch_file(saved)
    assert list(arrays) == list(state())
    for name, tensor in state().items():
        assert arrays[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(arrays[name], tensor.numpy())


def test_arrays_are_the_callers_own(saved: Path) -> None:
    arrays = read_torch_file(saved)
    arrays["matrix"][:] = -1
    assert arrays["part"].tolist() == [5, 6, 7, 8]


class Malicious:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("made-by-the-file",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_none(
    zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Malicious()}, "bad.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"names \w+\.mkdir, which is not read"):
        read_torch_file(Path("bad.pth"))
    assert not Path("made-by-the-file").exists()


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such weight file"):
        read_torch_file(tmp_path / "none.pth")
    other = tmp_path / "other.pth"
    for content in (b"", b"hello", pickle.dumps({"a": 1}), b"PK\x03\x04" + bytes(40)):
        other.write_bytes(content)
        with pytest.raises(InputError, match="not a torch file"):
            read_torch_file(other)
    torch.save({"step": 3}, other)
    with pytest.raises(InputError, match="no tensors by name"):
        read_torch_file(other)


def test_a_tensor_outside_its_storage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"part": torch.arange(24.0)[5:9]}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    offset_and_size = b"K\x05K\x04\x85"  # The pickled 5 and (4,).
    assert content.count(offset_and_size) == 1
    path.write_bytes(content.replace(offset_and_size, b"K\x15K\x04\x85"))
    with pytest.raises(InputError, match="'part' reaches outside its storage"):
        read_torch_file(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_end_in_a_sentence(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = saved.with_name("damaged.pth")
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(InputError):
        arrays = read_torch_file(damaged)
        assert all(isinstance(array, np.ndarray) for array in arrays.values())
