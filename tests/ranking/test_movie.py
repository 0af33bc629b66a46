from __future__ import annotations

from threadpoolctl import threadpool_info

from castsearch.ranking.movie import one_blas_thread


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_works_in_one_thread_while_a_movie_is_ranked() -> None:
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == before
