"""What rewriting the packaged networks gains: ``python benchmarks/sessions.py FOLDER``.

On one thread, side by side in rounds: YuNet and SFace with their weights made constant and nothing
else, as castsearch runs them, and SFace in 8-bit integers, at several batch sizes. Then, on the
faces in the pictures below FOLDER, how near the integer network's vectors are to the exact ones,
and how many pairs of its products would saturate where a processor has no VNNI.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from castsearch.encoders.align import aligned
from castsearch.encoders.face_onnx import encode
from castsearch.features.asked import asked
from castsearch.features.gather import find_faces
from castsearch.models import config as models
from castsearch.networks import prepare, rewrite
from castsearch.networks.graph import constants_of
from castsearch.networks.session import Session
from castsearch.presets import preset
from castsearch.sources.images import decode, read_bytes
from castsearch.sources.pictures import read_pictures
from castsearch.types import ImageArray

ROUNDS = 25
YUNET, SFACE = models.BY_NAME["yunet"], models.BY_NAME["sface"]


def plain(model: models.Model, folder: Path) -> Session:
    """A packaged network with constant weights and free axes, so that it runs at all."""
    graph = onnx.load(str(models.weights(model)))
    rewrite.fold_weights(graph)
    rewrite.free_axes(graph)
    del graph.graph.value_info[:]
    onnx.save(graph, str(folder / f"{model.name}.onnx"))
    return Session(folder / f"{model.name}.onnx")


def prepared(model: models.Model, folder: Path, precision: models.Precision) -> Path:
    return prepare.prepared(models.weights(model), model.sha256, folder, precision)


def times(sessions: dict[str, Session], batch: np.ndarray[Any, Any]) -> dict[str, float]:
    """Median milliseconds a picture."""
    taken: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(ROUNDS):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(batch)
            taken[name].append((time.perf_counter() - start) / len(batch))
    return {name: float(np.median(values)) * 1e3 for name, values in taken.items()}


def faces_below(folder: Path) -> list[ImageArray]:
    what = asked(preset("face").look, device_name="cpu")
    chips = []
    for still in read_pictures(folder):
        image = decode(read_bytes(still.path), still.id)
        faces = find_faces(what, image, role="portrait")
        chips += [aligned(image, np.array(face.landmarks)) for face in faces[:1]]
    return chips


def saturating(path: Path, chips: list[ImageArray]) -> float:
    """Share of the pairs of products of pointwise convolutions that exceed 16 bits."""
    model = onnx.load(str(path))
    constants = constants_of(model.graph)
    nodes = [
        node
        for node in model.graph.node
        if node.op_type == "QLinearConv" and constants[node.input[3]].shape[1] > 1
    ]
    for node in nodes:
        model.graph.output.append(onnx.ValueInfoProto(name=node.input[0]))
    full = path.with_name("outputs.onnx")
    onnx.save(model, str(full))
    session = Session(full)
    n, exceeding = 0, 0
    for chip in chips:
        batch = chip.transpose(2, 0, 1)[None].astype(np.float32)
        for node, value in zip(nodes, session.run(batch)[1:], strict=True):
            weight = constants[node.input[3]][:, :, 0, 0].astype(np.int32)
            cells = value[0].reshape(value.shape[1], -1).astype(np.int32)
            # A few cells of each map: neighbours are much alike.
            cells = cells[:, :: max(1, cells.shape[1] // 49)]
            for row in weight:
                sums = row[0::2, None] * cells[0::2] + row[1::2, None] * cells[1::2]
                exceeding += int((np.abs(sums) > 32767).sum())
                n += sums.size
    return exceeding / n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    detectors = {
        "constant weights": plain(YUNET, folder),
        "rewritten": Session(prepared(YUNET, folder, "float32")),
    }
    for height, width in ((448, 224), (448, 448), (1280, 736)):
        batch = rng.uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        first, second = times(detectors, batch).values()
        print(f"YuNet {width}x{height}: {first:.2f} ms, rewritten {second:.2f} ms")
    integer = prepared(SFACE, folder, "int8")
    encoders = {
        "constant weights": plain(SFACE, folder),
        "rewritten": Session(prepared(SFACE, folder, "float32")),
        "int8": Session(integer),
    }
    for n in (1, 2, 4, 8, 16):
        batch = rng.uniform(0, 255, (n, 3, 112, 112)).astype(np.float32)
        print(
            f"SFace, {n} at once: "
            + ", ".join(f"{name} {ms:.2f} ms" for name, ms in times(encoders, batch).items())
        )
    before, after = (encoders[name].run(batch)[0] for name in ("constant weights", "rewritten"))
    print(
        f"rewritten, largest relative difference {np.abs(before - after).max() / before.max():.1e}"
    )
    chips = faces_below(arguments.folder)
    exact, rounded = (
        encode(encoders["rewritten"], SFACE, chips),
        encode(encoders["int8"], models.BY_NAME["sface-int8"], chips),
    )
    cosines = (exact * rounded).sum(axis=1)
    noise = (exact @ exact.T - rounded @ rounded.T)[np.triu_indices(len(chips), 1)]
    print(
        f"int8 against float32, {len(chips)} faces: cosine {cosines.mean():.4f} (least "
        f"{cosines.min():.4f}); likeness of two faces differs by {noise.std():.4f} (deviation)"
    )
    print(f"pairs of products above 16 bits: {saturating(integer, chips[:12]):.1e}")


if __name__ == "__main__":
    main()
