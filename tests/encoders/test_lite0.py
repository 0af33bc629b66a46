"""EfficientNet-lite0 as an encoder: its network is written once, and tells clothes apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from castsearch.encoders import body
from castsearch.encoders.encoder import network
from castsearch.encoders.lite0 import LITE0
from castsearch.models import config as models
from castsearch.networks.device import CPU, Place
from castsearch.networks.lite0 import prepared_lite0
from castsearch.networks.session import Session
from castsearch.sources.images import decode, read_bytes


def test_lite0_tells_clothes_apart(tmp_path: Path, hopper: Path, collins: Path) -> None:
    lite0 = models.BY_NAME["efficientnet-lite0"]
    session = Session(prepared_lite0(models.weights(lite0), lite0.sha256, tmp_path))
    a, b = (decode(read_bytes(path), path.name) for path in (hopper, collins))
    vectors = body.encode(session, lite0, [a, a[:, ::-1], b], flip=True)
    assert vectors.shape == (3, lite0.dim)
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-3)
    assert vectors[0] @ vectors[2] < 0.9
    # The encoder of the table is this network, prepared and mirrored this way.
    ready = network(LITE0, Place(CPU, tmp_path))
    np.testing.assert_array_equal(
        LITE0.encode(ready, LITE0.model, [a, a[:, ::-1], b], True), vectors
    )
    assert LITE0.is_mirrored
    assert LITE0.split is None


def test_the_network_is_written_once(tmp_path: Path) -> None:
    LITE0.load(LITE0.model, Place(CPU, tmp_path))
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    LITE0.load(LITE0.model, Place(CPU, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.stat().st_mtime_ns == before
