"""``demo``: a small movie, composed at run time from public-domain photographs, is ranked.

The photographs come with scikit-image: Eileen Collins by NASA, and a photographer seen from the
side (Lav Varshney, CC0). Both are placed mirrored, darkened, small, blurred and turned on pictures
without people; bodies without a face, a cat and a cup are the hard and the wrong candidates. It
shows the whole job on real photographs; it is no measure of how well films do.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from castsearch.presets import DEFAULT
from castsearch.runtime.extras import need
from castsearch.runtime.files import make_folder, whole_text_file
from castsearch.runtime.settings import Runtime
from castsearch.verbs.rank import RunResult, rank

MOVIE = "tt0000001"
STILL_SIZE = (960, 540)
PEOPLE = {"nm0000001": "photographer", "nm0000002": "collins"}
OTHERS = ("cat", "cup")
BACKGROUNDS = ("brick.png", "gravel.png", "rocket.jpg", "coffee.png", "grass.png")

Change = Callable[[Image.Image], Image.Image]

CHANGES: dict[str, Change] = {
    "as it is": lambda p: p,
    "mirrored": ImageOps.mirror,
    "darkened": lambda p: ImageEnhance.Brightness(p).enhance(0.35),
    "small": lambda p: p.resize((p.width // 4, p.height // 4), Image.Resampling.LANCZOS),
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(4)),
    "turned": lambda p: p.rotate(12, Image.Resampling.BICUBIC, expand=False),
    "grey": lambda p: ImageOps.grayscale(p).convert("RGB"),
    "mirrored, small and darkened": lambda p: ImageEnhance.Brightness(
        ImageOps.mirror(p).resize((p.width // 3, p.height // 3), Image.Resampling.LANCZOS)
    ).enhance(0.5),
    # What backs, hands and shoes are in a film: a body, and no face.
    "body without a face": lambda p: p.crop((0, int(p.height * 0.62), p.width, p.height)),
}


def demo(
    *,
    out: str | Path = Path("castsearch-demo"),
    preset: str = DEFAULT,
    runtime: Runtime | None = None,
) -> RunResult:
    """Compose the movie in ``out/movie``, and rank it into ``out/results``.

    Raises:
        InputError: the package of ``castsearch[demo]`` is missing, or there is no such preset.
        CastsearchError: a file cannot be written.
    """
    source = compose(Path(out) / "movie")
    return rank(source, preset=preset, out=Path(out) / "results", runtime=runtime)


def compose(folder: Path) -> Path:
    """Write the movie, in the WIDER layout with its truth, and return its folder.

    Raises:
        InputError: the package of ``castsearch[demo]`` is missing.
    """
    sources = _sources()
    pictures = folder / "demo" / MOVIE
    for part in ("cast", "stills"):
        make_folder(pictures / part)
    cast = []
    for number, name in PEOPLE.items():
        image = f"{MOVIE}/cast/{MOVIE}_{number}.jpg"
        _head(sources[name]).save(folder / "demo" / image, quality=92)
        cast.append({"id": f"{MOVIE}_{number}", "img": image, "label": number})
    candidates: list[dict[str, Any]] = []
    for index, (change, backdrop) in enumerate((c, b) for b in BACKGROUNDS[:2] for c in CHANGES):
        still = _backdrop(BACKGROUNDS[(index + BACKGROUNDS.index(backdrop)) % len(BACKGROUNDS)])
        image = f"{MOVIE}/stills/still_{index:02d}.jpg"
        for side, who in enumerate((*PEOPLE.items(), ("others", OTHERS[index % 2]))):
            if (index + side) % 3 == 0:
                continue
            label, name = who
            person = CHANGES[change](_fit(sources[name], 300 + 60 * (index % 3)))
            x, y = 30 + 310 * side, STILL_SIZE[1] - person.height
            still.paste(person, (x, y))
            candidates.append(
                {
                    "id": f"{MOVIE}_{len(candidates):04d}",
                    "img": image,
                    "bbox": [x, y, person.width, person.height],
                    "label": label,
                }
            )
        still.save(folder / "demo" / image, quality=90)
    document = {MOVIE: {"cast": cast, "candidates": candidates}}
    with whole_text_file(folder / "demo.json") as file:
        file.write(json.dumps(document, indent=1) + "\n")
    return folder


def _sources() -> dict[str, Image.Image]:
    return {
        "collins": _photograph("astronaut.png").crop((60, 0, 400, 512)),
        "photographer": _photograph("camera.png").crop((80, 40, 380, 500)),
        "cat": _photograph("chelsea.png"),
        "cup": _photograph("coffee.png").crop((120, 60, 520, 400)),
    }


def _photograph(name: str) -> Image.Image:
    need("demo", "skimage", purpose="The demo")
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations
    # Importing the package would take longer than the rest.
    with Image.open(Path(spec.submodule_search_locations[0]) / "data" / name) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def _head(picture: Image.Image) -> Image.Image:
    """The upper part of a photograph: what a portrait shows."""
    return picture.crop((0, 0, picture.width, int(picture.height * 0.6)))


def _fit(picture: Image.Image, width: int) -> Image.Image:
    width = min(width, 300)
    return picture.resize((width, round(picture.height * width / picture.width)))


def _backdrop(name: str) -> Image.Image:
    return ImageOps.fit(_photograph(name), STILL_SIZE)
