"""A page that opens from disk: its frame, its script and its thumbnails in a folder beside it.

A page asks nothing of any network: style and script are written into it, and its content security
policy allows that one style, that one script and pictures from its own folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castsearch.runtime.files import make_folder, whole_text_file
from castsearch.runtime.oserrors import failure
from castsearch.types import MovieResult

if TYPE_CHECKING:
    from jinja2 import Environment


def write_page(path: Path, name: str, data: Mapping[str, Any] | None, **content: Any) -> Path:
    """Write the page ``path`` out of ``name.html.jinja``, ``frame.css`` and ``frame.js``.

    Files ``name.css`` and ``name.js`` add to the style and to the script. ``data`` is what the
    script reads; without it the page has none. ``content`` is what the template prints, all of it
    as text.

    Raises:
        CastsearchError: The page cannot be written.
    """
    style = _parts(f"{name}.css", "frame.css")
    script = "" if data is None else _parts(f"{name}.js", "frame.js")
    html = (
        _templates()
        .get_template(f"{name}.html.jinja")
        .render(
            style=style,
            style_hash=_integrity(style),
            script=script,
            script_hash=_integrity(script),
            data=script_json(data),
            **content,
        )
    )
    with whole_text_file(path) as file:
        file.write(html)
    return path


def write_thumbnails(
    folder: Path, pictures: Mapping[str, bytes], earlier: Path | None = None
) -> None:
    """Write JPEG files, by their :func:`picture_name`, to ``folder``; one that is there is kept.

    Their names are of their content, so one that a crash cut short is told by its size, and they
    are not written under another name first: there are hundreds, and each would be moved.

    One that lies in the folder ``earlier`` is not written either.

    Raises:
        CastsearchError: A file cannot be written.
    """
    make_folder(folder)
    places = [folder] if earlier is None else [folder, earlier]
    for name, picture in pictures.items():
        place = folder / f"{name}.jpg"
        try:
            if not any(_has(one / place.name, len(picture)) for one in places):
                place.write_bytes(picture)
        except OSError as error:
            raise failure(error, place, "written") from error


def _has(path: Path, size: int) -> bool:
    """Whether a whole file of that size is there."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def remove_other_thumbnails(folder: Path, names: Iterable[str]) -> None:
    """Remove what :func:`write_thumbnails` wrote to ``folder`` at another time, but for ``names``.

    Raises:
        CastsearchError: A file cannot be removed.
    """
    wanted = {f"{name}.jpg" for name in names}
    for path in folder.glob("*.jpg"):
        if path.name not in wanted and re.fullmatch(r"[0-9a-f]{32}\.jpg", path.name):
            try:
                path.unlink()
            except OSError as error:
                raise failure(error, path, "removed") from error


def picture_name(picture: bytes) -> str:
    """What a thumbnail is called: equal pictures are one file."""
    return hashlib.sha256(picture).hexdigest()[:32]


def aspect(result: MovieResult, picture_id: str) -> int:
    """Width of the thumbnail in thousandths of its height; 0 where unknown."""
    frame = result.frames.get(picture_id)
    return round(1000 * frame.width / frame.height) if frame and frame.area > 0 else 0


def script_json(data: object) -> str:
    """``data`` as compact JSON that cannot end, or open anything in, the script around it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _parts(extra: str, common: str) -> str:
    folder = resources.files("castsearch.outputs")
    parts = [folder.joinpath(name) for name in (common, extra)]
    return "\n".join(part.read_text("utf-8") for part in parts if part.is_file())


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("castsearch.outputs", "")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _integrity(text: str) -> str:
    """The form in which a content security policy names one inline style or script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
