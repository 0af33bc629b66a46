"""The table of commands: one public function each, of the same parameters; all imported late."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys
from typing import Any

import pytest

import castsearch
from castsearch.cli import app, main
from castsearch.cli.app import COMMANDS
from castsearch.runtime.settings import Runtime
from castsearch.training.budget import Budget
from castsearch.training.options import Setup
from castsearch.training.recipes import Learning

TABLES = {"presets", "models"}
"""Commands that print what there is, and do nothing."""
VERBS = [name for name in COMMANDS if name not in TABLES]

PRINTED = {"--json"}
"""Options that say what is printed, which is no matter of the function."""
RUNTIME = {"--jobs": "n_jobs", "--quiet": "progress"}
"""Options under another name than the field of Runtime that they become."""
RENAMED = {"--set": "settings", "--body-model": "body_models", "--validations": "n_validations"}
"""Options under another name than the parameter."""
HEAVY = {"numpy", "scipy", "cv2", "onnxruntime", "onnx", "PIL", "torch", "jinja2", "polars"}


def options_of(command: str) -> dict[str, Any]:
    """The options of a command by name, with their defaults."""
    return {
        argument.names[0]: argument.field_info.default
        for argument in app[command].assemble_argument_collection()
        if not argument.children and argument.names[0].startswith("--")
    }


def name_of(option: str) -> str:
    return RENAMED.get(option) or option.removeprefix("--").replace("-", "_")


@pytest.mark.parametrize("command", VERBS)
def test_a_command_is_a_public_function_of_the_same_parameters(command: str) -> None:
    parameters = dict(inspect.signature(getattr(castsearch, command)).parameters)
    fields = {field.name for field in dataclasses.fields(Runtime)}
    if command == "train":
        # All that a run of training is asked for is one parameter, made of these.
        parts = (Setup, Budget, Learning)
        parameters |= {field.name: None for part in parts for field in dataclasses.fields(part)}
        parameters["recipe"] = None
    for option in options_of(command).keys() - PRINTED:
        name = name_of(option)
        in_runtime = RUNTIME.get(option, name) in fields and "runtime" in parameters
        assert name in parameters or RUNTIME.get(option) in parameters or in_runtime, option


@pytest.mark.parametrize("command", VERBS)
def test_what_both_can_be_given_has_one_default(command: str) -> None:
    parameters = inspect.signature(getattr(castsearch, command)).parameters
    for option, default in options_of(command).items():
        parameter = parameters.get(name_of(option))
        # A command writes, and compares all, where a function is to be told so.
        if parameter is not None and option not in {"--out", "--presets"}:
            assert parameter.default == default, option


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_what_the_table_says_of_it(command: str, capsys) -> None:
    assert main([command, "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert COMMANDS[command].split("\n")[0].replace("`", "") in words.replace("`", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_starting_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import json, sys; from castsearch.cli import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "castsearch" in modules
    assert not modules & HEAVY


def test_the_version_is_printed(capsys) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == castsearch.__version__


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rank", "/no/such/folder"], "/no/such/folder"),
        (["rank", ".", "--preset", "nope"], "There is no preset 'nope'"),
        (["rank", ".", "--set", "nope=1"], "There is no setting 'nope'"),
        (["rank", ".", "--face-model", "nope"], "There is no face encoder 'nope'"),
        (["rank", ".", "--face-model", "nope.onnx"], "no such model file"),
        (["rank", ".", "--jobs", "0"], "--jobs takes 1 or more"),
        (["rank", ".", "--layout", "nope"], "nope"),
        (["rank"], "source"),
        (["evaluate", "/no/such/file.json", "/no/such.csv"], "/no/such/file.json"),
        (["evaluate", "truth.json"], "RANKING is missing"),
        (["nope"], "nope"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    arguments: list[str], sentence: str, capsys
) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert sentence.lower() in errors.lower()
    assert "Traceback" not in errors
