from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from castsearch.errors import InputError
from castsearch.training.checkpoint import load, save

SETTINGS = {"lr": 0.1, "seed": 0}


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    assert load(path, SETTINGS) is None
    save(path, {"settings": SETTINGS, "network": {"w": torch.arange(3.0)}, "step": 4})
    state = load(path, dict(SETTINGS))
    assert state is not None
    assert state["step"] == 4
    assert torch.equal(state["network"]["w"], torch.arange(3.0))
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_a_run_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    save(tmp_path / "last.pt", {"settings": SETTINGS})
    with pytest.raises(InputError, match=r"other settings: lr was 0\.1 and is now 0\.2"):
        load(tmp_path / "last.pt", SETTINGS | {"lr": 0.2})


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(InputError):
        load(tmp_path / "last.pt", SETTINGS)


# A limit on the size of files fails a write as a full disk does, half-way.
FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from castsearch.errors import CastsearchError
from castsearch.training.checkpoint import save
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    save(path, {"step": 2, "network": torch.zeros(1_000_000)})
except CastsearchError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save(path, {"settings": SETTINGS, "step": 1})
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "the one before it is kept" in done.stderr
    assert "Traceback" not in done.stderr
    state = load(path, SETTINGS)
    assert state is not None
    assert state["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]
