"""What is recorded along a batch of gradient flows, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import ReadOnlyArrays, cached_array, read_only
from convexnn_lib._validation import BoolArray, FloatArray, check_integer, check_number
from convexnn_lib.errors import InvalidDataError, InvalidLabelsError
from convexnn_lib.flow._integrators import FAILURES
from convexnn_lib.flow._log_loss import NUMPY, log_losses, losses_and_gradients
from convexnn_lib.flow._margins import Margins, directions, lengths, margins_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.typing import FlowMethod

__all__ = ["FlowHistory"]

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False, repr=False)
class FlowHistory(ReadOnlyArrays):
    r"""Weights of many runs at common times, and quantities computed from them.

    All arrays have the recorded times as their first axis and the runs as their second.
    A run that has ended keeps its last weights in all later records.

    Attributes
    ----------
    problem : convexnn_lib.TrainingProblem
        What was trained.
    method : str
        How, see :func:`convexnn_lib.gradient_flow`.
    times : (records,) array
        Recorded times, increasing from 0. For the rescaled methods this is s, the time
        of :math:`d\theta/ds=-\nabla\mathcal L/\mathcal L`.
    W1 : (records, runs, d, m) array
        First-layer weights.
    w2 : (records, runs, m) array
        Second-layer weights.
    status : (runs,) array of str
        Why each run ended: "completed" (the end of the time asked for), "loss",
        "gradient" or "margin" (a stopping rule), "steps" (the adaptive method used up
        its steps before the end), "step too large" (the next step would have raised the
        objective, which no flow does, or overflowed), "diverged" (it would have
        overflowed, for ``method="descent"``, whose objective may rise).
    stop_time : (runs,) array
        When each run ended.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, datasets, gradient_flow
    >>> problem = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")
    >>> history = gradient_flow(
    ...     problem, 10, n_runs=2, init_scale=0.1, seed=0, step=0.05, n_steps=2000
    ... )
    >>> history.W1.shape[1:], history.log_loss.shape == (len(history.times), 2)
    ((2, 2, 10), True)
    >>> bool((history.normalized_margin[-1] > 0.37).all())
    True
    """

    problem: TrainingProblem
    method: FlowMethod
    times: FloatArray
    W1: FloatArray
    w2: FloatArray
    status: npt.NDArray[np.str_]
    stop_time: FloatArray

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return int(self.w2.shape[1])

    @property
    def width(self) -> int:
        """Number of neurons of each network."""
        return int(self.w2.shape[2])

    @property
    def diverged(self) -> BoolArray:
        """Which runs ended because their step was too large, a (runs,) bool array."""
        return read_only(np.isin(self.status, FAILURES))

    def __repr__(self) -> str:
        """Return the sizes and why the runs ended."""
        ends = ", ".join(
            f"{count} {name}"
            for name, count in zip(
                *np.unique(self.status, return_counts=True), strict=True
            )
        )
        return (
            f"FlowHistory({self.method}, runs={self.n_runs} ({ends}), "
            f"width={self.width}, {len(self.times)} records to time "
            f"{self.times[-1]:.6g})"
        )

    def record(self, t: float | None = None) -> int:
        """Return the index of the last record that is not after time ``t``.

        Parameters
        ----------
        t : float, optional
            A time that is not negative; the last record if it is not given.

        Returns
        -------
        int
            Index into ``times``.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If ``t`` is negative or NaN.
        """
        if t is None:
            return len(self.times) - 1
        t = check_number(t, "t", "[0, inf]")
        return int(np.searchsorted(self.times, t, side="right")) - 1

    def network(self, run: int = 0, t: float | None = None) -> ReLUNetwork:
        """Return one run's network at the last record that is not after time ``t``.

        Parameters
        ----------
        run : int
            Which run.
        t : float, optional
            A time; the end if it is not given.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            The network, zero neurons included.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If there is no such run or ``t`` is negative.
        """
        run = check_integer(run, "run", minimum=0)
        if run >= self.n_runs:
            raise InvalidDataError(
                f"run = {run}, but the runs are numbered from 0 to {self.n_runs - 1}."
            )
        record = self.record(t)
        return ReLUNetwork(self.W1[record, run], self.w2[record, run])

    @cached_array
    def outputs(self) -> FloatArray:
        """Outputs of the networks on the data, a (records, runs, n) array."""
        outputs = self._each(
            lambda W1, w2, inputs: np.einsum("rnm,rm->rn", np.maximum(inputs, 0), w2)
        )
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.ldexp(outputs, self._unit))

    @cached_array
    def norm(self) -> FloatArray:
        """Norm of all weights of a network, a (records, runs) array."""
        first = lengths(self.W1, (2, 3))
        return np.asarray(np.hypot(first, lengths(self.w2, 2)))

    @cached_array
    def log_loss(self) -> FloatArray:
        """Logarithm of the loss (without penalty), a (records, runs) array.

        For the logistic loss it stays accurate where the loss itself underflows. A loss
        of exactly zero gives ``-inf``, one below zero NaN.
        """
        loss, y, outputs = self.problem.loss, self.problem.y, self.outputs
        # outputs that overflow are just very large
        outputs = np.clip(outputs, -_LARGEST, _LARGEST)
        with np.errstate(all="ignore"):
            log_loss: FloatArray = log_losses(NUMPY, loss, y, outputs, 2)
        return log_loss

    @property
    def loss(self) -> FloatArray:
        """Loss (without penalty), a (records, runs) array; zero where it underflows."""
        loss, y = self.problem.loss, self.problem.y
        outputs = np.clip(self.outputs, -_LARGEST, _LARGEST)
        with np.errstate(all="ignore"):
            losses, _ = losses_and_gradients(NUMPY, loss, y, outputs, 2)
        return read_only(np.asarray(losses))

    @property
    def objective(self) -> FloatArray:
        """Loss plus penalty, the training objective, a (records, runs) array."""
        return read_only(self.loss + 0.5 * self.problem.beta * self.norm**2)

    @property
    def normalized_margin(self) -> FloatArray:
        r"""Normalized margin :math:`\min_iy_if(x_i)/\|\theta\|^2`, (records, runs).

        NaN where all weights are zero.
        """
        return read_only(self._margins.normalized)

    @property
    def smoothed_margin(self) -> FloatArray:
        r"""Smoothed margin of the logistic loss, a (records, runs) array.

        It is :math:`-\log(e^{\mathcal L}-1)/\|\theta\|^2` with the summed logistic loss
        :math:`\mathcal L`, whatever loss was trained; see
        :func:`convexnn_lib.smoothed_margin`. NaN where all weights are
        zero.
        """
        return read_only(self._margins.smoothed)

    @property
    def directions(self) -> FloatArray:
        r"""The unit neurons :math:`\hat w_{1,k}`, a (records, runs, d, m) array.

        NaN where a neuron is zero.
        """
        return read_only(directions(self.W1, 2))

    @cached_array
    def balancedness(self) -> FloatArray:
        r"""The differences :math:`\|w_{1,k}\|^2-w_{2,k}^2`, (records, runs, m).

        Along the gradient flow without regularization each of them is constant.
        """
        balance: FloatArray = np.sum(self.W1**2, axis=2) - self.w2**2
        return balance

    @cached_array
    def alignment(self) -> FloatArray:
        r"""Cosine of each neuron with its extremal direction, (records, runs, m).

        It is the cosine of the angle between :math:`w_{1,k}` and
        :math:`s_kX^TD(w_{1,k})y` with :math:`s_k=\operatorname{sign}w_{2,k}` and
        :math:`D(w)=\operatorname{diag}\mathbb 1(Xw\ge0)`. NaN where one of the two
        vectors is zero, as it is for a neuron that no sample activates.
        """
        X, y = np.ldexp(self.problem.X, -self._unit), self.problem.y

        def cosine(W1: FloatArray, w2: FloatArray, inputs: FloatArray) -> FloatArray:
            target = np.einsum("nd,n,rnm->rdm", X, y, (inputs >= 0).astype(float))
            products = np.sum(directions(W1, 1) * directions(target, 1), axis=1)
            return np.asarray(np.clip(np.sign(w2) * products, -1, 1))

        return self._each(cosine)

    @cached_array
    def alive(self) -> BoolArray:
        """Which neurons some sample activates, a (records, runs, m) array of bool.

        The others have zero gradient: without regularization they have stopped for
        good.
        """
        any_active = self._each(
            lambda W1, w2, inputs: np.any(inputs > 0, axis=1).astype(float)
        )
        return any_active > 0

    def patterns(self, t: float | None = None) -> BoolArray:
        r"""Return the activation patterns at the last record not after time ``t``.

        Parameters
        ----------
        t : float, optional
            A time; the end if it is not given.

        Returns
        -------
        (runs, m, n) array of bool
            :math:`\mathbb 1(x_i^Tw_{1,k}\ge0)`.
        """
        inputs = np.ldexp(self.problem.X, -self._unit) @ self.W1[self.record(t)]
        return np.asarray(np.swapaxes(inputs, 1, 2) >= 0)

    @property
    def _unit(self) -> int:
        return int(np.frexp(np.abs(self.problem.X).max())[1])

    @cached_property
    def _margins(self) -> Margins:
        y = self.problem.y
        if not np.all(np.abs(y) == 1):
            raise InvalidLabelsError(
                "Margins need labels -1 or 1; these runs were trained on real labels."
            )
        parts = [
            margins_of(self.problem.X, y, W1, w2)
            for W1, w2 in zip(self.W1, self.w2, strict=True)
        ]
        return Margins(
            *(np.stack(part) for part in zip(*map(astuple, parts), strict=True))
        )

    def _each(
        self, compute: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    ) -> FloatArray:
        """Apply a function record by record, which bounds the memory that it needs.

        It takes the weights, and the inputs of the neurons in units of the data, a
        power of two, so that no input under- or overflows that weights and data do not.
        """
        X = np.ldexp(self.problem.X, -self._unit)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return np.stack(
                [
                    compute(W1, w2, X @ W1)
                    for W1, w2 in zip(self.W1, self.w2, strict=True)
                ]
            )
