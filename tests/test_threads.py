"""Work in threads, and one call after another where there are none."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from convexnn_lib import _threads
from convexnn_lib._threads import map_in_threads, processors


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads):
    assert list(map_in_threads(abs, range(-20, 0), threads)) == list(range(20, 0, -1))


def test_calls_meet_in_different_threads():
    meeting = threading.Barrier(2, timeout=60)
    places = list(map_in_threads(lambda _: meeting.wait(), range(2), 2))
    assert sorted(places) == [0, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_exception_is_raised_in_the_place_of_its_result(threads):
    found = map_in_threads(lambda k: 1 // k, [1, 0], threads)
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_without_threads_all_is_done_in_this_one(monkeypatch):
    monkeypatch.setattr(_threads, "IN_BROWSER", True)
    names = map_in_threads(lambda _: threading.current_thread(), range(3), 8)
    assert set(names) == {threading.current_thread()}
    assert processors() == 1


BROWSER = """
import threading
import convexnn_lib._platform
convexnn_lib._platform.IN_BROWSER = True
def refuse(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
import numpy as np
import convexnn_lib as cl
X, y = cl.datasets.gaussian(12, 3, seed=0)
arrangement = cl.enumerate_patterns(X, n_jobs=4)
flow = cl.gradient_flow(
    cl.TrainingProblem(*cl.datasets.xor(), 0.0, "logistic"),
    4, n_runs=64, seed=0, t_max=0.1, n_jobs=4,
)
value, _ = cl.dual_norm(X, y)
print(len(arrangement), value > 0.0)
"""


@pytest.mark.slow
def test_library_starts_no_thread_where_there_are_none():
    done = subprocess.run(
        [sys.executable, "-c", BROWSER], capture_output=True, text=True, check=False
    )
    assert done.stdout == "134 True\n", done.stderr
