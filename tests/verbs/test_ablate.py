"""``castsearch ablate``, end to end on a labelled movie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castsearch.cli import main
from castsearch.errors import InputError
from castsearch.presets import PRESETS
from castsearch.verbs.ablate import ablate, split_names
from castsearch.verbs.rank import rank


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["face,castsearch"], ["face", "castsearch"]),
        (["face", "castsearch:adapt=0"], ["face", "castsearch:adapt=0"]),
        ([" face , castsearch "], ["face", "castsearch"]),
        (
            ["castsearch:body=lite0-parts,hsv-stripes,face:flip=true"],
            ["castsearch:body=lite0-parts,hsv-stripes", "face:flip=true"],
        ),
        (["castsearch:body=,face"], ["castsearch:body=", "face"]),
        (
            ["face:detect_sizes=320,512:flip=true,nope"],
            ["face:detect_sizes=320,512:flip=true,nope"],
        ),
        (["face,nope"], ["face", "nope"]),
    ],
)
def test_names_are_split_at_commas_that_are_no_part_of_a_value(
    texts: list[str], names: list[str]
) -> None:
    assert split_names(texts) == names


def test_the_reference_has_a_figure_for_each_of_its_rows_but_the_last() -> None:
    rows = [name for name in PRESETS if name.startswith(("dlib_", "sgbt_"))]
    published = [name for name, preset in PRESETS.items() if preset.published]
    assert [*published, "sgbt_hybrid_resize"] == rows


@pytest.fixture
def titanic(data_dir: Path) -> Path:
    return data_dir / "ntu-mini" / "val" / "tt0120338"


def test_a_movie_end_to_end(
    titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    movie, out = reduced(titanic, tmp_path, n=14), tmp_path / "out"
    command = ["ablate", str(movie), "--presets", "face,castsearch:competition=0,dlib_allcast"]
    command += ["--against", "face", "--out", str(out), "--json"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {row["preset"]: row for row in document["presets"]}
    assert list(rows) == ["face", "castsearch:competition=0", "dlib_allcast"]
    for name, settings in (("face", []), ("castsearch", ["competition=0"]), ("dlib_allcast", [])):
        run = rank(movie, preset=name, settings=settings)
        assert run.evaluation is not None
        row = rows[":".join([name, *settings])]
        assert row["mAP"]["mean"] == pytest.approx(run.evaluation.mAP)
        gain = run.evaluation.mAP - rows["face"]["mAP"]["mean"]
        assert row["difference"]["mean"] == pytest.approx(gain)
        assert row["movies"] == {"tt0120338/tt0120338": pytest.approx(run.evaluation.mAP)}
    assert rows["dlib_allcast"]["reference_val"] == 0.4940
    assert rows["castsearch:competition=0"]["note"] == "castsearch with competition=0"
    written = {path.name for path in out.iterdir()}
    names = {"ablation.csv", "queries.csv", "ablation.md", "chart.svg", "index.html", "thumbs"}
    assert written == names
    # 2 portraits, and the first 12 of 14 candidates by each query and preset.
    assert 2 + 12 <= len(list((out / "thumbs").iterdir())) <= 2 + 14


def test_candidates_without_a_face_are_those_of_the_default_preset(titanic: Path) -> None:
    result = ablate([titanic], presets=["face"])
    (movie,) = rank(titanic).movies
    (face,) = rank(titanic, preset="face").movies
    for query, ranking in zip(result.table.queries, face.rankings, strict=True):
        assert query.query == ranking.query_id
        assert movie.movie.truth is not None
        hits = [
            name in movie.movie.truth[query.query]
            for name in ranking.candidate_ids
            if name not in movie.faces
        ]
        assert query.n_no_face == sum(hits)
        places = np.flatnonzero(hits) + 1
        by_hand = np.mean(np.arange(1, len(places) + 1) / places)
        assert query.AP_no_face == pytest.approx((by_hand,))
    assert result.table.n_no_face_queries == 2


def test_sources_that_hold_the_same_movie_are_told_apart(titanic: Path, tmp_path: Path) -> None:
    copy = reduced(titanic, tmp_path, n=33)
    table = ablate([titanic, copy], presets=["face"]).table
    # Both folders have one name, so their paths tell them apart.
    assert table.movies == ((str(titanic), "tt0120338"), (str(copy), "tt0120338"))
    assert len(table.queries) == 4
    # What is said twice is no more certain: the two forms of a query are drawn together.
    alone = ablate([titanic], presets=["face"]).table.rows[0].mAP
    assert table.rows[0].mAP == alone


def test_what_is_skipped_is_named_once(titanic: Path, tmp_path: Path) -> None:
    copy = reduced(titanic, tmp_path, n=3)
    (copy / "candidates" / "tt0120338_0001.jpg").write_bytes(b"no picture")
    result = ablate([copy], presets=["face", "face:flip=true"])
    assert [problem.where for problem in result.problems] == ["tt0120338_0001"]
    assert main(["ablate", str(copy), "--presets", "face", "--quiet", "-o", str(tmp_path)]) == 1


def reduced(movie: Path, folder: Path, *, n: int) -> Path:
    """The first ``n`` candidates of a movie in the course layout."""
    copy = folder / "val" / movie.name
    for part in ("cast", "candidates"):
        (copy / part).mkdir(parents=True)
    labels = json.loads((movie / "candidate.json").read_text())
    kept = dict(list(labels.items())[:n])
    (copy / "candidate.json").write_text(json.dumps(kept))
    (copy / "cast.json").write_text((movie / "cast.json").read_text())
    for path in [*kept, *json.loads((movie / "cast.json").read_text())]:
        (folder / path).write_bytes((movie.parents[1] / path).read_bytes())
    return copy


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--presets", "nope"], "There is no preset 'nope'"),
        (["--presets", "face:nope=1"], "There is no setting 'nope'"),
        (["--presets", "face:adapt"], "'adapt' is not of the form NAME=VALUE"),
        (["--presets", "face,face"], "A preset is named twice: face"),
        (["--presets", "face", "--against", "castsearch"], "'castsearch' is none of the rows"),
        (["--presets", ","], "No preset is named"),
        (["--presets", "face", "--jobs", "0"], "--jobs takes 1 or more"),
    ],
)
def test_wrong_arguments_are_said(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ablate", str(tmp_path), *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_source_without_truth_is_refused(
    tmp_path: Path, hopper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("cast", "candidates"):
        (tmp_path / "film" / part).mkdir(parents=True)
        Image.open(hopper).save(tmp_path / "film" / part / "Grace Hopper.jpg")
    out = tmp_path / "out"
    assert main(["ablate", str(tmp_path / "film"), "--presets", "face", "-o", str(out)]) == 2
    error = capsys.readouterr().err
    assert "no candidate in it is labelled with a cast member" in error
    assert not out.exists()


def test_no_source_or_one_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No SOURCE is given"):
        ablate([], presets=["face"])
    with pytest.raises(InputError, match="A SOURCE is given twice"):
        ablate([tmp_path, tmp_path / "."], presets=["face"])
