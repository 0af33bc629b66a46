"""Every named pipeline, as data: one frozen config per row of the table, and nothing else.

``docs/presets.md`` says what the reference says of each row, what it leaves open, and how it is
read here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from castsearch.detectors.detector import DetectSettings
from castsearch.detectors.table import DETECTORS
from castsearch.errors import InputError
from castsearch.features.asked import LookSettings
from castsearch.ranking.order import Order, OrderSettings
from castsearch.ranking.orders import ORDERS


@dataclass(frozen=True, slots=True)
class Published:
    """mAP that the reference's poster prints for a row (SGBT, NTU DLCV 2019), on its own data."""

    val: float | None
    test: float | None


@dataclass(frozen=True, slots=True)
class Preset:
    """What one ranking does: what is asked of pictures, and what is made of the answers."""

    name: str
    summary: str
    look: LookSettings = field(default_factory=LookSettings)
    order: OrderSettings = field(default_factory=OrderSettings)
    published: Published | None = None

    @property
    def way(self) -> Order:
        """How evidence becomes an order."""
        return ORDERS[self.order.fusion]


def _reference(
    name: str, summary: str, published: Published | None, order: OrderSettings, **look: Any
) -> Preset:
    """A row of the reference: dlib's encoder, which is not mirrored."""
    asked = LookSettings(encoder="dlib-resnet", flip_cast=False, **look)
    return Preset(name, summary, asked, order, published)


_FACES = OrderSettings()
_INVERSE = OrderSettings(relation="inverse")
_CLUSTERS = OrderSettings(fusion="clusters")
_LITE0 = ("efficientnet-lite0",)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        _reference(
            "dlib_inverse",
            "HOG faces; each candidate names its nearest cast (reference row 1)",
            Published(0.3948, 0.40796),
            _INVERSE,
            locator="hog",
            detect=DetectSettings(upsample=1),
        ),
        _reference(
            "dlib_force_location",
            "the whole picture is given as the face location (reference row 2)",
            Published(0.4225, 0.43808),
            _INVERSE,
            locator="whole",
        ),
        _reference(
            "dlib_cnn_location",
            "faces located by dlib's CNN (mmod), encoded there (reference row 3)",
            Published(0.5010, 0.51993),
            _INVERSE,
            locator="mmod",
        ),
        _reference(
            "dlib_allcast",
            "most similar candidates for every cast, no face = infinite distance (row 4)",
            Published(0.4940, 0.50801),
            _FACES,
            locator="mmod",
        ),
        _reference(
            "sgbt_hybrid",
            "clusters of bodies, named by faces that dlib has labelled (row 5)",
            Published(0.5530, 0.59749),
            _CLUSTERS,
            locator="mmod",
            body=_LITE0,
        ),
        _reference(
            "sgbt_hybrid_pro",
            "as sgbt_hybrid; candidates doubled before mmod, 2 jitters (row 6)",
            Published(0.5631, None),
            _CLUSTERS,
            locator="mmod",
            body=_LITE0,
            num_jitters=2,
            detect=DetectSettings(upsample=1, max_size=640),
        ),
        _reference(
            "sgbt_hybrid_resize",
            "as sgbt_hybrid; pictures scaled to one size, 5 jitters for all (row 7)",
            None,
            _CLUSTERS,
            locator="mmod",
            body=_LITE0,
            num_jitters=5,
            num_jitters_cast=5,
            detect=DetectSettings(min_size=640, max_size=640),
        ),
        Preset(
            "face",
            "YuNet faces, SFace embeddings, cosine similarity to the portrait",
            LookSettings(encoder="sface-int8"),
        ),
        Preset(
            "castsearch",
            "faces spread over bodies that look alike, each cast once per still",
            LookSettings(
                encoder="sface",
                detect=DetectSettings(detect_sizes=(320, 512)),
                flip=True,
                body=("lite0-parts", "hsv-stripes"),
            ),
            OrderSettings(fusion="film"),
        ),
    )
}

DEFAULT = "castsearch"

# Settings that an order decides, and not the user.
_DECIDED = {"all_faces"}


def _fields(kind: type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Name, path from the preset and type of every single value below a settings dataclass."""
    hints = get_type_hints(kind)
    for part in dataclasses.fields(kind):
        inner = hints[part.name]
        if dataclasses.is_dataclass(inner):
            yield from _fields(inner, (*path, part.name))  # type: ignore[arg-type]
        elif part.name not in _DECIDED:
            yield part.name, (*path, part.name), inner


_SETTINGS: dict[str, tuple[tuple[str, ...], Any]] = {
    name: (path, kind)
    for part, settings in (("look", LookSettings), ("order", OrderSettings))
    for name, path, kind in _fields(settings, (part,))
}

SETTINGS: tuple[str, ...] = tuple(_SETTINGS)
"""Names that ``--set NAME=VALUE`` takes; each stands once among the parts of a preset."""

_CHOICES = {"locator": tuple(DETECTORS), "fusion": tuple(ORDERS)}
"""Settings that are names of a table."""


def preset(name: str, overrides: Mapping[str, str] | Iterable[str] = ()) -> Preset:
    """The preset ``name``, with single values replaced (``num_jitters=5``).

    Raises:
        InputError: no such preset or setting, or a value that the setting cannot take.
    """
    if name not in PRESETS:
        raise InputError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    pairs = overrides.items() if isinstance(overrides, Mapping) else map(_split, overrides)
    chosen = PRESETS[name]
    for key, text in pairs:
        value = _value(key, text)
        chosen = _with(chosen, _SETTINGS[key][0], value)
    return chosen


def _with(settings: Any, path: tuple[str, ...], value: Any) -> Any:
    """Frozen settings with the value at a path of fields replaced."""
    first, *rest = path
    inner = _with(getattr(settings, first), tuple(rest), value) if rest else value
    return dataclasses.replace(settings, **{first: inner})


def _split(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text!r} is not of the form NAME=VALUE.")
    return key.strip(), value.strip()


def _value(key: str, text: str) -> Any:
    """``text`` as the type of the setting ``key``."""
    if key not in SETTINGS:
        raise InputError(f"There is no setting {key!r}; there are {', '.join(SETTINGS)}.")
    kind = _SETTINGS[key][1]
    literal = get_args(kind) if getattr(kind, "__origin__", None) is Literal else ()
    choices = _CHOICES.get(key, literal)
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
