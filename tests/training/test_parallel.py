"""Two processes on one CPU (gloo) train as one process does on the same global batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from castsearch.training.log import read_log
from castsearch.training.parallel import SharedBatchNorm2d, gather, n_processes

# In float64 nothing but the order of sums differs, so that the curves must agree to many digits.
CURVE = """
import json, sys
import torch
from accelerate import Accelerator
from castsearch.training.networks import build, network_options
from castsearch.training.parallel import n_processes, share_statistics
from castsearch.training.recipes import RECIPES
from castsearch.training.trainee import Trainee

torch.set_num_threads(1)
torch.manual_seed(0)
recipe = RECIPES["strong"]
accelerator = Accelerator(cpu=True)
trainee = Trainee(build(network_options(recipe, "resnet18"), 4), recipe).double()
if n_processes() > 1:
    share_statistics(trainee.network.backbone, accelerator.device)
optimizer = torch.optim.Adam([p for p in trainee.parameters() if p.requires_grad], lr=1e-3)
model, optimizer = accelerator.prepare(trainee, optimizer)
labels = torch.arange(4).repeat_interleave(2)
curve = []
for step in range(4):
    images = torch.randn(8, 3, 64, 32, dtype=torch.float64)
    n = 8 // n_processes()
    start = accelerator.process_index * n
    terms = model.train()(images[start : start + n], labels, torch.full((8,), -1))
    accelerator.backward(terms["loss"])
    optimizer.step()
    optimizer.zero_grad()
    curve.append({name: float(value.detach()) for name, value in terms.items()})
if accelerator.is_main_process:
    state = trainee.network.state_dict()
    sums = {name: float(t.double().abs().sum()) for name, t in state.items()}
    json.dump([n_processes(), curve, sums], open(sys.argv[1], "w"))
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def run_in(n: int, command: list[str]) -> None:
    """Run a command in ``n`` processes that find each other as a launcher's do."""
    shared = {
        "WORLD_SIZE": str(n),
        "LOCAL_WORLD_SIZE": str(n),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true",
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        subprocess.Popen(
            command,
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(n)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


def test_two_processes_give_the_curve_of_one_to_many_digits(tmp_path: Path) -> None:
    for n in (1, 2):
        run_in(n, [sys.executable, "-c", CURVE, str(tmp_path / f"{n}.json")])
    (n_one, one, weights), (n_two, two, weights_of_two) = (
        json.loads((tmp_path / f"{n}.json").read_text()) for n in (1, 2)
    )
    assert (n_one, n_two) == (1, 2)
    for a, b in zip(one, two, strict=True):
        assert b == pytest.approx(a, rel=1e-6)
    assert one[0]["loss"] != pytest.approx(one[-1]["loss"], rel=1e-3), "nothing was learnt"
    # Running statistics and weights too.
    assert weights_of_two == pytest.approx(weights, rel=1e-5)


def test_the_command_gives_the_same_curve_in_two_processes(people: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("castsearch")
    rows = {}
    for n in (1, 2):
        out = tmp_path / str(n)
        # In float32 Adam makes whole steps of rounding errors: a small rate keeps them small.
        options = "--arch resnet18 --recipe strong --size 64 32 --p 4 --k 2 --lr 1e-6 --steps 3"
        command = [str(program), "train", str(people), *options.split(), "--out", str(out)]
        run_in(n, [*command, "--validations", "1", "--quiet"])
        rows[n] = read_log(out / "log.jsonl")
    assert [row["step"] for row in rows[2]] == [0, 1, 2, 3, 3]
    for one, two in zip(rows[1], rows[2], strict=True):
        for name in ("loss", "triplet", "identity", "spread", "val_mAP"):
            if name in one:
                assert two[name] == pytest.approx(one[name], rel=1e-3), (one["step"], name)


def test_one_process_gathers_its_own_rows() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert n_processes() == 1
    assert gather(rows) is rows


def test_shared_batch_norm_alone_is_the_usual_one() -> None:
    torch.manual_seed(0)
    usual, shared = torch.nn.BatchNorm2d(3), SharedBatchNorm2d(3)
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(usual(x), shared(x))
    assert torch.equal(usual.running_var, shared.running_var)
