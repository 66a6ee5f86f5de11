"""Gradient flow and gradient descent for many two-layer ReLU networks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any, TypedDict, Unpack, overload

import numpy as np

from convexnn_lib._progress import bar_class
from convexnn_lib._threads import map_in_threads
from convexnn_lib._validation import (
    FloatArray,
    Seed,
    check_integer,
    check_number,
    check_unused,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow._backend import Backend, backend_of
from convexnn_lib.flow._flow_units import flow_units
from convexnn_lib.flow._initial import Initial, initial_weights
from convexnn_lib.flow._integrators import (
    FAILURES,
    STATUSES,
    Batch,
    euler,
    runge_kutta,
)
from convexnn_lib.flow._options import (
    as_problems,
    as_threads,
    as_times,
    check_method,
    default_step,
    step_grid,
    stop_rule,
    time_grid,
)
from convexnn_lib.flow._vector_field import VectorField
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.typing import FlowInit, FlowMethod

__all__ = ["BatchOptions", "gradient_flow"]

# The runs go in blocks whose (problems, n, runs, m) arrays have about this many
# entries: on a CPU, so that they stay in its cache, on a GPU, so that they fit its
# memory.
_CPU_BLOCK, _GPU_BLOCK = 100_000, 2**27


class BatchOptions(TypedDict, total=False):
    """Keyword arguments of :func:`gradient_flow` that runs in batches have as well."""

    init_scale: float | None
    init: FlowInit | None
    method: FlowMethod
    step: float | None
    n_steps: int | None
    t_max: float | None
    tolerance: float | None
    stop_log_loss: float | None
    stop_gradient: float | None
    stop_margin: float | None
    n_records: int | None
    record_times: Sequence[float] | FloatArray | None
    device: str
    progress: bool


class _Options(BatchOptions, total=False):
    """All of its keyword arguments, for its two signatures."""

    n_runs: int | None
    seed: Seed | Sequence[Seed] | None
    initial: Initial | None
    n_jobs: int | None


@overload
def gradient_flow(
    problem: TrainingProblem, width: int | None = None, **options: Unpack[_Options]
) -> FlowHistory: ...


@overload
def gradient_flow(
    problem: Sequence[TrainingProblem],
    width: int | None = None,
    **options: Unpack[_Options],
) -> list[FlowHistory]: ...


def gradient_flow(
    problem: TrainingProblem | Sequence[TrainingProblem],
    width: int | None = None,
    *,
    n_runs: int | None = None,
    init_scale: float | None = None,
    seed: Seed | Sequence[Seed] | None = None,
    init: FlowInit | None = None,
    initial: Initial | None = None,
    method: FlowMethod = "euler",
    step: float | None = None,
    n_steps: int | None = None,
    t_max: float | None = None,
    tolerance: float | None = None,
    stop_log_loss: float | None = None,
    stop_gradient: float | None = None,
    stop_margin: float | None = None,
    n_records: int | None = None,
    record_times: Sequence[float] | FloatArray | None = None,
    device: str = "cpu",
    n_jobs: int | None = None,
    progress: bool = False,
) -> FlowHistory | list[FlowHistory]:
    r"""Follow the gradient flow of many two-layer ReLU networks at once.

    The flow of the training objective

    .. math::
        \mathcal L(\theta)=\ell\big((XW_1)_+w_2,\,y\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|^2\big)

    is :math:`\dot\theta=-\nabla\mathcal L(\theta)`, and the loss-rescaled flow is
    :math:`d\theta/ds=-\nabla\mathcal L/\mathcal L`: the same trajectories in another
    time, in which training does not slow down as the loss vanishes [1]_. Runs are
    independent of each other, and all of them are computed at once.

    ======================  ============================================================
    ``method``              steps
    ======================  ============================================================
    "euler"                 :math:`\theta\leftarrow\theta-h\nabla\mathcal L` with
                            constant h; a run ends where the objective rises
    "descent"               the same, gradient descent in its own right, whose objective
                            may rise
    "rescaled"              :math:`\theta\leftarrow\theta-h\nabla\mathcal L/\mathcal L`
                            with constant h, for the logistic loss without penalty
    "runge_kutta"           the flow, with the embedded pair of Bogacki and Shampine
                            and steps adapted to each run
    "rescaled_runge_kutta"  the rescaled flow, likewise
    ======================  ============================================================

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem or a sequence of them
        A problem with ``beta`` = 0 or more and any loss but the hard margin. Several
        problems must have data of one shape, one loss and one ``beta``.
    width : int
        Number m of neurons, for random initial weights.
    n_runs : int, default 1
        Number of random starts, the same for each problem. The first runs do not depend
        on how many there are.
    init_scale : float, optional
        Standard deviation of the initial weights. The default is 0.01 where the entries
        of X, and for the squared loss those of y, are of order one, and in other units
        what that becomes in those.
    seed : int or numpy.random.Generator, or a sequence of them
        Source of the initial weights, drawn on the CPU whatever the device; a sequence
        has a source for each run.
    init : {"balanced", "gaussian"}, default "balanced"
        First-layer weights are normal. Second-layer weights are
        :math:`\pm\|w_{1,k}\|` with random signs, or normal too.
    initial : network, sequence of networks, or history, optional
        Start from one ``ReLUNetwork`` or several of one width, or from the last weights
        of another ``FlowHistory``, in place of random weights; then ``width``,
        ``n_runs``, ``init_scale``, ``seed`` and ``init`` are not given. For several
        problems, they all start from these, or each from its own history in a sequence
        of as many.
    method : str, default "euler"
        See the table.
    step : float, optional
        The step h; for the adaptive methods the first one, and a hundredth of it the
        smallest. The default is the smaller one of :math:`0.1/\|X\|_2^2` and
        :math:`1/(\|X\|_2\|\nabla\ell(0)\|)` for the flow, and
        :math:`c/\max_i\|x_i\|` for the rescaled flow, c = 0.002 for constant and 0.01
        for adaptive steps, and for several problems the smallest of theirs: cautious
        for data and weights of order one, to be lowered if runs say that it is too
        large. In other units of the data and the labels it is what that becomes there.
    n_steps : int, default 10,000
        Number of steps, unless ``t_max`` is given; for the adaptive methods the largest
        number of attempts of a run.
    t_max : float, optional
        End of the time, of t or s. It replaces ``n_steps`` for a constant step
        (rounded up to a multiple of it), and the adaptive methods need it.
    tolerance : float, default 1e-4
        Relative error of an adaptive step, neuron by neuron; constant steps have none.
        With many samples most
        steps cross a kink, and a tight tolerance costs much time.
    stop_log_loss, stop_gradient : float, optional
        End a run where the logarithm of its loss (without penalty), or the norm of
        :math:`\nabla\mathcal L`, is at most this.
    stop_margin : float, optional
        End a run where its normalized margin is at least this.
    n_records : int, default 100
        Number of times to record, on a logarithmic grid with 0 in front. The history
        takes ``8 * n_records * n_runs * (d + 1) * width`` bytes at most a problem,
        however many steps are made. See
        :func:`convexnn_lib.gradient_flow_ensemble` for more runs than fit.
    record_times : sequence of float, optional
        Increasing times to record in place of that grid, each rounded to a multiple of
        a constant step; 0 and the end are added.
    device : str
        "cpu", "cuda" or "cuda:k", or "auto" for a CUDA device where there is one. NumPy
        computes on a CPU, PyTorch (the extra ``torch``) on a CUDA device. The results
        agree up to rounding.
    n_jobs : int, default 1
        Number of threads that share the runs on a CPU, -1 for one a core; a GPU has
        its own. The results do not depend on it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    convexnn_lib.FlowHistory, or a list of them
        Weights at the recorded times, and all that follows from them; for a sequence of
        problems one history each, equal up to rounding to what the problem alone gives
        with the same step.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is out of range or would change nothing beside the others (as the
        tolerance of constant steps), the problems differ in shape, loss or ``beta``,
        the loss has no gradient (the hard margin), a margin is asked for without labels
        -1 and 1, or the very first step is too large for every run. Where it is for
        some, or later, these runs keep the weights before the step that failed, and
        ``history.diverged`` marks them.
    convexnn_lib.errors.RegularizationError
        If a rescaled method is asked for with ``beta`` > 0: then the loss does not
        tend to 0.
    convexnn_lib.errors.MissingExtraError
        If a CUDA device is asked for and PyTorch is not installed.

    Notes
    -----
    *Units.* With X multiplied by c, y of the squared loss by s and the weights at the
    start by :math:`\sqrt{s/c}` the flow is the same in other units; where c and s are
    powers of four, it is so to the last bit.

    *Clarke selection.* The derivative of the ReLU at 0 is taken to be 0, and the
    subgradient of the hinge loss at its kink is 0 too.

    *Steps that are too large.* The objective of a flow cannot rise. A step that raises
    it and crosses no kink is longer than twice the inverse curvature, and the run ends
    before it with the status "step too large". A step that does cross kinks may raise
    it by an amount of the order of the step, back and forth; it ends the run where the
    objective is more than twice the lowest one so far. The same holds for the smallest
    step of the adaptive methods. ``method="descent"`` takes such steps and goes on.

    *Adaptive steps across kinks.* The gradient jumps where a neuron crosses a sample's
    hyperplane; the error estimate shortens the step there. Where the flow slides along
    a hyperplane every step crosses it, and the smallest step is taken: the error is
    then of the order of that step, not of the tolerance.

    *Invariants.* Without penalty the flow keeps :math:`\|w_{1,k}\|^2-w_{2,k}^2` of
    every neuron, and so the sign of :math:`w_{2,k}` if :math:`|w_{2,k}|\ge\|w_{1,k}\|`
    at the start. Gradient descent keeps them up to terms of the order of its step, the
    adaptive methods up to their tolerance. A neuron that is exactly balanced at the
    start and shrinks a thousandfold can then change its sign at a tolerance of 1e-3,
    which the flow forbids; a tighter tolerance, or :math:`|w_{2,k}|` one per cent above
    :math:`\|w_{1,k}\|` at the start, prevents it.

    *The rescaled flow with a constant step* has a floor: weights grow at a constant
    rate while the flow becomes stiff, so the distance to the best margin first shrinks,
    then grows again and depends on rounding. Only shorter steps help, which the
    adaptive method takes by itself: then what remains is a matter of time. Runs leave a
    small start at different times, so end them by ``stop_log_loss`` rather than by
    ``t_max``. Log-losses down to -1e300 are carried, for the loss enters by its
    logarithm alone.

    References
    ----------
    .. [1] Lyu & Li (2020), `lyu2020gradient`.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, datasets, gradient_flow
    >>> problem = TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")
    >>> history = gradient_flow(
    ...     problem, 10, n_runs=3, init_scale=0.1, seed=0,
    ...     method="rescaled_runge_kutta", t_max=50, stop_log_loss=-500,
    ... )
    >>> history
    FlowHistory(rescaled_runge_kutta, runs=3 (3 loss), width=10, ... records to time ...
    >>> bool((history.normalized_margin[-1] > 0.3115).all())  # the best is 0.3122007
    True
    >>> history.network(run=1)
    ReLUNetwork(d=2, width=10)
    """
    problems = as_problems(problem)
    chosen = check_method(problems[0], method)
    if step is not None:
        step = check_number(step, "step", "(0, inf)")
    if not chosen.adaptive:
        check_unused({"tolerance": tolerance}, f"for the constant steps of {method!r}")
        if t_max is not None:
            check_unused({"n_steps": n_steps}, "for constant steps up to t_max")
    if record_times is not None:
        check_unused({"n_records": n_records}, "beside record_times")
    n_steps = check_integer(
        10_000 if n_steps is None else n_steps, "n_steps", minimum=1
    )
    tolerance = check_number(
        1e-4 if tolerance is None else tolerance, "tolerance", "(0, inf)"
    )
    if t_max is not None:
        t_max = check_number(t_max, "t_max", "(0, inf)")
    elif chosen.adaptive:
        raise InvalidDataError(f'method "{method}" needs t_max, the end of the time.')
    n_records = check_integer(
        100 if n_records is None else n_records, "n_records", minimum=2
    )
    rule = stop_rule(problems, stop_log_loss, stop_gradient, stop_margin)
    backend = backend_of(device)
    if device not in ("cpu", "auto"):
        check_unused({"n_jobs": n_jobs}, f'on the device "{device}"')
    threads = as_threads(1 if n_jobs is None else n_jobs)
    inner = flow_units(problems, rescaled=chosen.rescaled)
    asked, problems, rule = problems, inner.problems, inner.inward(rule)
    unit, size = inner.time, inner.units.weights
    start1, start2 = initial_weights(
        problems, width, n_runs, init_scale, seed, init, initial, unit=size
    )
    if step is None:
        step = min(default_step(one, chosen) for one in problems)
    else:
        step /= unit
    inside = None if record_times is None else as_times(record_times) / unit
    if chosen.adaptive and t_max is not None:
        grid = time_grid(step, t_max / unit, n_records, inside)
    else:
        last = n_steps if t_max is None else ceil(t_max / unit / step * (1 - 1e-12))
        counts = step_grid(step, last, n_records, inside)
        grid = [step * count for count in counts]

    shape = start1.shape
    W1 = np.empty((len(grid), *shape))
    w2 = np.empty((len(grid), *start2.shape))
    status = np.empty(shape[:2], dtype=np.int64)
    stop_time = np.empty(shape[:2])

    def follow(block: tuple[slice, slice]) -> None:
        """Integrate the runs of a block and write what they give."""
        field = VectorField(
            problems[block[0]], rescaled=chosen.rescaled, backend=backend
        )
        first, second = start1[block].swapaxes(1, 2), start2[block][:, None]
        start = np.concatenate([first, second], axis=1)
        batch = Batch(field, backend.array(start), rule)
        pauses = (
            runge_kutta(batch, step, tolerance, grid, n_steps)
            if chosen.adaptive
            else euler(batch, step, counts, watched=chosen.watched)
        )
        record = -1
        for record, _ in enumerate(pauses):
            weights = backend.numpy(batch.weights)
            W1[record, *block] = weights[:, :-1].swapaxes(1, 2)
            w2[record, *block] = weights[:, -1]
            bar.update()
        # all runs of the block ended early: their last weights stay
        weights = backend.numpy(batch.weights)
        W1[record + 1 :, *block] = weights[:, :-1].swapaxes(1, 2)
        w2[record + 1 :, *block] = weights[:, -1]
        bar.update(len(grid) - record - 1)
        status[block] = backend.numpy(batch.status)
        stop_time[block] = backend.numpy(batch.stop_time)

    entries = problems[0].n * shape[3]
    blocks = list(_blocks(shape[0], shape[1], entries, backend, threads))
    with _progress_bar(len(blocks) * len(grid), shown=progress) as bar:
        _in_threads(follow, blocks, backend, threads)

    reasons = np.array(STATUSES)[status]
    if np.all(np.isin(reasons, FAILURES)) and not np.any(stop_time):
        raise InvalidDataError(
            f"Every run diverged at once: with step {step * unit:.3g} the first step "
            "raises the objective or overflows. Take a shorter step or scale the data."
        )
    W1, w2, stop_time = W1 * size, w2 * size, stop_time * unit
    histories = []
    for k, one in enumerate(asked):
        times = np.array(grid) * unit
        end = stop_time[k].max()
        kept = int(np.searchsorted(times, end)) + 1
        times = times[:kept]
        times[-1] = end
        histories.append(
            FlowHistory(
                one, method, times, W1[:kept, k], w2[:kept, k], reasons[k], stop_time[k]
            )
        )
    return histories[0] if isinstance(problem, TrainingProblem) else histories


def _blocks(
    problems: int, runs: int, entries: int, backend: Backend, threads: int
) -> Iterator[tuple[slice, slice]]:
    """Cut problems and runs into blocks, on a CPU enough of them for the threads."""
    whole = problems * runs
    size = _GPU_BLOCK // entries
    if backend.is_numpy:
        size = min(_CPU_BLOCK // entries, ceil(whole / threads))
    size = max(1, size)
    width = min(runs, size)
    height = max(1, size // runs)
    for top in range(0, problems, height):
        for left in range(0, runs, width):
            yield (
                slice(top, min(top + height, problems)),
                slice(left, min(left + width, runs)),
            )


def _in_threads(
    work: Callable[[tuple[slice, slice]], None],
    blocks: list[tuple[slice, slice]],
    backend: Backend,
    threads: int,
) -> None:
    """Do the work of each block, in so many threads on a CPU."""
    if not backend.is_numpy or min(threads, len(blocks)) == 1:
        with backend.computing():
            for block in blocks:
                work(block)
        return

    def quietly(block: tuple[slice, slice]) -> None:
        with np.errstate(all="ignore"):  # each thread has its own
            work(block)

    with backend.computing():
        list(map_in_threads(quietly, blocks, threads))


def _progress_bar(total: int, *, shown: bool) -> Any:
    return bar_class()(
        total=total, disable=not shown, desc="gradient flow", unit="record"
    )
