"""The locators of faces by name."""

from __future__ import annotations

from castsearch.detectors.detector import Detector
from castsearch.detectors.dlib_face import HOG, MMOD, WHOLE
from castsearch.detectors.yunet import YUNET

DETECTORS: dict[str, Detector] = {detector.name: detector for detector in (YUNET, HOG, MMOD, WHOLE)}
