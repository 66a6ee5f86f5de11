"""The shim around Numba."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from convexnn_lib import _kernels
from convexnn_lib._kernels import Kernel, jit


def total(values):
    """Add numbers up."""
    result = 0.0
    for value in values:
        result += value
    return result


def test_kernel_computes_what_the_function_computes():
    kernel = jit(total)
    values = np.arange(5.0)
    assert isinstance(kernel, Kernel)
    assert kernel(values) == kernel.py_func(values) == 10.0
    assert kernel.__name__ == "total"
    assert kernel.__doc__ == "Add numbers up."


def test_plain_python_where_numba_is_missing(monkeypatch):
    original = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "numba":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    kernel = jit(total)
    assert kernel([1.0, 2.0]) == 3.0


INNER = """
from convexnn_lib._kernels import jit

@jit
def factor():
    return {value}
"""
MIDDLE = """
from convexnn_lib._kernels import jit
from inner_kernel import factor

@jit
def doubled(x):
    return 2.0 * factor() * x
"""
OUTER = """
from convexnn_lib._kernels import jit
from middle_kernel import doubled

@jit
def quadrupled(x):
    return 2.0 * doubled(x)

print(quadrupled(1.0), quadrupled.py_func(1.0))
"""


@pytest.mark.slow
def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path):
    """Numba's cache looks at the file of a kernel only."""
    (tmp_path / "middle_kernel.py").write_text(MIDDLE)
    (tmp_path / "outer_kernel.py").write_text(OUTER)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for value in (1.0, 10.0, 10.0):
        (tmp_path / "inner_kernel.py").write_text(INNER.format(value=value))
        run = subprocess.run(
            [sys.executable, "outer_kernel.py"],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert run.stdout.split() == [str(4.0 * value)] * 2
    assert list((tmp_path / "cache").rglob("*.nbi"))


def test_without_a_place_for_the_cache(monkeypatch, tmp_path):
    """A file that cannot be found has no cache, nor has one that is read-only."""
    source = "def answer(x):\n    return 42.0 * x\n"
    names = {}
    exec(compile(source, str(tmp_path / "missing.py"), "exec"), names)
    assert jit(names["answer"])(1.0) == 42.0


def test_small_problems_need_no_compiler():
    program = """
import sys, convexnn_lib
cells = convexnn_lib.enumerate_patterns([[3, 3], [1, 0]])
assert cells.verify().exact_count == len(cells.adjacency().row) == 4
closed = convexnn_lib.enumerate_patterns([[3, 3], [-1, -1]], closed=True)
assert closed.verify().exact_count == 3
assert convexnn_lib.sample_patterns([[3, 3], [1, 0]], 100, seed=0).share == 1
assert not {"numba", "torch", "cvxpy", "sklearn"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_while_a_kernel_compiles_does_not_wait_for_ever(monkeypatch):
    """The lock of another thread, which is not there after the fork, is not taken."""
    begun = threading.Event()

    def slowly(function, any_order):
        begun.set()
        time.sleep(0.2)
        return function

    monkeypatch.setattr(_kernels, "_compile", slowly)
    kernel = _kernels.jit(lambda x: x + 1)
    thread = threading.Thread(target=kernel, args=(1,))
    thread.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends the child if it waits
        os._exit(kernel(2))
    _, status = os.waitpid(child, 0)
    thread.join()
    assert os.WIFEXITED(status)
    assert os.WEXITSTATUS(status) == 3
