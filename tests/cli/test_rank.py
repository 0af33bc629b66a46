"""``castsearch rank`` as a user types it: what it writes, prints, and says when stopped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from castsearch.cli import main
from castsearch.models import config as models
from castsearch.networks.prepare import prepared


def ranked(path: Path) -> dict[str, list[str]]:
    with path.open() as file:
        return {row["Id"]: row["Rank"].split() for row in csv.DictReader(file)}


def test_rank_writes_everything(movie: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["rank", str(movie), "--out", str(out), "--quiet"]) == 0
    lists = ranked(out / "ranking.csv")
    document = json.loads((movie / "demo.json").read_text())["tt0000001"]
    candidates = {c["id"]: c["label"] for c in document["candidates"]}
    assert set(lists) == {c["id"] for c in document["cast"]}
    assert all(sorted(ids) == sorted(candidates) for ids in lists.values())
    run = json.loads((out / "run.json").read_text())
    assert run["skipped"] == []
    assert run["counts"]["n_candidates"] == len(candidates)
    assert run["evaluation"]["mAP"] > 0.8
    with (out / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        scores = list(csv.DictReader(file))
    assert len(scores) == 2 * len(candidates)
    for query, ids in lists.items():
        rows = sorted((r for r in scores if r["query"] == query), key=lambda r: int(r["rank"]))
        assert [row["candidate"] for row in rows] == ids
        assert all(
            (r["label_correct"] == "true") == (candidates[r["candidate"]] == query.split("_")[1])
            for r in rows
        )
    assert main(["evaluate", str(movie), str(out / "scores.csv")]) == 0
    assert (out / "report" / "index.html").is_file()


def test_a_plain_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["rank", str(folder), "--out", str(out), "--quiet"]) == 0
    lists = ranked(out / "ranking.csv")
    assert len(lists) == 2
    for query, ids in lists.items():
        first = "a" if "Hopper" in query else "b"
        assert ids[0].split("_")[-1].startswith(first)
        assert sorted(name.split("_")[-1][0] for name in ids) == ["a", "b", "c"]
    assert "evaluation" not in json.loads((out / "run.json").read_text())


def test_whole_stills_give_a_candidate_per_face(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "candidates")
    (folder / "stills").mkdir()
    with (
        Image.open(folder / "cast" / "Grace Hopper.jpg") as left,
        Image.open(folder / "cast" / "Eileen Collins.png") as right,
    ):
        still = Image.new("RGB", (1200, 620))
        still.paste(left, (20, 10))
        still.paste(right.convert("RGB"), (640, 50))
        still.save(folder / "stills" / "both.jpg")
    out = tmp_path / "out"
    assert main(["rank", str(folder), "--out", str(out), "--quiet"]) == 0
    lists = ranked(out / "ranking.csv")
    assert all(len(ids) == 2 for ids in lists.values())
    with (out / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        first = [row for row in csv.DictReader(file) if row["rank"] == "1"]
    # Hopper's half of the still ends at 640.
    left = {row["query"]: float(row["face_x1"]) < 640 for row in first}
    assert left == {query: "Hopper" in query for query in lists}


def test_a_second_run_does_no_work(movie: Path, tmp_path: Path) -> None:
    arguments = ["--quiet", "--store", str(tmp_path / "s.sqlite")]
    for out in ("one", "two"):
        assert main(["rank", str(movie), "--out", str(tmp_path / out), *arguments]) == 0
    first, second = (json.loads((tmp_path / o / "run.json").read_text()) for o in ("one", "two"))
    assert first["work"]["n_embedded"] > 10
    assert (second["work"]["n_decoded"], second["work"]["n_embedded"]) == (0, 0)
    one, two = (tmp_path / o / "ranking.csv" for o in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_killed_and_started_again_gives_the_same_bytes(movie: Path, tmp_path: Path) -> None:
    assert main(["rank", str(movie), "--out", str(tmp_path / "whole"), "--quiet"]) == 0
    home = tmp_path / "home"
    command = [sys.executable, "-c", "from castsearch.cli import run; run()", "rank", str(movie)]
    command += ["--out", str(tmp_path / "killed"), "--jobs", "1"]
    environment = os.environ | {"CASTSEARCH_HOME": str(home)}
    started = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    database = home / "results.sqlite-wal"
    limit = time.monotonic() + 60
    while not (database.is_file() and database.stat().st_size > 40_000):
        assert time.monotonic() < limit
        assert started.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (tmp_path / "killed" / "ranking.csv").exists()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    run = json.loads((tmp_path / "killed" / "run.json").read_text())
    assert 0 < run["work"]["n_decoded"] < run["work"]["n_pictures"]
    whole, killed = (tmp_path / o / "ranking.csv" for o in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()


def test_a_broken_picture_is_named_and_the_status_says_so(
    folder: Path, tmp_path: Path, capsys
) -> None:
    (folder / "candidates" / "d.jpg").write_text("this is text")
    (folder / "candidates" / "e.jpg").write_bytes(b"")
    out = tmp_path / "out"
    assert main(["rank", str(folder), "--out", str(out), "--quiet"]) == 1
    errors = capsys.readouterr().err
    assert "d.jpg" in errors
    assert "e.jpg" in errors
    assert "Traceback" not in errors
    assert len(json.loads((out / "run.json").read_text())["skipped"]) == 2
    assert all(len(ids) == 5 for ids in ranked(out / "ranking.csv").values())


def test_a_picture_above_the_limit_is_refused(folder: Path, tmp_path: Path, capsys) -> None:
    store = ["--store", str(tmp_path / "s.sqlite")]
    arguments = ["--max-megapixels", "0.28", "--out", str(tmp_path / "out"), "--quiet"]
    assert main(["rank", str(folder), *arguments, *store]) == 1
    assert "megapixel" in capsys.readouterr().err


def test_a_face_encoder_of_the_users(folder: Path, tmp_path: Path) -> None:
    sface = models.BY_NAME["sface"]
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(prepared(models.weights(sface), sface.sha256, tmp_path).read_bytes())
    out = tmp_path / "out"
    arguments = ["--face-model", str(mine), "--out", str(out), "--quiet"]
    assert main(["rank", str(folder), *arguments]) == 0
    models_used = list(json.loads((out / "run.json").read_text())["models"])
    assert models_used == ["yunet", "mine", "lite0-parts", "hsv-stripes"]


def test_what_is_printed(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    (out / "mine").mkdir(parents=True)
    assert main(["rank", str(folder), "-o", str(out), "--preset", "face"]) == 0
    printed = capsys.readouterr().out
    assert "ranked 2 queries in 1 movies; 0 places were tied" in printed
    assert "no names.csv: " in printed
    assert "left alone, written by no run: mine/" in printed
    assert printed.endswith(f"report: {out / 'report' / 'index.html'}\n")
    # Nobody has said who is who.
    assert "mAP" not in printed
    assert main(["rank", str(folder), "-o", str(out), "--preset", "face", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["rank", str(folder), "-o", str(out), "--preset", "face", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"out": str(out), "skipped": 0}


def test_settings_and_body_models_may_be_given_several_times(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = ["--set", "adapt=0", "--set", "competition=0.25"]
    bodies = ["--body-model", "hsv-stripes", "--body-model", "lite0-parts"]
    assert main(["rank", str(folder), "--out", str(out), "--quiet", *settings, *bodies]) == 0
    run = json.loads((out / "run.json").read_text())
    assert run["preset"]["order"]["film"]["competition"] == 0.25
    assert list(run["models"])[-2:] == ["hsv-stripes", "lite0-parts"]
