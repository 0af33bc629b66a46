"""``castsearch train`` has the options of the dataclasses that it is made of, and hands them on."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

import castsearch
from castsearch.cli import app, main
from castsearch.training.budget import Budget
from castsearch.training.options import Options, Setup
from castsearch.training.recipes import CHANGEABLE, RECIPES
from castsearch.training.result import TrainResult

DONE = TrainResult(Path("out"), 3, 60.0, 0.25, 0.5, 2, 0.5, 0.75, collapsed=False, skipped=())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the verb is called with, and the result that it gives, under "result"."""
    asked: dict[str, Any] = {"result": DONE}

    def train(source: Path, **options: Any) -> TrainResult:
        asked.update(options, source=source)
        result: TrainResult = asked["result"]
        return result

    monkeypatch.setattr(castsearch, "train", train, raising=False)
    return asked


def test_the_command_has_an_option_for_every_field_with_its_sentence() -> None:
    arguments = {
        argument.names[0]: argument
        for argument in app["train"].assemble_argument_collection(parse_docstring=True)
        if not argument.children
    }
    names = [field.name for part in (Setup, Budget) for field in fields(part)] + list(CHANGEABLE)
    for name in names:
        option = "--" + name.removeprefix("n_").replace("_", "-")
        assert arguments[option].parameter.help, option
    assert arguments["--erase"].parameter.help == "Share of the pictures with a rectangle erased."
    rest = arguments.keys() - {"--" + n.removeprefix("n_").replace("_", "-") for n in names}
    assert rest == {"SOURCE", "--out", "--recipe", "--cache", "--quiet", "--json"}


def test_what_is_not_given_is_the_default(asked: dict[str, Any]) -> None:
    assert main(["train", "people"]) == 0
    assert asked["source"] == Path("people")
    assert asked["out"] == Path("castsearch-train")
    assert asked["options"] == Options()
    assert asked["cache"] is None


def test_options_go_where_they_belong(asked: dict[str, Any]) -> None:
    command = "train people -o run --recipe finetune --minutes 2 --seed 5 --validations 3 --lr 1e-5"
    command += " --size 96 48 --no-normalise --test-flip --betas 0.5 0.9 --margin 0.3 --cache kept"
    assert main(command.split()) == 0
    assert asked["out"] == Path("run")
    assert asked["cache"] == Path("kept")
    recipe = replace(
        RECIPES["finetune"],
        lr=1e-5,
        size=(96, 48),
        normalise=False,
        betas=(0.5, 0.9),
        margin=0.3,
    )
    assert asked["options"] == Options(
        recipe=recipe, budget=Budget(minutes=2.0), seed=5, n_validations=3, test_flip=True
    )


def test_a_value_equal_to_another_recipes_still_counts(asked: dict[str, Any]) -> None:
    # 18 is the default of a recipe, and 16 that of this one.
    assert main(["train", "people", "--recipe", "strong", "--p", "18"]) == 0
    assert asked["options"].recipe.p == 18


@pytest.mark.parametrize(
    ("result", "status", "told"),
    [
        (DONE, 0, ""),
        (replace(DONE, skipped=("one.png: it cannot be read.",)), 1, ""),
        (replace(DONE, collapsed=True), 1, "the training has collapsed"),
        # Another process than the one that speaks.
        (replace(DONE, collapsed=True, is_main=False), 0, ""),
    ],
)
def test_the_exit_status_says_how_it_went(
    result: TrainResult,
    status: int,
    told: str,
    asked: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked["result"] = result
    assert main(["train", "people", "--json"]) == status
    said = capsys.readouterr()
    assert told in said.err
    if result.is_main:
        assert json.loads(said.out) == json.loads(json.dumps(asdict(result), default=str))
    else:
        assert said.out == ""


def test_people_read_lines_and_quiet_says_nothing(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "people"])
    assert capsys.readouterr().out.startswith("trained 3 steps in 1.0 minutes: out\n")
    assert asked["progress"] == "auto"
    main(["train", "people", "--quiet"])
    assert capsys.readouterr().out == ""
    assert asked["progress"] == "quiet"
