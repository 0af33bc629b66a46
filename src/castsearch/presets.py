"""Every named pipeline, as data: one frozen config per row of the table, and nothing else.

``docs/presets.md`` says what the reference says of each row, what it leaves open, and how it is
read here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from castsearch.errors import InputError

Locator = Literal["yunet", "hog", "mmod", "whole"]
Relation = Literal["direct", "inverse"]
Fusion = Literal["face", "clusters", "film"]


@dataclass(frozen=True, slots=True)
class Preset:
    """What one ranking does, from the face detector to the order of the list."""

    name: str
    summary: str
    # Where a face is looked for: an ONNX detector, dlib's HOG or CNN (mmod), or "whole": the
    # picture itself is taken for the face (portraits are then located by HOG).
    locator: Locator
    # Name in the model table of the face encoder.
    encoder: str
    # "direct": candidates by their similarity to the portrait. "inverse": each candidate is asked
    # which cast it is nearest to; those that name this cast come first.
    relation: Relation = "direct"
    # Longer sides, in pixels, that a crop is scaled to for yunet; the first size that shows a
    # face of at least `sure_score` decides, else the best face over all of them.
    detect_sizes: tuple[int, ...] = (448,)
    # A crop is never enlarged by more than this factor for yunet.
    max_enlarge: float = 4.0
    # Faces that yunet scores below this (0 to 1) are not faces.
    min_score: float = 0.5
    # A face that yunet scores at least this ends the search over `detect_sizes`.
    sure_score: float = 0.8
    # How often dlib's locators double the picture before they look.
    upsample: int = 0
    # Pictures whose longer side is less, or more, than this are scaled up, or down, to it before
    # dlib's locators look; 0: as they are.
    min_size: int = 0
    max_size: int = 0
    # dlib's landmark model: 5 or 68 points.
    landmarks: Literal[5, 68] = 5
    # Encodings averaged over randomly jittered copies (dlib): for candidates, for portraits.
    num_jitters: int = 1
    num_jitters_cast: int = 1
    # Average the encoding with that of the mirrored face (ONNX encoders).
    flip: bool = False
    flip_cast: bool = True
    # Names in the model table of body encoders (or ONNX files) for the whole crop of a candidate.
    body: tuple[str, ...] = ()
    # Average the body vector with that of the mirrored crop.
    flip_body: bool = False
    # "face": the order of the faces is the ranking. "clusters": faces name clusters of bodies
    # (castsearch.ranking.cluster). "film": faces, bodies and the structure of the film as one
    # belief (castsearch.ranking.film).
    fusion: Fusion = "face"
    # Clusters: largest Euclidean distance of face vectors at which a face labels its candidate, and
    # largest mean cosine distance of two clusters of bodies that are joined.
    prelabel_distance: float = 0.6
    cluster_distance: float = 0.3
    # All that follows is of the film ranking alone.
    # Find out which crop files are of one still by their overlap, where no file says it.
    find_stills: bool = True
    # Nearest bodies a crop may be linked to, and how far a similarity must stand above the
    # movie's own, in standard deviations, for half a link; weight of links by faces.
    neighbours: int = 20
    link_at: float = 2.2
    face_link: float = 0.2
    # Cosine at which "others" is as likely as a cast member; weight of faces that are nobody's.
    others_at: float = 0.32
    others_weight: float = 0.3
    # Score of yunet at which half of a face is believed.
    trust_at: float = 0.75
    # Share of a belief that comes from linked candidates; belief in "others" from the start.
    spread: float = 0.85
    doubt: float = 0.02
    # Share of the body view that is adapted to the movie's own people.
    adapt: float = 0.3
    # Each cast member once per still; what being liked better by another cast member costs.
    exclusive: bool = True
    competition: float = 0.6

    @property
    def all_faces(self) -> bool:
        """Whether every face of a crop is encoded, at every size it is found at."""
        return self.fusion == "film"


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="dlib_inverse",
            summary="HOG faces; each candidate names its nearest cast (reference row 1)",
            locator="hog",
            encoder="dlib-resnet",
            relation="inverse",
            upsample=1,
            flip_cast=False,
        ),
        Preset(
            name="dlib_force_location",
            summary="the whole picture is given as the face location (reference row 2)",
            locator="whole",
            encoder="dlib-resnet",
            relation="inverse",
            flip_cast=False,
        ),
        Preset(
            name="dlib_cnn_location",
            summary="faces located by dlib's CNN (mmod), encoded there (reference row 3)",
            locator="mmod",
            encoder="dlib-resnet",
            relation="inverse",
            flip_cast=False,
        ),
        Preset(
            name="dlib_allcast",
            summary="most similar candidates for every cast, no face = infinite distance (row 4)",
            locator="mmod",
            encoder="dlib-resnet",
            flip_cast=False,
        ),
        Preset(
            name="sgbt_hybrid",
            summary="clusters of bodies, named by faces that dlib has labelled (row 5)",
            locator="mmod",
            encoder="dlib-resnet",
            flip_cast=False,
            body=("efficientnet-lite0",),
            fusion="clusters",
        ),
        Preset(
            name="sgbt_hybrid_pro",
            summary="as sgbt_hybrid; candidates doubled before mmod, 2 jitters (row 6)",
            locator="mmod",
            encoder="dlib-resnet",
            upsample=1,
            max_size=640,
            num_jitters=2,
            flip_cast=False,
            body=("efficientnet-lite0",),
            fusion="clusters",
        ),
        Preset(
            name="sgbt_hybrid_resize",
            summary="as sgbt_hybrid; pictures scaled to one size, 5 jitters for all (row 7)",
            locator="mmod",
            encoder="dlib-resnet",
            min_size=640,
            max_size=640,
            num_jitters=5,
            num_jitters_cast=5,
            flip_cast=False,
            body=("efficientnet-lite0",),
            fusion="clusters",
        ),
        Preset(
            name="face",
            summary="YuNet faces, SFace embeddings, cosine similarity to the portrait",
            locator="yunet",
            encoder="sface-int8",
        ),
        Preset(
            name="castsearch",
            summary="faces spread over bodies that look alike, each cast once per still",
            locator="yunet",
            encoder="sface",
            detect_sizes=(320, 512),
            flip=True,
            body=("lite0-parts", "hsv-stripes"),
            fusion="film",
        ),
    )
}

DEFAULT = "castsearch"

SETTINGS: tuple[str, ...] = tuple(
    field.name for field in dataclasses.fields(Preset) if field.name not in {"name", "summary"}
)
"""Names that ``--set NAME=VALUE`` takes."""


def preset(name: str, overrides: Mapping[str, str] | Iterable[str] = ()) -> Preset:
    """The preset ``name``, with single values replaced (``num_jitters=5``).

    Raises:
        InputError: no such preset or setting, or a value that the setting cannot take.
    """
    if name not in PRESETS:
        raise InputError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    pairs = overrides.items() if isinstance(overrides, Mapping) else map(_split, overrides)
    values = {key: _value(key, text) for key, text in pairs}
    return dataclasses.replace(PRESETS[name], **values)


def _split(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text!r} is not of the form NAME=VALUE.")
    return key.strip(), value.strip()


def _value(key: str, text: str) -> Any:
    """``text`` as the type of the setting ``key``."""
    if key not in SETTINGS:
        raise InputError(f"There is no setting {key!r}; there are {', '.join(SETTINGS)}.")
    kind = get_type_hints(Preset)[key]
    choices = get_args(kind) if getattr(kind, "__origin__", None) is Literal else ()
    try:
        if choices:
            value = type(choices[0])(text)
            if value not in choices:
                raise ValueError(text)
            return value
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        if kind is int:
            return _at_least_zero(int(text))
        if kind is float:
            return _at_least_zero(float(text))
        if kind is str:
            return text
        if kind == tuple[str, ...]:
            return tuple(part for name in text.split(",") if (part := name.strip()))
        return tuple(_at_least_zero(int(part) - 16) + 16 for part in text.split(","))
    except (ValueError, KeyError) as error:
        wanted = " or ".join(map(str, choices)) if choices else _NAMES.get(kind, "numbers >= 16")
        raise InputError(f"The setting {key} takes {wanted}, not {text!r}.") from error


_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number, 0 or more",
    float: "a number, 0 or more",
}


def _at_least_zero(value: Any) -> Any:
    if not 0 <= value < float("inf"):
        raise ValueError(value)
    return value
