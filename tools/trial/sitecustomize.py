"""Python's start-up in a trial of ``tools/processors.py``.

Every Python that a trial starts runs this file first: pytest's processes, the kernels
of notebooks, the programs of tests. ``TRIAL_PROCESSORS`` is the number of processors
that Python sees. ``TRIAL_MOVED_DATA`` moves what seeded generators draw and what
``convexnn_lib.datasets.load`` returns by one unit in the last place: a number like its
negative, and twice the number twice as far, so that rows which are equal, parallel or
opposite remain so. Numbers of at most six decimals stay: they are given, not computed.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

if "TRIAL_PROCESSORS" in os.environ:
    processors = int(os.environ["TRIAL_PROCESSORS"])
    os.cpu_count = lambda: processors


def move_data() -> None:
    """Replace the sources of data by those whose data are moved."""
    import numpy as np

    def moved(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        array = np.asarray(value)
        if array.dtype != np.float64:
            return value
        flipped = (array.view(np.int64) ^ 1).view(np.float64)
        given = np.round(array, 6) == array
        result = np.where(given, array, flipped)
        return result if isinstance(value, np.ndarray) else float(result)

    def moving(draw: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(draw)
        def wrapper(*arguments: Any, **options: Any) -> Any:
            return moved(draw(*arguments, **options))

        return wrapper

    class Generator(np.random.Generator):
        """A generator whose draws are moved."""

    for name in ("normal", "random", "standard_normal", "uniform"):
        setattr(Generator, name, moving(getattr(np.random.Generator, name)))

    own = np.random.default_rng

    def default_rng(seed: Any = None) -> np.random.Generator:
        given = isinstance(seed, np.random.Generator)
        return seed if given else Generator(own(seed).bit_generator)

    np.random.default_rng = default_rng

    from convexnn_lib import datasets

    datasets.load = moving(datasets.load)


if "TRIAL_MOVED_DATA" in os.environ:
    move_data()
