"""Body vectors part by part: stripes by hand on made maps, and the packaged network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from castsearch.encoders.encoder import network as network_of
from castsearch.encoders.parts import LITE0_PARTS, N_STRIPES, PARTS, encode_parts, split
from castsearch.models import config as models
from castsearch.networks.device import CPU, Place
from castsearch.networks.session import Session
from castsearch.sources.images import decode, read_bytes

MODEL = models.BY_NAME["lite0-parts"]


class Made(Session):
    """A network with given outputs."""

    def __init__(self, outputs: list[np.ndarray]) -> None:
        self.outputs = outputs

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        return self.outputs


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Session:
    session = network_of(LITE0_PARTS, Place(CPU, tmp_path_factory.getbasetemp() / "networks"))
    assert isinstance(session, Session)
    return session


def test_stripes_are_means_of_the_middle_columns_by_hand() -> None:
    # Stage 3: 16 rows of 4 columns, whose value is the row in the middle and 1000 at the edges.
    rows = np.arange(16, dtype=np.float32)
    stage3 = np.full((1, 40, 16, 4), 1000, np.float32)
    stage3[:, :, :, 1:3] = rows[None, None, :, None]
    stage6 = np.ones((1, 192, 8, 4), np.float32)
    made = Made([np.eye(1, 1280, dtype=np.float32), stage3, stage6])
    low, high, whole = split(encode_parts(made, MODEL, [np.zeros((8, 4, 3), np.uint8)]))
    # Stripe i is the mean of rows 2i and 2i + 1, for each of the 40 channels.
    stripes = np.repeat(2 * np.arange(8) + 0.5, 40)
    np.testing.assert_allclose(low[0] * np.sqrt(3), stripes / np.linalg.norm(stripes), atol=1e-6)
    np.testing.assert_allclose(high[0] * np.sqrt(3), 1 / np.sqrt(1536), atol=1e-6)
    np.testing.assert_allclose(whole[0], np.eye(1, 1280)[0] / np.sqrt(3), atol=1e-6)


def test_maps_of_fewer_rows_than_stripes_are_shared_by_stripes() -> None:
    # Four rows for eight stripes: each row twice.
    stage6 = np.zeros((1, 192, 4, 4), np.float32)
    stage6[:] = np.arange(1, 5, dtype=np.float32)[None, None, :, None]
    stage3 = np.ones((1, 40, 8, 4), np.float32)
    made = Made([np.ones((1, 1280), np.float32), stage3, stage6])
    high = split(encode_parts(made, MODEL, [np.zeros((8, 4, 3), np.uint8)]))[1][0]
    by_stripe = high.reshape(N_STRIPES, 192)[:, 0]
    np.testing.assert_allclose(by_stripe / by_stripe[0], [1, 1, 2, 2, 3, 3, 4, 4], rtol=1e-5)


def test_vectors_of_real_crops(network: Session, collins: Path, hopper: Path) -> None:
    crops = [decode(read_bytes(path), path.name) for path in (collins, hopper)]
    crops.append(crops[0][:, ::-1].copy())
    vectors = encode_parts(network, MODEL, crops)
    assert vectors.shape == (3, sum(PARTS)) == (3, 3136)
    assert vectors.dtype == np.float32
    parts = split(vectors)
    assert [part.shape[1] for part in parts] == list(PARTS)
    for part in parts:
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1 / np.sqrt(3), atol=1e-5)
    alone = encode_parts(network, MODEL, crops[:1])
    np.testing.assert_allclose(alone, vectors[:1], atol=1e-5)
    # The mirrored crop is the same person.
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1]


def test_no_crops(network: Session) -> None:
    assert encode_parts(network, MODEL, []).shape == (0, 3136)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (400, 1, 3)])
def test_crops_of_a_pixel_have_a_vector(network: Session, shape: tuple[int, int, int]) -> None:
    vectors = encode_parts(network, MODEL, [np.full(shape, 90, np.uint8)])
    assert np.isfinite(vectors).all()


def test_the_entry_of_the_table_encodes_and_splits_and_heeds_no_mirroring(
    network: Session, collins: Path
) -> None:
    crop = decode(read_bytes(collins), collins.name)
    expected = encode_parts(network, MODEL, [crop])
    for flip in (False, True):
        vectors = LITE0_PARTS.encode(network, LITE0_PARTS.model, [crop], flip)
        np.testing.assert_array_equal(vectors, expected)
    assert not LITE0_PARTS.is_mirrored
    assert LITE0_PARTS.split is not None
    row = np.arange(3136, dtype=np.float32)[None]
    low, high, whole = LITE0_PARTS.split(row)
    # 40 channels of 8 stripes, 192 of 8, and 1280.
    assert (low[0, 0], low[0, -1]) == (0, 319)
    assert (high[0, 0], high[0, -1]) == (320, 1855)
    assert (whole[0, 0], whole[0, -1]) == (1856, 3135)
