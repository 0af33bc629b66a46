"""The house as docs/architecture.md draws it: small modules, each with a test file of its name."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "src" / "castsearch", ROOT / "tests"
LONGEST = 300
"""Lines of a module: about what is read in one sitting."""
MOST_AT_THE_TOP = 9

MODULES = sorted(
    path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
)
TEST_FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))

NOTHING_TO_TEST = {
    "errors.py": "three classes that do nothing; every sentence is tested where it is raised",
}
OF_THE_WHOLE = {
    "test_api.py": "the public names, as a program uses them",
    "test_bad_input.py": "whatever a file holds, commands end in a sentence",
    "test_cli.py": "the command line from outside",
    "test_docs.py": "the documents say what is so",
    "test_failure_stories.py": "movies in which something is odd",
    "test_house.py": "this file",
    "test_real_stills.py": "figures on labelled stills",
}
"""Test files that go through many modules, and why there is no one module that they are of."""
IN_A_BROWSER = "_browser"
"""Ends the name of a test file that opens what its module writes in a real browser."""


def of_its_name(module: Path) -> Path:
    """The test file of a module, below the folder of tests."""
    return module.with_name(f"test_{module.name}")


def test_the_tree_was_read() -> None:
    assert Path("ranking/film.py") in MODULES
    assert Path("ranking/test_film.py") in TEST_FILES


def test_every_module_has_a_test_file_of_its_name() -> None:
    modules = [module for module in MODULES if module.as_posix() not in NOTHING_TO_TEST]
    missing = [str(of_its_name(m)) for m in modules if not (TESTS / of_its_name(m)).is_file()]
    assert not missing, f"these are missing in tests/: {', '.join(missing)}"


def test_every_test_file_is_of_a_module() -> None:
    orphans = []
    for file in TEST_FILES:
        name = file.stem.removeprefix("test_").removesuffix(IN_A_BROWSER)
        if file.with_name(f"{name}.py") not in MODULES and file.as_posix() not in OF_THE_WHOLE:
            orphans.append(str(file))
    assert not orphans, f"these test no module of their name: {', '.join(orphans)}"


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    texts = {str(module): (PACKAGE / module).read_text(encoding="utf-8") for module in MODULES}
    n_lines = {name: len(text.splitlines()) for name, text in texts.items()}
    long = {name: n for name, n in n_lines.items() if n > LONGEST}
    assert not long, f"these are longer than {LONGEST} lines: {long}"


def test_the_top_of_the_package_stays_small() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_AT_THE_TOP


def test_exceptions_are_of_files_that_there_are() -> None:
    assert [name for name in NOTHING_TO_TEST if not (PACKAGE / name).is_file()] == []
    assert [name for name in OF_THE_WHOLE if not (TESTS / name).is_file()] == []


def test_nothing_puts_folders_on_the_path() -> None:
    """What cannot be imported as it is installed is in the wrong place."""
    files = [*TESTS.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), *PACKAGE.rglob("*.py")]
    words = "sys." + "path"
    assert [str(f.relative_to(ROOT)) for f in files if words in f.read_text("utf-8")] == []
