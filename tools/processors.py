"""Run tests as other processors would: nothing may depend on how one of them rounds.

``python tools/processors.py NAME`` runs the notebooks, the docstrings' examples and the
tests of exercises, assignments and figures as the processor of this name would, or
those tests that are named behind it, as pytest names them. Before that it starts a
Python and asks it whether each setting took effect. What this machine cannot do is said
and left out; where the variable ``CI`` is set, that is a failure. With ``--unless-own``
nothing is run for a processor that this machine is anyway: its own run says the same.

The processors cover the settings, not their product. None of them is real: a kernel of
OpenBLAS stands for the machine that it was written for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

Found = dict[str, set[Any]]  # what a Python says of itself

ROOT = Path(__file__).resolve().parent.parent
TRIAL = ROOT / "tools" / "trial"  # its sitecustomize.py sees to processors and data
TESTS = (
    *("chapters", "convexnn_lib"),
    *("tests/test_exercises.py", "tests/exercises", "tests/plotting"),
    "tests/assignments/test_problem_sets.py",
    "tests/assignments/test_arrangements_set.py",
    "tests/assignments/test_convex_equivalence_set.py",
    "tests/assignments/test_landscape_set.py",
    "tests/assignments/test_max_margin_set.py",
    "tests/assignments/test_real_data_set.py",
)
OPTIONS = (
    *("-n", "auto", "--dist", "loadfile"),
    # graded in a sandbox, which the settings do not reach
    *("--deselect", "tests/assignments/test_problem_sets.py::test_rehearsal"),
)
NOTEBOOKS = (
    *("--nbval", "--nbval-current-env"),
    *("--nbval-kernel-startup-timeout", "600", "--nbval-cell-timeout", "3600"),
)


class Processor(NamedTuple):
    """What a processor does in its own way.

    Attributes
    ----------
    kernels : tuple of str
        Kernels of OpenBLAS, of which the first is used that this machine can run.
    threads : int
        The number of processors that Python sees, and of threads that libraries use.
    plain : bool
        Numba, NumPy and PyTorch use only what every processor of this kind can do.
    moved : bool
        Data are moved by one unit in the last place.
    """

    kernels: tuple[str, ...]
    threads: int
    plain: bool = False
    moved: bool = False


PROCESSORS = {
    "old": Processor(("Nehalem",), threads=1, plain=True),
    "usual": Processor(("Haswell", "Sandybridge"), threads=2),
    "new": Processor(("SkylakeX", "Sandybridge"), threads=1, moved=True),
}

# What a Python finds that the settings are for. It multiplies matrices first, since a
# kernel that the machine cannot run ends the process.
PROBE = """
import json, os
import numpy, scipy.linalg, torch
from numba.core.registry import cpu_target
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from threadpoolctl import threadpool_info

matrix = numpy.random.default_rng(0).standard_normal((200, 200))
scipy.linalg.solve(matrix @ matrix, matrix)
libraries = [item for item in threadpool_info() if item["user_api"] == "blas"]
print(json.dumps({
    "kernel": [item.get("architecture") for item in libraries],
    "threads": [item["num_threads"] for item in libraries]
    + [torch.get_num_threads(), os.cpu_count()],
    "Numba": [cpu_target.target_context.codegen()._get_host_cpu_name()],
    "NumPy": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
    "PyTorch": [torch.backends.cpu.get_cpu_capability()],
    "data": [matrix[0, 0].hex()],
}))
"""


class TrialError(Exception):
    """A setting took no effect."""


def prepare(processor: Processor) -> tuple[dict[str, str], list[str]]:
    """Return the variables that make this machine such a processor.

    Also returned is what this machine cannot do.

    Raises
    ------
    TrialError
        If a setting took no effect.
    """
    own = probe({})
    if own is None:
        raise TrialError("Python cannot multiply matrices here")
    threads = min(processor.threads, _available())
    variables = settings(processor, threads, own)
    cannot = []
    if threads < processor.threads:
        cannot.append(f"{processor.threads} threads: it has one processor")
    for kernel in processor.kernels:
        found = probe(variables | {"OPENBLAS_CORETYPE": kernel})
        if found is not None and found["kernel"] == {kernel}:
            variables["OPENBLAS_CORETYPE"] = kernel
            break
    else:
        cannot.append(f"the kernel {' or '.join(processor.kernels)} of OpenBLAS")
        kernel, found = None, probe(variables)
    expected = own | {"threads": {threads}}
    if kernel is not None:
        expected["kernel"] = {kernel}
    if processor.plain:
        expected |= {"Numba": {"generic"}, "NumPy": set(), "PyTorch": {"DEFAULT"}}
    check(expected, found or {}, moved=processor.moved)
    return variables, cannot


def settings(processor: Processor, threads: int, own: Found) -> dict[str, str]:
    """Return the variables of all settings but the kernel."""
    path = filter(None, [str(TRIAL), str(ROOT), os.environ.get("PYTHONPATH")])
    variables = {"PYTHONPATH": os.pathsep.join(path), "TRIAL_PROCESSORS": str(threads)}
    for library in ("OPENBLAS", "OMP", "MKL"):
        variables[f"{library}_NUM_THREADS"] = str(threads)
    if processor.plain:
        variables["NUMBA_CPU_NAME"] = "generic"
        variables["NPY_DISABLE_CPU_FEATURES"] = " ".join(sorted(own["NumPy"]))
        variables["ATEN_CPU_CAPABILITY"] = "default"
    if processor.moved:
        variables["TRIAL_MOVED_DATA"] = "1"
    return variables


def probe(variables: dict[str, str]) -> Found | None:
    """Return what a Python finds under these variables; None if it is killed."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        return None
    if done.returncode > 0:
        raise TrialError(done.stderr)
    return {name: set(value) for name, value in json.loads(done.stdout).items()}


def check(expected: Found, found: Found, *, moved: bool) -> None:
    """Compare what a Python finds with what it should find."""
    for name, values in expected.items():
        if name == "data":
            right = found[name].isdisjoint(values) if moved else found[name] == values
        else:
            right = found[name] == values
        if not right:
            raise TrialError(f"{name}: expected {values}, found {found[name]}")


def _available() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("processor", choices=PROCESSORS)
    parser.add_argument("tests", nargs="*", help="as pytest names them")
    parser.add_argument("--unless-own", action="store_true")
    given = parser.parse_args(arguments)
    try:
        variables, cannot = prepare(PROCESSORS[given.processor])
    except TrialError as error:
        sys.stderr.write(f"The settings did not take effect: {error}\n")
        return 1
    for item in cannot:
        sys.stdout.write(f"Left out, as this machine cannot: {item}\n")
    if cannot and os.environ.get("CI"):
        sys.stderr.write("In CI nothing may be left out.\n")
        return 1
    chosen = " ".join(f"{name}={value}" for name, value in variables.items())
    sys.stdout.write(f"{chosen}\n")
    sys.stdout.flush()
    if given.unless_own and probe(variables) == probe({}):
        sys.stdout.write("This machine is such a processor, and has run these tests.\n")
        return 0
    tests = given.tests or [*OPTIONS, *TESTS]
    command = [sys.executable, "-m", "pytest", *NOTEBOOKS, *tests]
    return subprocess.run(
        command, env=os.environ | variables, cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
