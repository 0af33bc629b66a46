"""Crops per second of body encoders: ``python benchmarks/embed.py [FILE.onnx ...]``.

Side by side in interleaved rounds, on 1 thread and on 2: the network in onnxruntime as castsearch
runs it, the same network in torch in eval mode, and what the machine could do: the floating-point
rate of a matrix product in onnxruntime (numpy's and torch's are slower here), the better of a small
one, which fits the caches, and a large one, taken in the same round. ResNets have random weights
and are exported here (their speed does not depend on the weights); a FILE is timed without torch.
With ``--source FOLDER`` the whole verb ``embed`` is timed too, decoding and storing included.

``--busy`` counts the processor's seconds, divided by the threads, in place of the clock's: for a
machine that does other work meanwhile. torch's threads are then told not to spin while they wait.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if "--busy" in sys.argv:
    os.environ |= {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}  # read on import of torch

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from castsearch.encoders.body import input_size
from castsearch.models import config as models
from castsearch.models.config import Model
from castsearch.networks.lite0 import prepared_lite0
from castsearch.networks.session import Session
from castsearch.runtime.settings import Runtime
from castsearch.training.networks import LITE0, NetworkOptions, build, load_backbone
from castsearch.verbs.embed import embed

MATRICES = (512, 2048)


@dataclass
class Network:
    """One network in both forms, and its multiply-adds for one crop of ``size``."""

    name: str
    path: Path
    size: tuple[int, int]
    module: torch.nn.Module | None

    @property
    def n_multiply_adds(self) -> int:
        """Of convolutions and dense layers, from the shapes in the ONNX graph."""
        model = onnx.load(str(self.path))
        dims = model.graph.input[0].type.tensor_type.shape.dim
        for dim, value in zip(dims, (1, 3, *self.size), strict=True):
            dim.dim_value = value
        del model.graph.value_info[:]
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        shapes = {
            v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in (*graph.value_info, *graph.output)
        }
        weights = {i.name: list(i.dims) for i in graph.initializer}
        total = 0
        for node in graph.node:
            if node.op_type in {"Conv", "Gemm", "MatMul"} and node.input[1] in weights:
                dense = node.op_type != "Conv"
                shape = weights[node.input[1]]
                total += int(np.prod(shape if dense else shapes[node.output[0]])) * (
                    1 if dense else int(np.prod(shape[1:]))
                )
        return total


def of_arch(name: str, folder: Path, size: tuple[int, int]) -> Network:
    module = build(NetworkOptions(name)).eval()
    if name == LITE0:
        model = models.table()[LITE0]
        weights = models.weights(model)
        load_backbone(module, weights)
        return Network(name, prepared_lite0(weights, model.sha256, folder), size, module)
    path = folder / f"{name}.onnx"
    torch.onnx.export(
        module,
        (torch.zeros(2, 3, *size),),
        str(path),
        input_names=["pictures"],
        output_names=["embedding"],
        dynamic_shapes={"x": {0: torch.export.Dim("n")}},
        external_data=False,
        verbose=False,
    )
    return Network(name, path, size, module)


def of_file(path: Path) -> Network:
    size = input_size(Session(path), Model(path.stem, "body encoder", str(path)))
    return Network(path.stem, path, size, None)


def matrix_product(size: int, folder: Path, n_threads: int) -> Callable[[], object]:
    """Products of ``size`` x ``size`` matrices, as many as one of the largest has operations."""
    path = folder / "product.onnx"
    matrix = np.random.default_rng(0).random((size, size), dtype=np.float32)
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [size, size]) for name in ("x", "y")
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        sides[:1],
        sides[1:],
        [numpy_helper.from_array(matrix, "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    session = Session(path, n_threads=n_threads)
    n = (MATRICES[-1] // size) ** 3
    return lambda: [session.run(matrix) for _ in range(n)]


def measure(
    network: Network, n_threads: int, n_crops: int, rounds: int, folder: Path, *, busy: bool
) -> None:
    torch.set_num_threads(n_threads)
    session = Session(network.path, n_threads=n_threads)
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((n_crops, 3, *network.size)).astype(np.float32)
    work: dict[str, Callable[[], object]] = {
        f"product {size}": matrix_product(size, folder, n_threads) for size in MATRICES
    }
    work |= {
        "onnx": lambda: session.run(batch),
    }
    if (module := network.module) is not None:
        work["torch"] = lambda: module(torch.from_numpy(batch))
        ours, theirs = session.run(batch)[0], module(torch.from_numpy(batch)).numpy()
        difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
        assert difference < 1e-3, f"{network.name}: the two forms differ by {difference:.1e}"
    for one in work.values():
        one()
    clock = time.process_time if busy else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, one in work.items():
            start = clock()
            one()
            times[name].append((clock() - start) / (n_threads if busy else 1))
    flops = 2 * network.n_multiply_adds * n_crops
    fastest = np.min([times[f"product {size}"] for size in MATRICES], axis=0)
    limit = 2 * MATRICES[-1] ** 3 / fastest
    onnx_time = np.array(times["onnx"])
    share = np.median(flops / onnx_time / limit)
    row = [
        network.name,
        f"{network.size[0]}x{network.size[1]}",
        f"{network.n_multiply_adds / 1e9:.2f}",
        str(n_threads),
        str(n_crops),
        f"{n_crops / np.median(onnx_time):.1f}",
        "-",
        "-",
        f"{np.median(limit) / 1e9:.0f}",
        f"{share:.0%}",
    ]
    if "torch" in times:
        row[6] = f"{n_crops / np.median(times['torch']):.1f}"
        row[7] = f"{np.median(np.array(times['torch']) / onnx_time):.2f}"
    print("|", " | ".join(row), "|", flush=True)


def whole_verb(source: Path, folder: Path) -> None:
    for model in (LITE0, "hsv-stripes"):
        store = folder / f"{model}.sqlite"
        for run in ("first", "second"):
            start = time.perf_counter()
            n = len(embed(source, model, runtime=Runtime(store=store)).ids)
            elapsed = time.perf_counter() - start
            print(f"embed {model}, {run} run: {n / elapsed:.0f} crops/s ({n} crops)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--archs", default=f"{LITE0},resnet18,resnet50")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 128))
    parser.add_argument("--crops", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--busy", action="store_true")
    arguments = parser.parse_args()
    head = "network, input, 10^9 multiply-adds, threads, crops at once, ONNX crops/s, "
    head += "torch crops/s, ONNX : torch, matrix product GFLOP/s, ONNX share of it"
    print("|", head.replace(", ", " | "), "|\n" + "|---" * 10 + "|")
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = Path(name)
        networks = [
            of_arch(arch, folder, tuple(arguments.size)) for arch in arguments.archs.split(",")
        ]
        networks += [of_file(path) for path in arguments.files]
        for network in networks:
            for n_threads in (1, 2):
                for n_crops in arguments.crops:
                    measure(
                        network,
                        n_threads,
                        n_crops,
                        arguments.rounds,
                        folder,
                        busy=arguments.busy,
                    )
        if arguments.source:
            whole_verb(arguments.source, folder)


if __name__ == "__main__":
    main()
