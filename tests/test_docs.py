"""The documents and the code name the same things: commands, options, presets, settings, models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from castsearch.cli import app, main
from castsearch.cli.app import COMMANDS
from castsearch.models.config import BY_NAME, CONFIG_VARIABLE
from castsearch.presets import PRESETS, SETTINGS
from castsearch.runtime.home import HOME_VARIABLE
from castsearch.training.architectures import ARCHITECTURES

ROOT = Path(__file__).resolve().parents[1]
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
README = (ROOT / "README.md").read_text()
EVERYTHING = "\n".join([README, *DOCS.values()])
APPS = {**{name: app[name] for name in COMMANDS}, "models export": app["models"]["export"]}

OF_OTHERS = {
    *("--plot", "--rounds", "--cnn", "--repeat"),  # of the benchmarks
    *("--num_processes", "--multi_gpu"),  # of accelerate launch
    "--nproc_per_node",  # of torchrun
    "--help",  # of every command
}
"""Options of other programs that the documents name."""


def cells(document: str, header: str) -> list[str]:
    """The first cell of every row of the tables whose first column has this header."""
    table = rf"^\| {header} \|.*\n\|[-|: ]+\n((?:\|.*\n)*)"
    rows = "".join(re.findall(table, document + "\n", re.MULTILINE))
    return [line.split("|")[1] for line in rows.splitlines()]


def code(text: str) -> list[str]:
    """What is set in backticks, blocks left out."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL)


def section(command: str) -> str:
    """What docs/commands.md says of a command, under the heading that names it."""
    for text in DOCS["commands.md"].split("\n## ")[1:]:
        if re.search(rf"`castsearch {command}(?! export)\b[^`]*`", text.split("\n")[0]):
            return text
    pytest.fail(f"docs/commands.md has no section for {command}")


def options_of(command: str) -> set[str]:
    return {
        name
        for argument in APPS[command].assemble_argument_collection()
        for name in argument.names
        if name.startswith("-")
    }


OPTIONS = {option for command in APPS for option in options_of(command)}


@pytest.mark.parametrize("command", APPS)
def test_every_command_and_option_is_documented(command: str) -> None:
    text = section(command)
    for option in options_of(command):
        assert f"`{option}`" in text, f"{command} {option}"
    assert f"`castsearch {command.split()[0]}" in README


@pytest.mark.parametrize("command", APPS)
def test_every_documented_option_is_one_of_its_command(command: str) -> None:
    heading, text = section(command).split("\n", 1)
    # Two commands that share a section share its table.
    together = [name for name in APPS if re.search(rf"`castsearch {name}(?! export)\b", heading)]
    there = set().union(*map(options_of, together))
    documented = {option for cell in cells(text, "option") for option in code(cell)}
    assert documented
    assert documented <= there


def test_options_named_in_passing_exist() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z_-]+", EVERYTHING))
    assert named - OPTIONS == OF_OTHERS


def test_documented_commands_exist() -> None:
    shown = "\n".join([*code(EVERYTHING), *blocks(EVERYTHING, "sh")])
    # Behind the program's name and nothing but a path before it.
    named = set(re.findall(r"(?:^|&& |/)castsearch ([a-z][a-z0-9]+)\b", shown, re.MULTILINE))
    assert named == set(COMMANDS)


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = [code(cell)[0].split()[1] for cell in cells(README, "command")]
    assert sorted(listed) == sorted(COMMANDS)


def test_presets_are_those_documented() -> None:
    listed = [name for cell in cells(DOCS["presets.md"], "preset") for name in code(cell)]
    assert sorted(listed) == sorted(PRESETS)
    named = re.findall(r"--presets? ([\w,:=.-]+)", EVERYTHING)
    for name in ",".join(named).split(","):
        assert name.split(":")[0] in {*PRESETS, "NAME"}, name


def test_settings_are_those_documented() -> None:
    listed = [name for cell in cells(DOCS["presets.md"], "setting") for name in code(cell)]
    assert sorted(listed) == sorted(SETTINGS)
    assert set(re.findall(r"--set (\w+)=", EVERYTHING)) <= {*SETTINGS, "NAME"}


def test_models_are_those_documented() -> None:
    listed = [name for cell in cells(DOCS["models.md"], "model") for name in code(cell)]
    assert sorted(listed) == sorted(BY_NAME)


def test_architectures_are_those_documented() -> None:
    listed = [cell.strip(" `") for cell in cells(DOCS["models.md"], "architecture")]
    assert listed == list(ARCHITECTURES)


def test_environment_variables_are_those_documented() -> None:
    listed = [name for cell in cells(DOCS["commands.md"], "variable") for name in code(cell)]
    assert listed == [HOME_VARIABLE, CONFIG_VARIABLE]


def test_extras_named_anywhere_are_those_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    named = set(re.findall(r"castsearch\[(\w+)\]", EVERYTHING))
    named |= set(re.findall(r"'\.\[(\w+)\]'", EVERYTHING))
    assert named == extras


def test_files_named_in_the_documents_are_there() -> None:
    paths = set(re.findall(r"`((?:src|benchmarks|tests|docs)/[\w./-]+\.\w+)`", EVERYTHING))
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []


def test_links_between_the_documents_lead_somewhere() -> None:
    for name, text in {"README.md": README, **{f"docs/{k}": v for k, v in DOCS.items()}}.items():
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_every_command_of_the_readme_is_run_here_or_by_ci() -> None:
    lines = [line for block in blocks(README, "sh") for line in block.strip().splitlines()]
    commands = [command for line in lines for command in line.split(" && ")]
    tested = {
        r"python3 -m venv \.venv",
        r"\.venv/bin/python -m pip install -q -e '\.\[(demo|dev)\]'",
        r"\.venv/bin/python -m pytest",  # .ci/run reads this line
        r"\.venv/bin/castsearch demo",
        r"\.venv/bin/castsearch rank my-film --out my-film-ranked",
    }
    for command in commands:
        assert any(re.fullmatch(pattern, command) for pattern in tested), command
    assert len(commands) == len(tested) + 2  # both environments are made and filled


def test_the_demo_command_of_the_readme_runs(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("castsearch")
    assert ".venv/bin/castsearch demo\n" in README
    done = subprocess.run(
        [str(program), "demo"],
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
    assert main(["rank", "my-film", "--out", "my-film-ranked"]) == 0
    written = [code(cell)[0] for cell in cells(README, "file")]
    assert "ranking.csv" in written
    assert [name for name in written if not (tmp_path / "my-film-ranked" / name).is_file()] == []
    (example,) = blocks(README, "python")
    exec(compile(example, "README.md", "exec"), {})


def test_the_checkout_names_no_place_of_one_machine() -> None:
    for path in [ROOT / "README.md", *(ROOT / "src").rglob("*.py"), *(ROOT / "docs").glob("*.md")]:
        assert "../shared" not in path.read_text(), path
