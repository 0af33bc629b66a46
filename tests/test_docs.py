"""Every command, option, preset, setting and model is documented; shown commands exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from castsearch.cli import app
from castsearch.models.config import BY_NAME
from castsearch.presets import PRESETS, SETTINGS

ROOT = Path(__file__).resolve().parents[1]
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
README = (ROOT / "README.md").read_text()
COMMANDS = [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    heading = rf"^## .*`castsearch {command}\b.*?(?=^## |\Z)"
    section = re.search(heading, DOCS["commands.md"], re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section for {command}"
    assert f"`castsearch {command}" in README
    for argument in app[command].assemble_argument_collection():
        for option in argument.names:
            if option.startswith("--"):
                assert f"`{option}`" in section.group(), f"{command} {option}"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["presets.md"]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["presets.md"]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_model_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["models.md"]


def test_documented_commands_exist() -> None:
    shown = set(re.findall(r"castsearch ([a-z]+)\b", "".join(DOCS.values()) + README))
    assert shown & set(COMMANDS) == set(COMMANDS)


def test_the_demo_command_of_the_readme_runs(tmp_path: Path) -> None:
    block = re.search(r"<!-- demo -->\n```sh\n(.+)\n```", README)
    assert block
    # The environment that runs this test is what the command's first two parts make.
    setup, command = block.group(1).rsplit(" && ", 1)
    assert "venv .venv" in setup
    assert "-e '.[demo]'" in setup
    program = Path(sys.executable).with_name("castsearch")
    arguments = command.split()
    assert arguments[0] == ".venv/bin/castsearch"
    done = subprocess.run(
        [str(program), *arguments[1:]],
        cwd=tmp_path,
        env=os.environ | {"CASTSEARCH_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^mAP 0\.\d{4}|^mAP 1\.0000", done.stdout, re.MULTILINE)
    assert (tmp_path / "castsearch-demo" / "results" / "report" / "index.html").is_file()


def test_the_rank_command_and_the_python_of_the_readme_run(
    tmp_path: Path, hopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("cast", "stills"):
        (tmp_path / "my-film" / part).mkdir(parents=True)
        (tmp_path / "my-film" / part / "Grace Hopper.jpg").write_bytes(hopper.read_bytes())
    monkeypatch.chdir(tmp_path)
    command = re.search(r"^\.venv/bin/castsearch (rank .+)$", README, re.MULTILINE)
    assert command
    from castsearch.cli import main

    assert main(command.group(1).split()) == 0
    code = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert code
    exec(compile(code.group(1), "README.md", "exec"), {})


def test_the_checkout_names_no_place_of_one_machine() -> None:
    for path in [ROOT / "README.md", *(ROOT / "src").rglob("*.py"), *(ROOT / "docs").glob("*.md")]:
        assert "../shared" not in path.read_text(), path
