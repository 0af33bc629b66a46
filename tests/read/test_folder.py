from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from castsearch.read import read
from castsearch.read.paths import NOWHERE, is_fit_id
from castsearch.types import Movie

