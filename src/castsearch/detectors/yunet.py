"""YuNet (Wu et al., Machine Intelligence Research 2023): faces with five landmarks, anchor-free."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castsearch.detectors.detector import Detector, DetectSettings
from castsearch.detectors.framing import PORTRAIT_MARGINS, bordered, without_border
from castsearch.models.config import file_sha256, weights
from castsearch.models.table import BY_NAME
from castsearch.networks.device import Place
from castsearch.networks.prepare import prepared
from castsearch.networks.session import Session
from castsearch.types import Box, Face, ImageArray

STILL_SIZE = 1280
PORTRAIT_SIZES = (512, 320, 1024)
PORTRAIT_MIN_SCORE = 0.6
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
    boxes, scores, points = decode(session.run(batch)[0][0], batch.shape[3], min_score)
    x, y = width / w, height / h
    boxes *= (x, y, x, y)
    points *= (x, y)
    return [
        Face(Box(*boxes[i].tolist()), float(scores[i]), tuple(map(tuple, points[i].tolist())))
        for i in suppress(boxes, scores)
    ]


def decode(
    rows: NDArray[np.float32], padded_width: int, min_score: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The network's output for one picture as boxes, scores and landmarks, in pixels of its input.

    Args:
        rows: Shape (cells, 16): logit of the class, box, logit of the objectness, landmarks, for
            the cells of stride 8, then 16, then 32, row by row.
        padded_width: Of the network's input.
        min_score: 0 to 1.

    Returns:
        Boxes (n, 4) ``xyxy``, scores (n,) and landmarks (n, 5, 2).
    """
    # A score is the root of two probabilities' product: neither can be below its square.
    least = min(min_score**2, 1 - 1e-7)
    logit = np.log(least / (1 - least)) if least > 0 else -np.inf
    cells = np.flatnonzero(np.minimum(rows[:, 0], rows[:, 5]) >= logit)
    if not len(cells):
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    found = rows[cells].astype(np.float64)
    scores = np.sqrt(1 / ((1 + np.exp(-found[:, 0])) * (1 + np.exp(-found[:, 5]))))
    likely = scores >= min_score
    cells, found, scores = cells[likely], found[likely], scores[likely]
    # Of all cells 16 in 21 have stride 8, 4 in 21 stride 16, 1 in 21 stride 32.
    starts = np.array([0, 16, 20]) * (len(rows) // 21)
    level = np.searchsorted(starts, cells, side="right") - 1
    strides = np.array(STRIDES)[level]
    row, column = np.divmod(cells - starts[level], padded_width // strides)
    origin = np.stack([column, row], axis=1)
    centre, half = origin + found[:, 1:3], np.exp(found[:, 3:5]) / 2
    boxes = np.hstack([centre - half, centre + half]) * strides[:, None]
    points = (found[:, 6:].reshape(-1, 5, 2) + origin[:, None]) * strides[:, None, None]
    return boxes, scores, points


def suppress(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """Greedy non-maximum suppression: indices kept, best score first, none overlapping > 0.3."""
    import cv2

    if len(boxes) < 2:
        return list(range(len(boxes)))
    corners_and_sizes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), scores.tolist(), 0.0, NMS_IOU)
    return [int(i) for i in kept]


def _load(place: Place) -> Session:
    path = weights(BY_NAME["yunet"])
    return Session(prepared(path, file_sha256(path), place.cache), place.device)


def _in_crop(session: Session, image: ImageArray, settings: DetectSettings) -> list[Face]:
    """Faces at each of the sizes; without ``all_faces`` up to the first sure one."""
    faces: list[Face] = []
    for size in settings.detect_sizes:
        at_size = detect(
            session,
            image,
            longer_side=size,
            max_enlarge=settings.max_enlarge,
            min_score=settings.min_score,
        )
        # Views of one face at several sizes are encoded each, and averaged.
        if not settings.all_faces and any(face.score >= settings.sure_score for face in at_size):
            return at_size
        faces += at_size
    return sorted(faces, key=lambda face: -face.score)


def _in_portrait(session: Session, image: ImageArray, settings: DetectSettings) -> list[Face]:
    """At several sizes, then with a border around the portrait."""
    for margin in PORTRAIT_MARGINS:
        wider, border = bordered(image, margin)
        for size in PORTRAIT_SIZES:
            faces = detect(session, wider, longer_side=size, min_score=PORTRAIT_MIN_SCORE)
            if faces:
                return [without_border(face, border) for face in faces]
    return []


def _in_still(session: Session, image: ImageArray, settings: DetectSettings) -> list[Face]:
    return detect(
        session, image, longer_side=STILL_SIZE, max_enlarge=2.0, min_score=PORTRAIT_MIN_SCORE
    )


def _settings_key(settings: DetectSettings) -> str:
    s = settings
    return f"{s.detect_sizes}{s.max_enlarge}{s.min_score}{s.sure_score}{s.all_faces}"


YUNET = Detector("yunet", BY_NAME["yunet"], _load, _in_crop, _in_portrait, _in_still, _settings_key)
