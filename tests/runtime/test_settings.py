from __future__ import annotations

import dataclasses
import pickle

import pytest

from castsearch.runtime.settings import Runtime


def test_the_settings_travel_to_worker_processes_and_do_not_change_on_the_way() -> None:
    runtime = Runtime(n_jobs=3, max_megapixels=5.0)
    assert pickle.loads(pickle.dumps(runtime)) == runtime
    with pytest.raises(dataclasses.FrozenInstanceError):
        runtime.n_jobs = 4
