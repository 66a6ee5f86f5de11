"""A process of its own for each solver, with a limit of processor time."""

from __future__ import annotations

import math
import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TypeVar

__all__ = ["allow", "apart", "describe"]

T = TypeVar("T")


def apart(
    task: Callable[..., Iterator[T]],
    *arguments: object,
    limit: float,
    threads: int,
    blas_threads: int = 1,
) -> tuple[list[T], str]:
    """Run a generator in a process of its own; return its items and how it ended.

    The limit is in CPU seconds, which other programs on the machine do not eat up.
    """
    for name in ("NUMBA", "RAYON"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(blas_threads)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender, limit, task, arguments))
    process.start()
    sender.close()
    items, end = [], "ended without a word"
    while True:
        try:
            kind, item = receiver.recv()
        except EOFError:
            break
        if kind == "item":
            items.append(item)
        else:
            end = item
    process.join()
    if process.exitcode == -signal.SIGXCPU:
        end = f"> {limit:.0f} s"
    elif process.exitcode:
        end = f"exit code {process.exitcode}"
    return items, end


def allow(seconds: float) -> None:
    """Let this process run for some more CPU seconds."""
    end = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


def describe(error: Exception) -> str:
    """Return the kind and the first line of an error."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _serve(
    sender: Connection,
    limit: float,
    task: Callable[..., Iterator[object]],
    arguments: tuple[object, ...],
) -> None:
    """Send what a generator yields, and last an error or an empty string."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    allow(limit)
    end = ""
    try:
        for item in task(*arguments):
            sender.send(("item", item))
    except Exception as error:  # a peer can fail in any way
        end = describe(error)
    sender.send(("end", end))
    sender.close()
