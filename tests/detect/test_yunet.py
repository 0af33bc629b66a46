from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from castsearch.detect.yunet import NMS_IOU, decode, suppress
from castsearch.types import Box


def test_decode_by_hand() -> None:
    # A 32x32 picture: 16, 4 and 1 cells. One face in the cell of row 1, column 2 of stride 8.
    cells = (16, 4, 1)
    outputs = [np.zeros((1, n, width), np.float32) for width in (1, 1, 4, 10) for n in cells]
    cell = 6
    outputs[0][0, cell], outputs[3][0, cell] = 0.81, 1.0
    outputs[6][0, cell] = [0.5, 0.25, np.log(2), np.log(3)]
    outputs[9][0, cell] = np.arange(10) / 10
    boxes, scores, points = decode(outputs, 32, 0.5)
    # Centre (2.5, 1.25) cells, size (2, 3) cells, times the stride.
    np.testing.assert_allclose(boxes, [[12, -2, 28, 22]], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9], atol=1e-6)
    np.testing.assert_allclose(points[0][0], [16, 8.8], atol=1e-5)
    np.testing.assert_allclose(points[0][4], [22.4, 15.2], atol=1e-5)


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
