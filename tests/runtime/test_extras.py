"""What is missing is said in one sentence that names the extra."""

from __future__ import annotations

import pytest

from castsearch.errors import InputError
from castsearch.runtime.extras import need


def test_what_is_installed_is_no_hindrance() -> None:
    need("demo", "json", "pathlib", purpose="This")


def test_the_first_missing_package_is_named_with_its_extra() -> None:
    sentence = (
        r"The demo needs no_such_package, which the extra castsearch\[demo\] brings: "
        r"pip install 'castsearch\[demo\]'\."
    )
    with pytest.raises(InputError, match=sentence):
        need("demo", "json", "no_such_package", "nor_this", purpose="The demo")
