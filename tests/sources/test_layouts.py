from __future__ import annotations

import subprocess
import sys
from typing import get_args

from castsearch.sources.layouts import AnyLayout, Layout, MovieLayout
from castsearch.sources.movies import LAYOUTS


def test_the_names_are_those_of_the_table() -> None:
    assert get_args(MovieLayout) == tuple(LAYOUTS)
    assert get_args(Layout) == ("auto", *LAYOUTS)
    assert get_args(AnyLayout) == ("auto", *LAYOUTS, "pictures")


def test_the_command_line_gets_the_names_without_numpy_and_pillow() -> None:
    code = (
        "import sys, castsearch.sources.layouts; "
        "print([name for name in ('numpy', 'PIL', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
