"""Pools of workers, one core each: threads, or processes that end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def executor(n_jobs: int, *, threads: bool) -> Executor:
    """A pool of ``n_jobs`` threads, or of processes for work that holds the interpreter lock."""
    if threads:
        return ThreadPoolExecutor(n_jobs, initializer=_one_thread_per_worker)
    # Not forked: a fork would copy locks held by the threads of the parent.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_jobs, mp_context=context, initializer=_prepare_process)


def as_finished(
    pool: Executor, do: Callable[[T], R], items: Iterable[T], n_waiting: int
) -> Iterator[R]:
    """Results in the order they are ready; few items are under way, so memory stays bounded.

    At most ``n_waiting`` items are taken before their results are. The pool is shut down at the
    end, or where the results are not taken to the end.
    """
    waiting: set[Future[R]] = set()
    todo = iter(items)
    try:
        while True:
            waiting |= {pool.submit(do, item) for item in islice(todo, n_waiting - len(waiting))}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_process() -> None:
    _one_thread_per_worker()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent tells its workers nothing; without this they would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one_thread_per_worker() -> None:
    import cv2

    cv2.setNumThreads(1)
