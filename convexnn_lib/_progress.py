"""Progress bars: in a notebook its own, in a browser one without a thread."""

from __future__ import annotations

from typing import Any

from convexnn_lib._platform import IN_BROWSER

__all__ = ["bar_class"]


def bar_class() -> Any:
    """Return tqdm's class of bars that suits the place where the library runs.

    A bar of tqdm starts a thread that watches all bars, also where it is not shown. A
    browser has no threads, and tqdm would warn of it.

    Examples
    --------
    >>> [*bar_class()(range(3), disable=True)]
    [0, 1, 2]
    """
    if IN_BROWSER:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread that watches
        return tqdm
    from tqdm.auto import tqdm as suited

    return suited
