"""Crops in, unit vectors out; and how well the vectors of a model tell people apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from castsearch.encoders.table import models_of_encoders
from castsearch.errors import InputError
from castsearch.features.asked import Asked, LookSettings, asked
from castsearch.features.extract import Work, extract
from castsearch.features.region import Features, Region, Role
from castsearch.features.store import Store
from castsearch.metrics.market1501 import MarketScore, score_market
from castsearch.models.config import table
from castsearch.runtime.extras import need
from castsearch.runtime.files import whole_file
from castsearch.runtime.progress import track
from castsearch.runtime.settings import Runtime
from castsearch.sources.identities import read_identities
from castsearch.sources.layouts import AnyLayout, Layout
from castsearch.sources.movies import read
from castsearch.sources.pictures import layout_of_movies, read_pictures
from castsearch.types import FloatArray, Picture, Problem

ENDINGS = (".npz", ".parquet")


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors of crops: ``vectors`` has shape (n, dim), float32, and is parallel to ``ids``.

    ``problems`` names the crops that have none, ``work`` counts what this run had to do.
    """

    model: str
    ids: tuple[str, ...]
    vectors: FloatArray
    problems: tuple[Problem, ...] = ()
    work: Work = field(default_factory=Work)


@dataclass(frozen=True, slots=True)
class IdentityScore:
    """How well the vectors of a model tell people apart; ``problems`` names what was skipped."""

    market: MarketScore
    problems: tuple[Problem, ...] = ()


def embed(
    source: str | Path,
    model: str,
    *,
    out: str | Path | None = None,
    layout: AnyLayout = "auto",
    flip: bool = False,
    runtime: Runtime | None = None,
) -> Vectors:
    """The vectors of all candidates of the movies in ``source``, or of all pictures below it.

    A body encoder sees the whole crop; a face encoder sees the face that is found in it. Whatever
    the store has is not done again. Ids are those of the candidates (after the movie's and a
    slash where two movies number theirs alike), or paths relative to ``source``.

    Args:
        source: Movies in any layout, a folder of pictures, or one picture.
        model: A body or face encoder of the model table, or the path of a body encoder's ONNX
            file.
        out: File to write, too: ``.npz`` or ``.parquet``; see :func:`write_vectors`.
        layout: ``imdb``, ``wider``, ``folder``, ``pictures``, or ``auto``: movies where ``source``
            has a layout of movies, else pictures.
        flip: Average each vector with that of the mirror image.
        runtime: Where it works, and with how much.

    Raises:
        InputError: nothing in ``source`` can be embedded, there is no such model, or ``out`` ends
            otherwise.
        CastsearchError: the store or ``out`` cannot be written.
    """
    if out is not None:
        _check_ending(Path(out))
    runtime = runtime or Runtime()
    what, role = _asked(model, flip, runtime)
    problems: list[Problem] = []
    movie_layout = layout_of_movies(source, layout)
    if movie_layout is None:
        stills = read_pictures(source, problems=problems)
        regions = [Region(still.id, still.picture, role=role) for still in stills]
    else:
        regions = _candidates(source, movie_layout, role, problems)
    ids, vectors, work = _vectors(regions, what, problems, runtime)
    if not ids:
        raise InputError(
            f"{source}: no crop in it has a vector. " + " ".join(p.message for p in problems[:3])
        )
    made = Vectors(model, tuple(ids), vectors, tuple(problems), work)
    if out is not None:
        write_vectors(Path(out), made)
    return made


def score_identities(
    source: str | Path,
    model: str,
    *,
    flip: bool = False,
    runtime: Runtime | None = None,
) -> IdentityScore:
    """The Market-1501 protocol on the queries and the gallery of ``source``.

    ``model`` is a body encoder: it has a vector for every picture, so no list is cut short.

    Raises:
        InputError: ``source`` has no queries or no gallery, or there is no such body encoder.
    """
    runtime = runtime or Runtime()
    what = _body_asked(model, flip, runtime)
    problems: list[Problem] = []
    samples = {
        str(sample.path): sample
        for sample in read_identities(source, problems=problems)
        if sample.split != "train"
    }
    if {sample.split for sample in samples.values()} != {"query", "gallery"}:
        raise InputError(
            f"{source}: there are no queries with a gallery in it; looked for query and "
            "bounding_box_test (Market-1501), and for folders per person in val."
        )
    regions = [Region(name, Picture(sample.path), role="body") for name, sample in samples.items()]
    ids, vectors, _ = _vectors(regions, what, problems, runtime)
    rows = {
        split: [i for i, name in enumerate(ids) if samples[name].split == split]
        for split in ("query", "gallery")
    }
    query, gallery = (
        (
            vectors[at],
            [samples[ids[i]].identity for i in at],
            [samples[ids[i]].camera for i in at],
        )
        for at in rows.values()
    )
    return IdentityScore(score_market(*query, *gallery), tuple(problems))


def write_vectors(path: Path, vectors: Vectors) -> Path:
    """Write ids and vectors to ``path``, for the user alone: NumPy's ``.npz``, or ``.parquet``.

    Raises:
        InputError: the name ends otherwise, or castsearch[parquet] is missing.
        CastsearchError: the file cannot be written.
    """
    _check_ending(path)
    with whole_file(path, private=True) as temporary:
        if path.suffix == ".npz":
            with temporary.open("wb") as file:
                np.savez(file, ids=np.array(vectors.ids), vectors=vectors.vectors)
        else:
            import polars as pl

            table = {
                "id": pl.Series(vectors.ids, dtype=pl.String),
                "vector": pl.Series(
                    vectors.vectors, dtype=pl.Array(pl.Float32, vectors.vectors.shape[1])
                ),
            }
            pl.DataFrame(table).write_parquet(temporary, compression="zstd")
    return path


def _check_ending(path: Path) -> None:
    if path.suffix not in ENDINGS:
        raise InputError(f"{path}: the name is to end in {' or '.join(ENDINGS)}.")
    if path.suffix == ".parquet":
        need("parquet", "polars", purpose=f"{path}: writing Parquet")


def _asked(model: str, flip: bool, runtime: Runtime) -> tuple[Asked, Role]:
    """What makes the vectors of ``model``, and what it is to see of a crop."""
    entry = (table() | models_of_encoders()).get(model)
    if entry is not None and entry.kind == "face encoder":
        look = LookSettings(encoder=model, flip=flip)
        return asked(look, device_name=runtime.device), "candidate"
    return _body_asked(model, flip, runtime), "body"


def _body_asked(model: str, flip: bool, runtime: Runtime) -> Asked:
    look = LookSettings(body=(model,), flip_body=flip)
    return asked(look, device_name=runtime.device)


def _candidates(
    source: str | Path, layout: Layout, role: Role, problems: list[Problem]
) -> list[Region]:
    found = []
    for movie in read(source, layout=layout):
        problems += movie.problems
        found += [(movie.id, c) for c in movie.candidates if c.problem is None]
        if movie.stills:
            message = (
                f"Movie {movie.id} has {len(movie.stills)} whole stills without boxes of people; "
                "they are left out."
            )
            problems.append(Problem(movie.id, message))
    alike = len({c.id for _, c in found}) < len(found)
    return [
        Region(f"{movie}/{c.id}" if alike else c.id, c.still.picture, c.box, role)
        for movie, c in found
    ]


def _vectors(
    regions: Sequence[Region], what: Asked, problems: list[Problem], runtime: Runtime
) -> tuple[list[str], FloatArray, Work]:
    """Ids and vectors of the regions that have one; the others go to ``problems``."""
    n_pictures = len({region.picture for region in regions})
    with Store(runtime.store) as store, track("pictures", n_pictures, runtime.progress) as advance:
        features, work = extract(regions, what, store, runtime, advance=advance)
    ids: list[str] = []
    rows: list[FloatArray] = []
    for region in regions:
        found = features[region.id]
        vector = _vector(found)
        if vector is None:
            message = found.problem or f"{region.id}: no face was found in it."
            problems.append(Problem(region.id, message))
        else:
            ids.append(region.id)
            rows.append(vector)
    return ids, np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32), work


def _vector(features: Features) -> FloatArray | None:
    """The one vector of a region, of length 1; dlib's are stored as they are."""
    for body in features.body.values():
        return body
    if features.vector is None:
        return None
    norm = max(float(np.linalg.norm(features.vector)), 1e-12)
    return np.asarray(features.vector / norm, dtype=np.float32)
