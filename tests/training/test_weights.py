from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from castsearch.errors import InputError
from castsearch.training.weights import read_state


class Malicious:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("made-by-the-file",)


def test_files_that_are_no_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("weights.pth")
    with pytest.raises(InputError, match="no such weight file"):
        read_state(path)
    for content in (b"", b"not torch at all"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a torch file of plain weights"):
            read_state(path)
    torch.save({"a": Malicious()}, path)
    with pytest.raises(InputError, match="not a torch file of plain weights"):
        read_state(path)
    assert not Path("made-by-the-file").exists()
    for found in ([1, 2], {}, {"step": 3}, torch.zeros(2)):
        torch.save(found, path)
        with pytest.raises(InputError, match="holds no state dict"):
            read_state(path)


@pytest.mark.parametrize("key", [None, "network", "state_dict"])
def test_a_state_dict_is_found_where_it_lies(key: str | None, tmp_path: Path) -> None:
    state = {"w": torch.arange(3.0)}
    torch.save(state if key is None else {key: state, "epoch": 3}, tmp_path / "w.pth")
    assert read_state(tmp_path / "w.pth")["w"].tolist() == [0, 1, 2]
