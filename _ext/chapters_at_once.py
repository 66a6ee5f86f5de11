"""Execute the chapters on all processors, before Sphinx reads them one after another.

MyST-NB executes a chapter when its page is read, unless the cache of executed chapters
has it. So those that it has not are executed first, several at once, and put there. A
chapter that fails is left out: MyST-NB executes it again, and reports what failed.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from status import in_cpu_time

LOGGER = logging.getLogger(__name__)


def execute(path: Path, timeout: int) -> ExecutionResult:
    """Execute a notebook in its folder; runs in a process of its own."""
    return in_cpu_time(single_nb_execution)(
        _read(path), cwd=str(path.parent), timeout=timeout, allow_errors=False
    )


def execute_all(paths: list[Path], cache: JupyterCacheAbstract, timeout: int) -> None:
    """Execute the notebooks that the cache has not, and put them there."""
    missing = [path for path in paths if not _is_cached(_read(path), cache)]
    if len(missing) < 2 or (os.cpu_count() or 1) < 2:
        return
    LOGGER.info("executing %d chapters, several at once", len(missing))
    # a process of its own each: the time of a chapter is that of its process's children
    with ProcessPoolExecutor(
        min(len(missing), os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
    ) as pool:
        runs = [pool.submit(execute, path, timeout) for path in missing]
        for path, run in zip(missing, runs, strict=True):
            result = run.result()
            if result.err is not None:
                continue
            cache.cache_notebook_bundle(
                CacheBundleIn(
                    result.nb, str(path), data={"execution_seconds": result.time}
                ),
                check_validity=False,
                overwrite=True,
            )


def before_reading(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Execute the chapters that are about to be read."""
    settings = env.mystnb_config  # type: ignore[attr-defined] # MyST-NB's own
    if settings.execution_mode != "cache":
        return
    paths = [Path(env.doc2path(name)) for name in names]
    execute_all(
        [path for path in paths if path.suffix == ".ipynb"],
        get_cache(settings.execution_cache_path),
        settings.execution_timeout,
    )


def _read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def _is_cached(notebook: NotebookNode, cache: JupyterCacheAbstract) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def setup(app: Sphinx) -> dict[str, Any]:
    """Execute chapters before pages are read; called by Sphinx."""
    app.connect("env-before-read-docs", before_reading)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
