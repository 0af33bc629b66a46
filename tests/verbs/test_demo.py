"""The composed movie: what is in it, and that people are found in it."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from castsearch.errors import InputError
from castsearch.runtime.settings import Runtime
from castsearch.sources.movies import read
from castsearch.verbs.demo import CHANGES, MOVIE, PEOPLE, compose, demo


def test_the_movie_is_read_with_its_truth(tmp_path: Path) -> None:
    (movie,) = read(compose(tmp_path))
    assert movie.problems == ()
    assert movie.id == MOVIE
    assert [member.id for member in movie.cast] == [f"{MOVIE}_{number}" for number in PEOPLE]
    # Three people and things in each of the stills, of which one is left out.
    assert len({c.still.id for c in movie.candidates}) == 2 * len(CHANGES)
    assert Counter(c.label for c in movie.candidates) == {
        **{f"{MOVIE}_{number}": 12 for number in PEOPLE},
        "others": 12,
    }


def test_boxes_lie_in_their_stills(tmp_path: Path) -> None:
    (movie,) = read(compose(tmp_path))
    for candidate in movie.candidates:
        with Image.open(candidate.still.path) as still:
            assert candidate.box is not None
            assert candidate.box.clip(*still.size) == candidate.box
            assert candidate.box.area > 0


def test_it_is_composed_alike_each_time(tmp_path: Path) -> None:
    folders = [compose(tmp_path / name) for name in ("one", "two")]
    files = [sorted(p.relative_to(f) for p in f.rglob("*") if p.is_file()) for f in folders]
    assert files[0] == files[1]
    for name in files[0]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


@pytest.mark.parametrize(("preset", "least"), [("castsearch", 0.95), ("face", 0.85)])
def test_both_people_are_found(preset: str, least: float, tmp_path: Path) -> None:
    run = demo(out=tmp_path, preset=preset, runtime=Runtime(store=tmp_path / "s.sqlite"))
    assert run.problems == ()
    assert run.evaluation is not None
    assert run.evaluation.mAP > least
    assert run.evaluation.rank1 == 1.0
    facts = json.loads((tmp_path / "results" / "run.json").read_text())
    assert facts["source"] == str(tmp_path / "movie")


def test_without_its_photographs_a_sentence_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "skimage" else find(name)
    )
    with pytest.raises(InputError, match=r"pip install 'castsearch\[demo\]'"):
        demo(out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
