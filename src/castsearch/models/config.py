"""The table of models: which file, its sha256, where it comes from, under which licence.

Weights come out of installed packages, from a file the user names, or by URL with a pinned
sha256. A model of the user's own is one ``[models.NAME]`` entry in a TOML file that
``CASTSEARCH_CONFIG`` names (default: ``castsearch.toml`` in the working folder).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from castsearch.errors import InputError
from castsearch.models.table import BUILT_IN, BY_NAME, KINDS, PRECISIONS, Kind, Model, Precision
from castsearch.runtime.files import file_sha256, whole_file
from castsearch.runtime.home import home

__all__ = [
    "BUILT_IN",
    "BY_NAME",
    "CONFIG_VARIABLE",
    "KINDS",
    "Kind",
    "Model",
    "Precision",
    "add",
    "check_new_name",
    "config_file",
    "file_sha256",
    "fingerprint",
    "from_file",
    "locate",
    "table",
    "weights",
]

CONFIG_VARIABLE = "CASTSEARCH_CONFIG"


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
    if entry.get("precision", "float32") not in PRECISIONS:
        raise InputError(f"{where} needs precision = one of {', '.join(map(repr, PRECISIONS))}.")
    if not isinstance(entry.get("file"), str):
        raise InputError(f"{where} needs file = the path of its weights.")
    if entry.get("url") and not entry.get("sha256"):
        raise InputError(f"{where} has a url but no sha256; a download is taken only with one.")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    if not values.get("package"):
        values["file"] = str((path.parent / Path(entry["file"]).expanduser()).resolve())
    return Model(name=name, **values)


def check_new_name(name: str, config: Path | None = None) -> None:
    """Whether a model may be added under ``name``.

    Raises:
        InputError: the name is taken or cannot be one, or the config file cannot be read.
    """
    path = config or config_file()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise InputError(
            f"{name!r} cannot be the name of a model: use letters, digits, '-', '_' and '.'."
        )
    known = table(path) if path.is_file() else BY_NAME
    if name in known:
        raise InputError(f"There is a model {name!r} already; choose another --name.")


def add(name: str, entry: Mapping[str, Any], config: Path | None = None) -> Path:
    """Append a ``[models.NAME]`` table to the user's config file; the rest of it stays as it is.

    Args:
        name: What the model is to be called: letters, digits, ``-``, ``_`` and ``.``.
        entry: The keys of the table: strings, numbers and lists of numbers.
        config: The file, else the one that ``config_file`` names; made where it is missing.

    Returns:
        The config file.

    Raises:
        InputError: as ``check_new_name``, or the file has a form in which a table cannot be added
            at its end.
    """
    path = config or config_file()
    check_new_name(name, path)
    # As bytes, so that the line ends of a file written elsewhere stay as they are.
    before = path.read_bytes().decode("utf-8") if path.is_file() else ""
    # What json writes of strings, numbers and lists is TOML too; a key with a dot needs quotes.
    lines = [f"[models.{json.dumps(name)}]" if "." in name else f"[models.{name}]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    text = before + gap + "\n".join(lines) + "\n"
    try:
        tomllib.loads(text)["models"][name]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(
            f"{path}: a table [models.{name}] cannot be added at its end ({error}); write the "
            "models of the file as tables of their own."
        ) from error
    with whole_file(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
    return path


def from_file(path: Path, kind: Kind = "face encoder") -> Model:
    """A user's own ONNX file as a model: aligned 112x112 RGB, scaled to -1..1, as ArcFace has it.

    A file that wants other input is described in the config file, and is then taken as it says.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such model file.")
    for model in table().values():
        if not model.package and Path(model.file) == path.resolve() and model.kind == kind:
            return model
    return Model(
        name=path.stem,
        kind=kind,
        file=str(path.resolve()),
        origin="the user's file",
        size=(112, 112),
        mean=(127.5, 127.5, 127.5),
        std=(127.5, 127.5, 127.5),
    )


def _own_path(model: Model) -> Path:
    """Where the file of a model that no package carries belongs; absolute for the user's own."""
    return home() / "models" / model.file


def locate(model: Model) -> Path | None:
    """Where the weights of ``model`` lie on this machine, or ``None``; nothing is downloaded."""
    if not model.package:
        path = _own_path(model)
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
        # Python's HTTP client takes as long to import as NumPy, and hardly any run downloads.
        from castsearch.models.download import download

        path = download(model.url, model.sha256, _own_path(model))
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
    return _fingerprint(model, digest)


@lru_cache(maxsize=64)
def _fingerprint(model: Model, digest: str) -> str:
    preparation = f"{model.size}{model.mean}{model.std}{model.color}"
    if model.precision != "float32":
        preparation += model.precision
    return f"{model.name}:{digest[:16]}:{hashlib.sha256(preparation.encode()).hexdigest()[:8]}"
