"""YuNet (Wu et al., Machine Intelligence Research 2023): faces with five landmarks, anchor-free."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castsearch.embed.session import Session
from castsearch.types import Box, Face, ImageArray

STRIDES = (8, 16, 32)
NMS_IOU = 0.3


def detect(
    session: Session,
    image: ImageArray,
    *,
    longer_side: int,
    max_enlarge: float = 4.0,
    min_score: float = 0.5,
) -> list[Face]:
    """Faces of ``image`` (uint8 RGB), best score first, in its own pixels.

    The picture is looked at with its longer side at ``longer_side`` pixels, or enlarged by
    ``max_enlarge`` where that is less: YuNet is best for faces of 10 to 300 pixels.
    """
    import cv2

    height, width = image.shape[:2]
    scale = min(longer_side / max(height, width), max_enlarge)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
    resized = cv2.resize(image, (w, h), interpolation=interpolation)
    # The feature pyramid halves the picture five times: sides are padded to multiples of 32.
    batch = np.zeros((1, 3, -(-h // 32) * 32, -(-w // 32) * 32), dtype=np.float32)
    # Plane by plane, as BGR: one strided copy of all three takes three times as long.
    for plane, channel in enumerate((2, 1, 0)):
        batch[0, plane, :h, :w] = cv2.extractChannel(resized, channel)
    boxes, scores, points = decode(session.run(batch), batch.shape[3], min_score)
    kept = suppress(boxes, scores)
    ratio = np.array([width / w, height / h])
    faces = []
    for i in kept:
        corners = boxes[i].reshape(2, 2) * ratio
        landmarks = tuple((float(x), float(y)) for x, y in points[i] * ratio)
        faces.append(Face(Box(*map(float, corners.ravel())), float(scores[i]), landmarks))
    return faces


def decode(
    outputs: list[NDArray[np.float32]], padded_width: int, min_score: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Raw outputs to boxes (n, 4) ``xyxy``, scores (n,) and landmarks (n, 5, 2) in input pixels.

    The outputs are class, objectness, box and landmark maps, each for the strides 8, 16 and 32.
    """
    boxes, scores, points = [], [], []
    for level, stride in enumerate(STRIDES):
        kind, objectness, box, point = (outputs[level + 3 * part][0] for part in range(4))
        product = kind[:, 0] * objectness[:, 0]
        # Both are 0 to 1 but for rounding; the root is taken of the few that count.
        cells = np.flatnonzero(product >= min_score**2)
        if not len(cells):
            continue
        score = np.sqrt(np.clip(product[cells], 0, 1))
        row, column = np.divmod(cells, padded_width // stride)
        origin = np.stack([column, row], axis=1)
        centre = origin + box[cells, :2]
        half = np.exp(box[cells, 2:].astype(np.float64)) / 2
        boxes.append(np.hstack([centre - half, centre + half]) * stride)
        scores.append(score.astype(np.float64))
        points.append((point[cells].reshape(-1, 5, 2) + origin[:, None]) * float(stride))
    if not boxes:
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(points)


def suppress(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """Greedy non-maximum suppression: indices kept, best score first, none overlapping > 0.3."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        left = left[shared <= NMS_IOU * (areas[best] + areas[left] - shared)]
    return kept
