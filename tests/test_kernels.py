"""The shim around Numba."""

from __future__ import annotations

import builtins
import subprocess
import sys

import numpy as np

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
