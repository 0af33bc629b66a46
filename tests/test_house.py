"""The house itself: every module has its tests, is short, and says by its name what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

import pytest

import castsearch

PACKAGE = Path(castsearch.__file__).parent
TESTS = Path(__file__).parent

MODULES = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
TEST_FILES = {path.relative_to(TESTS) for path in TESTS.rglob("*.py")}

HELP_FOR_TESTS = {
    # The formulas of a ranking as plain loops, which several tests there compare with.
    PurePath("ranking/loops.py"),
}
UNTESTED = {module for module in MODULES if module.name == "__init__.py"}
"""They give names on; what little one does beside that is tested where its users see it."""

N_LINES = 300
N_AT_THE_TOP = 10
SAY_NOTHING = {"utils", "helpers", "common", "misc", "manager"}


def lines(module: PurePath) -> int:
    return len((PACKAGE / module).read_text(encoding="utf-8").splitlines())


def listed(paths: Iterable[PurePath]) -> str:
    return ", ".join(sorted(map(str, paths)))


def mirrored(module: PurePath) -> PurePath:
    """The test file of a module, in the folder of tests that mirrors its own."""
    return module.with_name(f"test_{module.name}")


def test_there_is_a_house() -> None:
    assert PurePath("verbs/rank.py") in MODULES
    assert PurePath("test_house.py") in TEST_FILES


def test_every_module_has_a_test_file_of_its_name() -> None:
    untested = [m for m in MODULES - UNTESTED if mirrored(m) not in TEST_FILES]
    assert not untested, listed(untested)


def test_every_test_file_in_a_folder_is_of_a_module() -> None:
    # What is tested in a browser is a page, whichever modules write it; stories of the whole
    # program stand at the top.
    others = {
        file
        for file in TEST_FILES
        if len(file.parts) == 1 or file.name == "conftest.py" or file.stem.endswith("_browser")
    }
    of_modules = {mirrored(module) for module in MODULES - UNTESTED}
    strays = TEST_FILES - of_modules - others - HELP_FOR_TESTS
    assert not strays, listed(strays)


@pytest.mark.parametrize("exception", sorted(HELP_FOR_TESTS))
def test_exceptions_are_there(exception: PurePath) -> None:
    assert exception in TEST_FILES


def test_no_module_is_long() -> None:
    assert {str(module): lines(module) for module in MODULES if lines(module) > N_LINES} == {}


def test_the_top_level_holds_few_modules() -> None:
    assert len([module for module in MODULES if len(module.parts) == 1]) < N_AT_THE_TOP


def test_names_say_what_is_there() -> None:
    files = [PurePath("src", module) for module in MODULES]
    files += [PurePath("tests", file) for file in TEST_FILES]
    empty = [
        file
        for file in files
        if SAY_NOTHING & {part.removeprefix("test_").removesuffix(".py") for part in file.parts}
    ]
    assert not empty, listed(empty)
