"""``castsearch train``: options become one object, the result a few lines and a status."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castsearch.cli import main
from castsearch.training.budget import Budget
from castsearch.training.options import Options
from castsearch.training.recipes import RECIPES
from castsearch.training.result import TrainResult

RESULT = TrainResult(Path("run"), 6, 90.0, 0.25, 0.5, 3, 0.4, 0.6, False, ())


class Training:
    """Stands for the function: keeps what it is asked for, and ends with what it is told to."""

    def __init__(self) -> None:
        self.result = RESULT
        self.asked: dict[str, Any] = {}

    def __call__(self, source: Path, **asked: Any) -> TrainResult:
        self.asked = {"source": source, **asked}
        return self.result


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    training = Training()
    monkeypatch.setattr("castsearch.train", training)
    return training


def test_without_options_all_is_as_the_function_has_it(training: Training) -> None:
    assert main(["train", "people"]) == 0
    assert training.asked == {
        "source": Path("people"),
        "out": Path("castsearch-train"),
        "options": Options(),
        "cache": None,
        "progress": "auto",
    }


def test_options_are_of_the_recipe_the_setup_and_the_budget(training: Training) -> None:
    recipe = "--recipe strong --margin 0.3 --size 64 32 --p 4 --bnneck"
    setup = "--arch resnet18 --validations 3 --test-flip --epochs 1.5"
    command = ["train", "people", *recipe.split(), *setup.split(), "--quiet", "-o", "here"]
    assert main(command) == 0
    assert training.asked["options"] == Options(
        arch="resnet18",
        n_validations=3,
        test_flip=True,
        recipe=replace(RECIPES["strong"], margin=0.3, size=(64, 32), p=4, bnneck=True),
        budget=Budget(epochs=1.5),
    )
    assert (training.asked["out"], training.asked["progress"]) == (Path("here"), "quiet")


def test_the_result_is_told(training: Training, capsys) -> None:
    assert main(["train", "people"]) == 0
    assert capsys.readouterr().out == f"{RESULT}\n"
    assert main(["train", "people", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["train", "people", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["out"], document["steps"], document["best_mAP"]) == ("run", 6, 0.5)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"skipped": ("a.jpg: broken.",)}, 1, ""),
        ({"collapsed": True}, 1, "the training has collapsed"),
        # Of several processes one speaks.
        ({"is_main": False, "collapsed": True}, 0, ""),
    ],
)
def test_the_status_says_what_went_wrong(
    training: Training, change: dict[str, Any], status: int, words: str, capsys
) -> None:
    training.result = replace(RESULT, **change)
    assert main(["train", "people", "--quiet"]) == status
    out, errors = capsys.readouterr()
    assert out == ""
    assert words in errors
    assert bool(words) == bool(errors)


def test_an_unknown_recipe_is_refused_before_anything_is_done(training: Training, capsys) -> None:
    assert main(["train", "people", "--recipe", "secret"]) == 2
    assert "no recipe 'secret'" in capsys.readouterr().err
    assert training.asked == {}
