from __future__ import annotations

import operator
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import pytest

from castsearch.runtime.workers import as_finished, executor, n_cores


def test_the_cores_are_those_this_process_may_use() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system ties no process to cores")
    allowed = os.sched_getaffinity(0)
    assert n_cores() == len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert n_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_threads_work_at_once_in_this_process() -> None:
    both = threading.Barrier(2)

    def meet() -> int:
        both.wait(10)
        return os.getpid()

    with executor(2, threads=True) as pool:
        jobs = [pool.submit(meet) for _ in range(2)]
        assert [job.result() for job in jobs] == [os.getpid()] * 2


def test_processes_are_others_and_use_one_thread_each() -> None:
    with executor(1, threads=False) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(cv2.getNumThreads).result() == 1


def test_what_is_ready_first_comes_first() -> None:
    first_is_read = threading.Event()

    def work(item: str) -> str:
        if item == "slow":
            assert first_is_read.wait(10)
        return item

    results = as_finished(executor(2, threads=True), work, ["slow", "quick"], 2)
    assert next(results) == "quick"
    first_is_read.set()
    assert list(results) == ["slow"]


def test_no_more_items_are_taken_than_may_be_under_way() -> None:
    items = iter(range(10))
    results = as_finished(executor(2, threads=True), lambda item: item, items, 3)
    n_taken = 0
    for n_results, _ in enumerate(results, start=1):
        n_taken = 10 - operator.length_hint(items)
        # Three under way, of which this is one.
        assert n_taken <= n_results + 2
    assert n_taken == 10


def test_a_failure_is_raised_and_ends_the_pool() -> None:
    pool = executor(1, threads=True)
    with pytest.raises(ZeroDivisionError):
        list(as_finished(pool, lambda item: 1 // item, [0, 1], 1))
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(int)


PARENT = """
import os, sys, time
from pathlib import Path
from castsearch.runtime.workers import executor
if __name__ == "__main__":
    with executor(1, threads=False) as pool:
        Path(sys.argv[1]).write_text(str(pool.submit(os.getpid).result()))
        time.sleep(60)
"""


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system does not list its processes")
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    script, told = tmp_path / "parent.py", tmp_path / "process"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), str(told)])
    try:
        end = time.monotonic() + 60
        while not (told.exists() and told.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        worker = int(told.read_text())
        assert is_alive(worker)
    finally:
        parent.kill()
        parent.wait()
    end = time.monotonic() + 30
    while is_alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(worker)
