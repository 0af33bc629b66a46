"""Bring a face onto the template that face encoders were trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castsearch.types import ImageArray

TEMPLATE_112 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Eyes, nose tip and mouth corners in a 112x112 face, in pixels (ArcFace, Deng et al. 2019)."""


_AS_COMPLEX = np.array([1.0, 1j])


def similarity_transform(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The least-squares rotation, scale and shift from ``source`` to ``target``, both (n, 2).

    Returns shape (2, 3), as ``warpAffine`` takes it (Umeyama, PAMI 1991: in the plane, where it
    does not mirror, it is this one). Points that all fall together give scale 0.
    """
    mean_s, mean_t = source.mean(axis=0), target.mean(axis=0)
    # As complex numbers, a rotation with its scale is one factor and its least squares a quotient.
    points_s = (source - mean_s) @ _AS_COMPLEX
    points_t = (target - mean_t) @ _AS_COMPLEX
    spread = np.vdot(points_s, points_s).real
    factor = np.vdot(points_s, points_t) / spread if spread > 0 else 0j
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([turn, (mean_t - turn @ mean_s)[:, None]])


def aligned(
    image: ImageArray, landmarks: NDArray[np.float64], size: tuple[int, int] = (112, 112)
) -> ImageArray:
    """The face warped onto the template: uint8 RGB, shape (height, width, 3) of ``size``.

    ``landmarks`` has shape (5, 2), pixels of ``image``; what lies outside the picture is black.
    """
    import cv2

    height, width = size
    target = TEMPLATE_112 * np.array([width / 112.0, height / 112.0])
    matrix = similarity_transform(np.asarray(landmarks, dtype=np.float64), target)
    warped = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, dtype=np.uint8)
