from __future__ import annotations

import joblib
import numpy as np
import pytest

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.gradient_flow_ensemble import gradient_flow_ensemble
from convexnn_lib.problem.training_problem import TrainingProblem

OPTIONS = {"init_scale": 0.3, "step": 0.02, "n_steps": 100, "n_records": 2}


def last_margins(history):
    return history.normalized_margin[-1]


@pytest.fixture(scope="module")
def problem():
    return TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")


@pytest.fixture(scope="module")
def margins(problem):
    (whole,) = gradient_flow_ensemble(
        problem, 6, last_margins, n_runs=11, seed=3, **OPTIONS
    )
    return whole


@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_results_do_not_depend_on_the_batches(problem, margins, batch_size):
    parts = gradient_flow_ensemble(
        problem, 6, last_margins, n_runs=11, seed=3, batch_size=batch_size, **OPTIONS
    )
    assert len(parts) == -(-11 // batch_size)
    np.testing.assert_allclose(np.concatenate(parts), margins, rtol=1e-9)


def test_seeds_are_those_that_the_docstring_names(problem):
    histories = gradient_flow_ensemble(
        problem, 6, n_runs=5, seed=3, batch_size=2, **OPTIONS
    )
    assert [history.n_runs for history in histories] == [2, 2, 1]
    sequence = np.random.SeedSequence(3, spawn_key=(3,))
    single = gradient_flow(problem, 6, seed=np.random.default_rng(sequence), **OPTIONS)
    np.testing.assert_array_equal(histories[1].W1[0, 1], single.W1[0, 0])


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_workers_give_the_same(problem, margins, backend):
    with joblib.parallel_config(backend):
        parts = gradient_flow_ensemble(
            problem,
            6,
            last_margins,
            n_runs=11,
            seed=3,
            batch_size=6,
            n_jobs=2,
            **OPTIONS,
        )
    np.testing.assert_allclose(np.concatenate(parts), margins, rtol=1e-9)


def test_local_dask_cluster(problem, margins, tmp_path):
    distributed = pytest.importorskip("dask.distributed", reason="needs dask")
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        parts = gradient_flow_ensemble(
            problem, 6, last_margins, n_runs=11, seed=3, batch_size=4, **OPTIONS
        )
    np.testing.assert_allclose(np.concatenate(parts), margins, rtol=1e-9)


def test_several_problems(problem):
    def last(histories):
        return [history.log_loss[-1] for history in histories]

    (losses,) = gradient_flow_ensemble(
        [problem, problem], 6, last, n_runs=2, seed=0, **OPTIONS
    )
    np.testing.assert_array_equal(losses[0], losses[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_runs": 0}, "n_runs must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 0.5}, "seed must be an integer"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"method": "adam"}, "method must be one of"),
        ({"init_scale": -1.0}, "init_scale"),
        ({"initial": []}, "draws its initial weights"),
    ],
)
def test_errors(problem, options, message):
    options = {"n_runs": 2, "seed": 0, **options}
    with pytest.raises(InvalidDataError, match=message):
        gradient_flow_ensemble(problem, 3, **options)
