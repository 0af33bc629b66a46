from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from castsearch.detectors.yunet import NMS_IOU, decode, suppress
from castsearch.types import Box


def test_decode_by_hand() -> None:
    # A 32x32 picture: 16, 4 and 1 cells. One face in the cell of row 1, column 2 of stride 8, a
    # better one in the cell of row 1, column 0 of stride 16; the others are far from a face.
    rows = np.full((21, 16), -20, np.float32)
    rows[6, [0, 5]] = np.log(0.81 / 0.19), 20
    rows[6, 1:5] = [0.5, 0.25, np.log(2), np.log(3)]
    rows[6, 6:] = np.arange(10) / 10
    rows[16 + 2, [0, 5]] = 20, 20
    rows[16 + 2, 1:5] = rows[16 + 2, 6:10] = 0
    boxes, scores, points = decode(rows, 32, 0.5)
    # Centre (2.5, 1.25) cells, size (2, 3) cells, times the stride; centre (0, 1), size (1, 1).
    np.testing.assert_allclose(boxes, [[12, -2, 28, 22], [-8, 8, 8, 24]], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9, 1], atol=1e-6)
    np.testing.assert_allclose(points[0][[0, 4]], [[16, 8.8], [22.4, 15.2]], atol=1e-5)
    np.testing.assert_allclose(points[1][0], [0, 16], atol=1e-5)
    assert len(decode(rows, 32, 0.95)[0]) == 1
    assert len(decode(rows, 32, 0.0)[0]) == 21


corner = st.integers(0, 20)


@given(st.lists(st.tuples(corner, corner, st.integers(1, 9), st.integers(1, 9)), max_size=12))
def test_suppression_equals_the_plain_loop(rows: list[tuple[int, int, int, int]]) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in rows], float).reshape(-1, 4)
    scores = np.linspace(1, 0.5, len(rows))
    kept: list[int] = []
    for i in range(len(rows)):
        if all(Box(*boxes[i]).iou(Box(*boxes[j])) <= NMS_IOU for j in kept):
            kept.append(i)
    assert suppress(boxes, scores) == kept
