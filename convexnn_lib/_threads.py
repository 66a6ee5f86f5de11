"""Threads where there can be any, one call after another elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from convexnn_lib._platform import IN_BROWSER

__all__ = ["map_in_threads", "processors"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def processors() -> int:
    """Return how many threads can compute at once: one in a browser, which has none.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    return (os.cpu_count() or 1) if not IN_BROWSER else 1


def map_in_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> Iterator[_Result]:
    """Yield the results of a function in the order of the items.

    Parameters
    ----------
    work : callable
        The function, which may be called from any thread.
    items : iterable
        What it is called with.
    threads : int
        How many threads to use, 1 for none. In a browser it is always none.

    Yields
    ------
    object
        The results. One call's exception is raised in the place of its result.

    Examples
    --------
    >>> list(map_in_threads(abs, [-1, 2, -3], threads=2))
    [1, 2, 3]
    """
    if threads == 1 or IN_BROWSER:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, items)
