"""Ensembles of gradient flows in batches, on all cores or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import check_callable, check_integer
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow._options import as_threads
from convexnn_lib.flow.gradient_flow import BatchOptions, gradient_flow
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["gradient_flow_ensemble"]


def gradient_flow_ensemble(
    problem: TrainingProblem | Sequence[TrainingProblem],
    width: int,
    summarize: Callable[[Any], Any] | None = None,
    *,
    n_runs: int,
    seed: int,
    batch_size: int = 256,
    n_jobs: int | None = None,
    **options: Unpack[BatchOptions],
) -> list[Any]:
    r"""Follow more flows than one batch, one machine or its memory holds.

    The runs are cut into batches, :func:`convexnn_lib.gradient_flow` follows each, and
    joblib [1]_ distributes them. A summary of each batch is computed where the batch
    ran, so that only summaries travel and are kept.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem or a sequence of them
        What to train.
    width : int
        Number m of neurons.
    summarize : callable, optional
        Takes the history of a batch (a list of them for a sequence of problems) and
        returns what to keep of it; the history itself by default. It must be possible
        to pickle its result, and with another backend than threads the function too.
    n_runs : int
        Number of random starts.
    seed : int
        Source of the initial weights. Run r draws from
        ``default_rng(SeedSequence(seed, spawn_key=(r,)))``, so the results depend
        neither on the batches nor on the workers.
    batch_size : int
        The largest number of runs of a batch. Batches are made as even as they can be.
    n_jobs : int, optional
        Number of workers, -1 for one a core; by default one, or what
        ``joblib.parallel_config`` says.
    **options
        Passed on to :func:`convexnn_lib.gradient_flow`.

    Returns
    -------
    list
        The summaries of the batches, in the order of the runs.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is out of range, ``options`` has initial weights, or every run of
        a batch diverges.
    convexnn_lib.errors.MissingExtraError
        If joblib is not installed, which the extra ``cluster`` brings.

    Notes
    -----
    Any backend of joblib will do. On a Dask cluster, here one on this machine::

        import joblib
        from dask.distributed import Client, LocalCluster

        with LocalCluster(n_workers=4, threads_per_worker=1) as cluster:
            with Client(cluster), joblib.parallel_config("dask"):
                margins = gradient_flow_ensemble(
                    problem, 10, lambda h: h.normalized_margin[-1],
                    n_runs=100_000, seed=0, n_records=2,
                )

    The address of a cluster's scheduler, ``Client("tcp://...")``, takes the place of
    the local one. Ray has a backend as well: call ``ray.util.joblib.register_ray()``
    and use ``joblib.parallel_config("ray")``.

    References
    ----------
    .. [1] https://joblib.readthedocs.io

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import TrainingProblem, datasets, gradient_flow_ensemble
    >>> problem = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")
    >>> def final_margin(history):
    ...     return history.normalized_margin[-1]
    >>> margins = gradient_flow_ensemble(
    ...     problem, 10, final_margin, n_runs=10, seed=0, batch_size=4,
    ...     init_scale=0.1, step=0.05, n_steps=2000, n_records=2,
    ... )
    >>> [len(batch) for batch in margins]
    [4, 3, 3]
    >>> bool(np.concatenate(margins).max() < 0.38989)  # the best is 0.3898842
    True
    """
    n_runs = check_integer(n_runs, "n_runs", minimum=1)
    seed = check_integer(seed, "seed", minimum=0)
    batch_size = check_integer(batch_size, "batch_size", minimum=1)
    check_callable(summarize, "summarize")
    if n_jobs is not None:
        as_threads(n_jobs)  # which says what it may be
    if dict(options).get("initial") is not None:  # no type checker saw it
        raise InvalidDataError(
            "gradient_flow_ensemble draws its initial weights; call gradient_flow to "
            "start from given ones."
        )
    with extra("cluster", "gradient_flow_ensemble"):
        from joblib import Parallel, delayed

    batches = np.array_split(np.arange(n_runs), -(-n_runs // batch_size))
    summaries: list[Any] = Parallel(n_jobs=n_jobs)(
        delayed(_follow)(problem, width, summarize, seed, runs.tolist(), options)
        for runs in batches
    )
    return summaries


def _follow(
    problem: TrainingProblem | Sequence[TrainingProblem],
    width: int,
    summarize: Callable[[Any], Any] | None,
    seed: int,
    runs: list[int],
    options: BatchOptions,
) -> Any:
    """Follow the runs of one batch and summarize them."""
    sources = [
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(run,)))
        for run in runs
    ]
    history = gradient_flow(problem, width, n_runs=len(runs), seed=sources, **options)
    return history if summarize is None else summarize(history)
