"""How many threads the numerical libraries of a worker may use, so that workers don't fight for cores."""

from __future__ import annotations

import os

__all__ = ["ALLOCATOR", "bound_threads", "thread_environment", "threads_given"]

# Images go back to the system as soon as they are not needed: glibc would keep them, tens of MB an analysis.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_ARENA_MAX": "2"}
"""Environment variables of glibc's allocator under which a process's memory stays flat over many images."""

_GIVEN = "ORGANELLE_WIDGETS_THREADS"
_POOLS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that bound the threads of NumPy, torch and TensorFlow in a new process.

    Parameters
    ----------
    threads : int
        For one operation of any of them.

    Returns
    -------
    dict of str to str
        To be set before any of them is imported.
    """
    bounds = dict.fromkeys((*_POOLS, _GIVEN), str(threads))
    return {**bounds, "TF_NUM_INTEROP_THREADS": "1"}


def threads_given() -> int | None:
    """The bound that this process was started with, if with any.

    Returns
    -------
    int or None
        As `thread_environment` had it.
    """
    given = os.environ.get(_GIVEN, "")
    return int(given) if given.isdecimal() and int(given) else None


def bound_threads(threads: int) -> None:
    """Bound the threads of this process, as far as its libraries are not loaded yet or can be told later.

    Parameters
    ----------
    threads : int
        For one operation of NumPy, torch or TensorFlow.
    """
    import sys

    os.environ.update(thread_environment(threads))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
