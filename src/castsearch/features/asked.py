"""What is asked of the pictures of a run, and under which names the answers are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from castsearch.detectors.detector import Detector, DetectSettings, detector_key, loaded
from castsearch.detectors.table import DETECTORS
from castsearch.encoders.encoder import (
    BodyEncoder,
    FaceEncoder,
    FaceSettings,
    network,
    vector_key,
)
from castsearch.encoders.table import body_encoder_of, face_encoder_of
from castsearch.errors import InputError
from castsearch.features.region import Role
from castsearch.models.table import Model
from castsearch.networks.device import Place, device
from castsearch.runtime.home import home
from castsearch.types import Face


@dataclass(frozen=True, slots=True)
class LookSettings:
    """What a preset asks of pictures: which networks look, and how."""

    # Where a face is looked for: an ONNX detector, dlib's HOG or CNN (mmod), or "whole": the
    # picture itself is taken for the face (portraits are then located by HOG).
    locator: str = "yunet"
    # Name of the face encoder.
    encoder: str = "sface"
    # Names of body encoders (or ONNX files) for the whole crop of a candidate.
    body: tuple[str, ...] = ()
    detect: DetectSettings = field(default_factory=DetectSettings)
    # dlib's landmark model: 5 or 68 points.
    landmarks: Literal[5, 68] = 5
    # Encodings averaged over randomly jittered copies (dlib): for candidates, for portraits.
    num_jitters: int = 1
    num_jitters_cast: int = 1
    # Average the encoding with that of the mirrored face (ONNX encoders).
    flip: bool = False
    flip_cast: bool = True
    # Average the body vector with that of the mirrored crop.
    flip_body: bool = False
    # Find out which crop files are of one still by their overlap, where no file says it.
    find_stills: bool = True

    @property
    def of_candidates(self) -> FaceSettings:
        return FaceSettings(self.landmarks, self.num_jitters, self.flip)

    @property
    def of_portraits(self) -> FaceSettings:
        return FaceSettings(self.landmarks, self.num_jitters_cast, self.flip_cast)


@dataclass(frozen=True)
class Asked:
    """What is asked of every picture of a run; crosses to worker processes.

    With ``all_faces`` every face of a candidate is encoded, and the lower part of its body, and not
    the one face that its crop is about.
    """

    look: LookSettings
    detector: Detector
    encoder: FaceEncoder
    bodies: tuple[BodyEncoder, ...]
    place: Place
    all_faces: bool = False

    @property
    def models(self) -> Iterator[Model]:
        """The models that answer: detector, face encoder, body encoders."""
        if self.detector.model:
            yield self.detector.model
        yield self.encoder.model
        yield from (encoder.model for encoder in self.bodies)

    @property
    def holds_lock(self) -> bool:
        """Whether a network keeps the interpreter lock, so that threads would wait."""
        return self.detector.holds_lock or self.encoder.holds_lock

    @cached_property
    def detect(self) -> DetectSettings:
        """How faces are looked for."""
        return replace(self.look.detect, all_faces=self.all_faces)

    def encodes_all(self, role: Role) -> bool:
        """Whether every face of such a region is encoded, and not the one that it is about."""
        return role == "candidate" and self.all_faces

    def face_settings(self, role: Role) -> FaceSettings:
        """How the faces of such a region are encoded."""
        return self.look.of_portraits if role == "portrait" else self.look.of_candidates

    def faces_key(self, role: Role) -> str:
        """The name that detected faces are stored under."""
        model, settings = self._detector_key
        return f"faces|{model}|{role}|{settings}"

    @cached_property
    def _detector_key(self) -> tuple[str, str]:
        return detector_key(self.detector, self.place), self.detector.settings_key(self.detect)

    def vector_key(self, face: Face, role: Role) -> str:
        """The name that the embedding of one face is stored under."""
        settings = self.encoder.settings_key(self.face_settings(role))
        b = face.box
        at = f"{b.x0:.3f},{b.y0:.3f},{b.x1:.3f},{b.y1:.3f}"
        return f"vector|{vector_key(self.encoder, self.place)}|{settings}|{at}"

    def vectors_key(self, role: Role) -> str:
        """The name that the embeddings of all faces of a crop are stored under."""
        settings = self.encoder.settings_key(self.face_settings(role))
        encoder = vector_key(self.encoder, self.place)
        return f"vectors|{encoder}|{settings}|{self.faces_key(role)}"

    def body_keys(self, role: Role) -> dict[str, BodyEncoder]:
        """The body encoders that a region asks, by the names their vectors are stored under."""
        if role not in {"candidate", "body"}:
            return {}
        return {
            f"body|{vector_key(encoder, self.place)}|{self.flips(encoder)}": encoder
            for encoder in self.bodies
        }

    def flips(self, encoder: BodyEncoder) -> bool:
        """Whether the vectors of a body encoder are averaged with those of mirrored crops."""
        return self.look.flip_body and encoder.is_mirrored


def asked(
    look: LookSettings,
    *,
    all_faces: bool = False,
    face_model: str | None = None,
    body_models: Sequence[str] = (),
    device_name: str = "auto",
) -> Asked:
    """What a preset asks of pictures, with the networks that answer.

    Args:
        look: Of the preset.
        all_faces: Whether every face of a candidate is wanted.
        face_model: Face encoder in place of the preset's: a name of the model table, or an ONNX
            file.
        body_models: Body encoders in place of the preset's, likewise.
        device_name: What networks run on, a name of ``networks.device.DEVICES`` or "auto".

    Raises:
        InputError: there is no such locator, encoder or device.
    """
    if look.locator not in DETECTORS:
        names = " or ".join(DETECTORS)
        raise InputError(f"The setting locator takes {names}, not {look.locator!r}.")
    bodies = tuple(body_encoder_of(name) for name in body_models or look.body)
    if len({encoder.model.name for encoder in bodies}) < len(bodies):
        raise InputError("Two body encoders have one name; give each its own.")
    return Asked(
        look,
        DETECTORS[look.locator],
        face_encoder_of(face_model or look.encoder),
        bodies,
        Place(device(device_name), home() / "models"),
        all_faces,
    )


def load(what: Asked, *, faces: bool = True) -> None:
    """Check and load the networks, so that a missing one is said before any work.

    Without ``faces`` the body encoders alone.

    Raises:
        InputError: a network is missing, or takes other input than it is to get.
    """
    for encoder in what.bodies:
        network(encoder, what.place)
    if faces:
        loaded(what.detector, what.place)
        network(what.encoder, what.place)
