"""The steps of column generation: price neurons, train the working set, widen it."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import solve_groups
from convexnn_lib.certificates._pricing import (
    Prices,
    price_all_neurons,
    price_cones,
    price_locally,
)
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    NotSeparableError,
    SolverError,
)
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._local_training import descend, widened
from convexnn_lib.training._newton_on_face import meet_hard_margin, raised
from convexnn_lib.training._sparsify import sparsify
from convexnn_lib.training._working_set import WorkingSet

__all__ = ["ColumnSearch"]

_NEW = 50  # pairs that join in one round; a quarter of n, if that is more
_STARTS = 100  # random directions in which local ascent starts
_LARGE = 4000  # n * d from which restricted programs are slow
_STALLED = 1e-2  # relative gain of a descent below which there are no more
_MANY_STARTS = 2000  # where these find nothing
_LEAST = 1e-4  # relative length below which a group is not worth a neuron at once
_STATIONARY = 1e-9  # relative error of a neuron's weight at a stationary network
_FAINT = 1e-12  # relative weight of the penalty at which no margin is large enough
_NEAR = 0.1  # relative excess of the dual norm below which accuracy pays


class ColumnSearch:
    """The state of the loop in ``active_set.py``: pricing and training in turn."""

    def __init__(
        self,
        problem: TrainingProblem,
        scope: BoolArray | None,
        tol: float,
        start: ReLUNetwork | None,
    ) -> None:
        X, y = problem.X, problem.y
        self.problem, self.scope = problem, scope
        self.working = WorkingSet(X)
        self.random = np.random.default_rng(0)
        self.network = ReLUNetwork(np.zeros((problem.d, 0)), np.zeros(0))
        self.value = problem.objective(self.network)
        self.clean = True  # whether the network has no superfluous neuron
        self.lower_bound = -np.inf
        self.program = problem
        self.dual = y.copy()
        if not problem.loss.is_constraint:
            self.dual = -problem.loss.gradient(np.zeros(problem.n), y)
        self.best_dual = self.dual
        self.outputs: FloatArray | None = None
        self.directions = np.zeros((0, problem.d))
        # a relative excess of the dual norm costs no more than the same relative gap
        self.negligible = max(0.1 * tol, 1e-11)
        self.pending = False  # walls that the last point violated
        self.excess = np.inf  # of the dual norm over beta, relative
        self.accuracy = 1e-9  # of the restricted programs near the optimum
        self.refined = False  # whether the last point was accurate
        self.cheap = True  # whether a complete pricing is done in every round
        # neurons found since the last point, and whether they are trained by descent
        self.entering: list[tuple[FloatArray, float]] = []
        self.descending = (
            problem.n * problem.d > _LARGE
            and scope is None
            and problem.loss.slack_cost is None
        )
        if problem.loss.is_constraint:
            # until the working set can meet the margin, a hinge loss leads there
            largest = self._local_prices().values[0]
            self.program = TrainingProblem(X, y, 0.01 * float(largest), "hinge")
            self.faint = _FAINT * float(largest)
        self.exhaustive = scope is None
        if start is not None and start.width:
            self._hold(start)
            if scope is None:
                self._record(meet_hard_margin(start.balanced(), problem))
            self.train()

    # -- pricing

    def price(self) -> int:
        """Add the pairs of neurons above beta, and bound the optimum from below."""
        X, level = self.problem.X, self.program.beta
        if self.scope is not None:
            prices = price_cones(X, self.dual, self.scope, level)
            self._bound(prices.upper)
            self.excess = prices.upper / level - 1.0
            return self._take(prices)
        new, largest = 0, 0.0
        for starts in (_STARTS, _MANY_STARTS):
            local = self._local_prices(starts)
            largest = max(largest, float(local.values.max(initial=0.0)))
            new += self._take(local)
            if new or self.pending:
                break
        self.excess = largest / level - 1.0
        if not self.exhaustive or ((new or self.pending) and not self.cheap):
            return new
        try:
            prices = price_all_neurons(X, self.dual, max(level, largest))
        except EnumerationTooLargeError:
            self.exhaustive = False
            return new
        self.cheap = prices.cheap
        self._bound(prices.upper)
        self.excess = max(self.excess, prices.upper / level - 1.0)
        return new + self._take(prices)

    def _local_prices(self, count: int = _STARTS) -> Prices:
        """Return what local ascent finds from random and from present directions."""
        starts = self.random.standard_normal((count, self.problem.d))
        return price_locally(
            self.problem.X, self.dual, np.vstack([starts, self.directions])
        )

    def _take(self, prices: Prices) -> int:
        """Add the pairs of the neurons above beta, the largest first."""
        room = max(_NEW, self.problem.n // 4)
        new = 0
        for k, value in enumerate(prices.values):
            if value <= self.program.beta * (1.0 + self.negligible) or new >= room:
                break
            pattern = None
            if self.scope is not None and prices.cones is not None:
                pattern = self.scope[prices.cones[k]]
            new += self.working.add(prices.directions[k], prices.signs[k], pattern)
            self.entering.append((prices.directions[k], float(prices.signs[k])))
        return new

    def _bound(self, norm: float) -> None:
        """Bound the optimum from below, with an upper bound on the dual norm."""
        loss, y = self.problem.loss, self.problem.y
        limit = self.problem.beta / norm if norm > 0.0 else np.inf
        scale = loss.best_scale(self.dual, y, limit)
        bound = self.problem.dual_objective(scale * self.dual)
        if bound > self.lower_bound:
            self.lower_bound, self.best_dual = bound, self.dual

    # -- the restricted program

    def train(self) -> None:
        """Solve the program over the working set and take its dual point."""
        entering, self.entering = self.entering, []
        if self.descending and entering:
            self._descend(entering)
            return
        near = self.excess <= _NEAR
        self.refined = near
        if not len(self.working):  # the zero network, with the dual point that it has
            return
        tolerance = self.accuracy if near else 1e-5
        try:
            point = solve_groups(
                self.program, self.working.groups(), start=self.outputs, tol=tolerance
            )
        except NotSeparableError:
            self._give_up()
        variables = point.variables
        if self.scope is not None:  # a network outside the scope would be no solution
            variables = self.working.projected(variables)
        raw = self.working.network(variables)
        target = self.program.loss.value(point.outputs, self.problem.y)
        target += self.program.beta * float(
            sum(np.linalg.norm(v) for v in point.variables)
        )
        if near or self.scope is not None:
            walls = self.working.impose(point.variables, 1e-7, 1e-5)
        else:
            walls = self.working.impose(point.variables, 1e-3, 1e-3)
        self.pending = walls > 0
        self.dual, self.outputs = point.dual, point.outputs
        long = np.abs(raw.w2) > 0.03 * np.abs(raw.w2).max(initial=0.0)
        self.directions = raw.W1[:, long].T
        if self.program is not self.problem:
            self._leave_hinge(raw)
        elif self.scope is None or not walls:
            self._improve(raw, raised(target, 1e-9), near)

    def _descend(self, entering: list[tuple[FloatArray, float]]) -> None:
        """Train the network itself, with the neurons that have just been found."""
        problem, before = self.problem, self.value
        directions, signs = zip(*entering, strict=True)
        network = widened(self.network, problem, np.array(directions), np.array(signs))
        network = descend(network, problem).merged(problem.X).pruned(problem.X)
        self._record(network)
        self._hold(self.network)
        self.working.keep(self.network)
        self.outputs = self.network.predict(problem.X)
        self.dual = -problem.loss.gradient(self.outputs, problem.y)
        self.directions = self.network.W1.T
        # once this gains little, accuracy is what is missing
        self.descending = before - self.value > _STALLED * abs(self.value)

    def _leave_hinge(self, network: ReLUNetwork) -> None:
        """Turn to the hard margin once a network meets it."""
        margins = self.problem.y * network.predict(self.problem.X)
        if margins.min() > 1e-3 and (self.scope is None or not self.pending):
            if self.scope is None:
                self._hold(network)  # its walls count, and are not those of its pairs
            self.dual = self.dual / self.program.beta
            self.program, self.outputs, self.excess = self.problem, None, np.inf
            self.pending = True

    def _improve(self, raw: ReLUNetwork, target: float, near: bool) -> None:
        """Record the network of a point, and near the optimum a refined one."""
        problem, before = self.problem, self.value
        self._record(meet_hard_margin(raw, problem))
        if not near:
            return
        if problem.loss.slack_cost is not None:
            network = raw.merged(problem.X, patterns=self.scope, tolerance=1e-6)
            network = meet_hard_margin(network.pruned(problem.X), problem)
            self._record(network)
        else:
            network = sparsify(raw, problem, self.scope, target, least=_LEAST)
            if problem.objective(network) > target:
                return
            self.clean |= self._record(network)
            dual = self._own_dual(network)
            # a neuron can be worth less than cleaning sees: then its pair stays, and
            # the solver's dual point, which knows it
            gained = before - problem.objective(network) > 1e-13 * abs(before)
            if not self.pending and dual is not None and gained:
                self.dual = dual
                if self.scope is None:
                    self._hold(network)
                    self.working.keep(network)
                return
        if self.scope is None:
            self._hold(network)

    def _own_dual(self, network: ReLUNetwork) -> FloatArray | None:
        """Return the dual point of a network if it is stationary for a smooth loss.

        It is then accurate to many more digits than a solver's. But it is only as
        accurate as the root of the gap unless Newton's method has converged.
        """
        if self.problem.loss.slack_cost is not None:
            return None
        X, y = self.problem.X, self.problem.y
        size = np.linalg.norm(network.W1, axis=0)
        dual = -self.problem.loss.gradient(network.predict(X), y)
        weights = dual @ np.maximum(X @ (network.W1 / size), 0.0)
        error = np.abs(weights - self.problem.beta * np.sign(network.w2))
        small = bool(error.max(initial=0.0) <= _STATIONARY * self.problem.beta)
        return dual if small else None

    def finish(self, tol: float) -> tuple[ReLUNetwork, list[FloatArray]]:
        """Return the best network without superfluous neurons, and dual points."""
        if self.scope is None and not self.exhaustive:
            self.settle()  # stopped early: what is certified are the patterns so far
        self._hold_some_pattern()
        network = self.network
        if not self.clean and np.isfinite(self.value):
            target = self.value + 1e-2 * tol * abs(self.value)
            cleaned = sparsify(network, self.problem, self.scope, target)
            if self.problem.objective(cleaned) <= target:
                network = cleaned
        if self.scope is None:
            self._hold(network)  # cleaned neurons can be outside all pairs
        dual = self._own_dual(network)
        own = [] if dual is None else [dual]
        return network, [*own, self.best_dual]

    def _record(self, network: ReLUNetwork) -> bool:
        """Keep the network if it is the best so far, and say whether it is."""
        value = self.problem.objective(network)
        if value < self.value:
            self.value, self.network = value, network
            self.clean = False
            return True
        return False

    def _hold(self, network: ReLUNetwork) -> None:
        """Add the pairs of a network: merged neurons can be outside all others."""
        for w1, w2 in zip(network.W1.T, network.w2, strict=True):
            if w2 == 0.0 or not w1.any():
                continue
            pattern = None
            if self.scope is not None:
                inward = np.where(self.scope, 1.0, -1.0) * (self.working.normals @ w1)
                pattern = self.scope[int(np.argmax(inward.min(axis=1)))]
            self.working.add(w1, float(np.sign(w2)), pattern)

    def _give_up(self) -> NoReturn:
        """Raise the error of a hard margin that is not met."""
        if self.scope is not None:
            raise NotSeparableError(
                "no network with the given patterns separates the data; give more "
                "patterns."
            )
        raise SolverError(
            "networks separate the data, but by so little that rounding hides it: the "
            f"optimum is at least {self.lower_bound:.3g}. Correct a label, or remove "
            "one of two samples that nearly contradict each other."
        )

    # -- what to do when there is nothing new

    def widen(self) -> bool:
        """Change what keeps the loop from going on; False if there is nothing."""
        if self.program is not self.problem:
            if self.program.beta < self.faint:
                self._give_up()
            beta = 0.1 * self.program.beta
            self.program = TrainingProblem(
                self.problem.X, self.problem.y, beta, "hinge"
            )
            return True
        if self.scope is None and not self.exhaustive:
            self.settle()
            return True
        if self.accuracy <= 1e-12:
            return False
        self.accuracy *= 0.01
        self.excess = 0.0
        return True

    def settle(self) -> None:
        """Make the patterns chosen so far the scope; no others join from now on."""
        self._hold(self.network)
        self._hold_some_pattern()
        self.scope = self.working.patterns()
        self.lower_bound = -np.inf

    def _hold_some_pattern(self) -> None:
        """Have some pattern to speak of, be the network empty."""
        if not len(self.working):
            self.working.add(self.problem.X.sum(axis=0), 1.0)
