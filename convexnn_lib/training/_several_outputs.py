r"""Training networks with several outputs, by column generation over pairs.

A neuron is :math:`(Xu)_+v^T` with unit vectors u and v. For a given dual point
:math:`\Lambda` the best u for a v is that of the one output :math:`\Lambda v`, and the
best v for a u is :math:`\Lambda^T(Xu)_+` at length 1: pricing alternates between them
from many starts. The network is first trained itself, with the neurons found added in
turn. Then the convex program over pairs (pattern, v), see ``_outputs_program.py``,
takes over: its dual point tells which directions v of the outputs are missing. When
pricing finds none, the dual norm of several outputs certifies the optimum
(:func:`convexnn_lib.output_norm`), or gives a neuron more.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._deadline import Deadline, Stopwatch, TimeUp
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates.certificate import Certificate, bound_by
from convexnn_lib.certificates.output_norm import OutputNorm, output_norm
from convexnn_lib.problem._second_layer import directions, sizes
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_generation import Round
from convexnn_lib.training._local_outputs import newton_in_all_weights, price_outputs
from convexnn_lib.training._local_training import descend
from convexnn_lib.training._methods import Options, Outcome
from convexnn_lib.training._outputs_program import (
    OutputsPoint,
    Pairs,
    solve_output_pairs,
)
from convexnn_lib.training._tolerances import VANISHED

__all__ = ["solve_several_outputs"]

_STARTS = 60  # of pricing
_NEW = 12  # neurons that join at a time
_DESCENTS = 12
_WORTH = 1e-3  # relative excess of a neuron's weight that is worth a descent
_STALLED = 1e-5  # relative gain of a descent below which there are no more
_LARGEST = 4_000_000  # numbers in the features of the program over pairs
_PATIENCE = 12  # rounds without a better value
_FORGOTTEN = 3  # rounds in which a pair had no vector
_GAINED = 1e-12  # relative, of a value that is better
_SHARE = 0.1  # of what local search missed, above which it searches on alone
_LITTLE = 1e-3  # of a gap that stays open, that is not worth a round
_FAINT = 1e-6  # length of a pair's vector, relative, that is left out after rounds
_NEAR = (0.9, 0.99, 0.999, 0.9999)  # products of directions that are tried as one
_NORM_GAP = 0.1  # of tol, to which the dual norm is found
_ROUGH = 1e-3  # tol from which a dual norm takes fewer norms of one output
_MOST_NORMS, _FEW_NORMS = 3000, 250  # these: enough to come to the faces of cones


def solve_several_outputs(
    problem: TrainingProblem, scope: BoolArray | None, tol: float, options: Options
) -> Outcome:
    """Train a network with several outputs.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with labels (n, c), in units of order one.
    scope : (p, n) array of bool or None
        The patterns to optimize over; None for all.
    tol : float
        The relative gap to certify.
    options : Options
        How to work.

    Returns
    -------
    Outcome
        The network and its certificate.
    """
    return _Training(problem, scope, tol, options).run()


class _Training:
    """The best network and certificate so far."""

    def __init__(
        self,
        problem: TrainingProblem,
        scope: BoolArray | None,
        tol: float,
        options: Options,
    ) -> None:
        self.problem, self.scope, self.tol, self.options = problem, scope, tol, options
        self.watch, self.deadline = Stopwatch(), Deadline(options.time_limit)
        self.rng = np.random.default_rng(0)
        d, c = problem.d, problem.outputs
        self.network = ReLUNetwork(np.zeros((d, 0)), np.zeros((0, c)))
        self.value = problem.objective(self.network)
        self.certificate: Certificate | None = None
        self.rounds, self.level = 0, _WORTH
        self.blurred = False  # whether pricing ended and the gap is that of its bound
        self.hopeful = True  # whether a bound before pricing ends has not failed yet
        if options.start is not None and scope is None:
            self.record(options.start)

    def record(self, network: ReLUNetwork) -> bool:
        """Keep a network if it is better; tell whether it is."""
        value = self.problem.objective(network)
        if not value < self.value:
            return False
        self.network, self.value = network, value
        return True

    def run(self) -> Outcome:
        """Train, first the network itself and then over pairs."""
        problem = self.problem
        pairs = self.first_pairs()
        try:
            if self.scope is None:
                self.descend()
                pairs = self.pairs_of(self.network)
            reason = self.generate(pairs)
        except TimeUp:
            reason = f"the time limit of {self.options.time_limit:g} seconds"
        network = self.network.pruned(problem.X)
        if problem.objective(network) > self.value * (1.0 + 0.01 * self.tol):
            network = self.network
        network = self.refined(_in_order(network))
        certificate = self.final(network)
        patterns = self.scope
        if patterns is None:
            patterns = np.unique(self.pairs_of(network).patterns, axis=0)
        if not len(patterns):
            patterns = np.ones((1, problem.n), dtype=np.bool_)
        return Outcome(network, patterns, certificate, reason)

    def refined(self, network: ReLUNetwork) -> ReLUNetwork:
        """Return a network with more digits, if it is as good and all is on time."""
        if self.deadline.passed:
            return network
        found = newton_in_all_weights(network, self.problem)
        before, after = (self.problem.objective(one) for one in (network, found))
        return found if after <= before * (1.0 + _GAINED) else network

    @property
    def closed(self) -> bool:
        """Whether the gap that was asked for is certified."""
        if self.certificate is None:
            return False
        return self.value - self.certificate.lower_bound <= self.tol * abs(self.value)

    def dual(self) -> FloatArray:
        """Return the dual point of the best network."""
        z = self.network.predict(self.problem.X)
        return -self.problem.loss.gradient(z, self.problem.y)

    def final(self, network: ReLUNetwork) -> Certificate:
        """Return the best certificate for the network in the end."""
        primal, found = self.problem.objective(network), []
        if self.certificate is not None:
            norm = self.certificate.dual_bound
            dual = self.certificate.dual
            found.append(bound_by(dual, self.problem, self.scope, primal, norm=norm))
        if not found or found[0].relative_gap > self.tol:
            dual = self.dual()
            norm = self.norm(dual, self.deadline.extended)
            found.append(bound_by(dual, self.problem, self.scope, primal, norm=norm))
        return max(found, key=lambda one: one.lower_bound)

    def starts(self) -> FloatArray:
        """Return vectors from which pricing starts."""
        random = self.rng.standard_normal((_STARTS, self.problem.d))
        return np.vstack([self.network.W1.T, random])

    def descend(self) -> None:
        """Train the network itself, with the neurons that pricing finds."""
        problem = self.problem
        curvature = problem.loss.second_derivatives
        for _ in range(_DESCENTS):
            self.deadline.check()
            lam = self.dual()
            values, u, v = price_outputs(problem.X, lam, self.starts())
            new = np.flatnonzero(values > problem.beta * (1.0 + _WORTH))[:_NEW]
            if not len(new):
                return
            z = self.network.predict(problem.X)
            bend = float(np.max(curvature(z, problem.y))) or 1.0
            squares = np.sum(np.maximum(problem.X @ u[new].T, 0.0) ** 2, axis=0)
            size = (values[new] - problem.beta) / (bend * squares * len(new))
            small = np.sqrt(size)
            wider = ReLUNetwork(
                np.hstack([self.network.W1, small * u[new].T]),
                np.vstack([self.network.w2, small[:, None] * v[new]]),
            )
            before = self.value
            lowered = _lowered(wider, problem, self.deadline)
            self.record(lowered)
            self.record(lowered.pruned(problem.X))
            if before - self.value <= _STALLED * abs(self.value):
                return

    def first_pairs(self) -> Pairs:
        """Return the pairs of given patterns, along the axes of the outputs.

        Those of a network to start from join: it may lie outside the given cones.
        """
        c = self.problem.outputs
        given = np.zeros((0, self.problem.n), dtype=np.bool_)
        if self.scope is not None:
            given = self.scope
        axes = np.vstack([np.eye(c), -np.eye(c)])
        pairs = Pairs(np.repeat(given, 2 * c, axis=0), np.tile(axes, (len(given), 1)))
        start = self.options.start
        if self.scope is None or start is None:
            return pairs
        return pairs.joined(self.pairs_of(start.pruned(self.problem.X)))

    def pairs_of(self, network: ReLUNetwork) -> Pairs:
        """Return the pairs in whose cones the neurons lie, or nearly lie."""
        return Pairs(self.patterns_of(network.W1.T), directions(network.w2))

    def patterns_of(self, u: FloatArray) -> BoolArray:
        """Return the patterns of vectors, those in scope that they violate least."""
        products = u @ self.problem.X.T
        if self.scope is None:
            active: BoolArray = products >= 0.0
            return active
        signs = np.where(self.scope, 1.0, -1.0)
        depths = np.array([np.min(signs * row, axis=1) for row in products])
        chosen = np.argmax(depths.reshape(len(u), len(self.scope)), axis=1)
        found: BoolArray = self.scope[chosen]
        return found

    def generate(self, pairs: Pairs) -> str:
        """Solve over pairs and price in turn, and return why that ended."""
        problem, idle, best = self.problem, 0, np.inf
        empty = np.zeros(len(pairs.patterns), dtype=np.int64)
        tol = min(1e-9, 1e-3 * self.tol)
        for _ in range(self.options.max_rounds):
            self.deadline.check()
            if len(pairs.patterns) * problem.X.size * problem.outputs > _LARGEST:
                self.certify(self.dual())
                return "a size beyond which the network itself is trained only"
            lam, new = self.dual(), pairs
            if len(pairs.patterns):
                z = self.network.predict(problem.X)
                point = solve_output_pairs(
                    problem, pairs, z, tol=tol, deadline=self.deadline
                )
                lam = point.dual
                lengths = np.linalg.norm(point.variables, axis=1)
                long = lengths > _FAINT * lengths.max(initial=0.0)
                empty = np.where(long, 0, empty + 1)
                new, better = self.networks(pairs, point)
                if better:
                    pairs, empty = new, np.zeros(len(new.patterns), dtype=np.int64)
            priced = self.priced(lam)
            if self.closed:
                return "converged"
            if self.blurred:
                return "a dual norm that is bounded and not known"
            idle = 0 if self.value < best - _GAINED * abs(best) else idle + 1
            best = min(best, self.value)
            if idle > _PATIENCE:
                self.certify(lam)
                return "no progress"
            kept = np.flatnonzero(empty < _FORGOTTEN)
            pairs = pairs.kept(kept).joined(new).joined(priced)
            empty = np.append(
                empty[kept], np.zeros(len(pairs.patterns) - len(kept), dtype=np.int64)
            )
        return f"the limit of {self.options.max_rounds} rounds"

    def networks(self, pairs: Pairs, point: OutputsPoint) -> tuple[Pairs, bool]:
        """Record the networks of a point, and return the pairs of the best of them.

        Second comes whether that network, with few neurons, is better than the point,
        so that it can stand for it.
        """
        self.record(point.network(pairs, VANISHED))
        merged = min(
            (_merged(pairs, point, cosine) for cosine in _NEAR),
            key=self.problem.objective,
        )
        if self.scope is None:
            merged = _lowered(merged, self.problem, self.deadline)
        return self.pairs_of(merged), self.record(merged)

    def priced(self, lam: FloatArray) -> Pairs:
        """Return the pairs that pricing finds missing.

        Where local search finds none that is worth a round, the dual norm is bounded,
        which gives a certificate and maybe another neuron.
        """
        problem = self.problem
        few = np.zeros((0, problem.d)), np.zeros((0, problem.outputs))
        values, (u, v) = np.zeros(0), few
        if self.scope is None:
            values, u, v = price_outputs(problem.X, lam, self.starts())
        worth = values > problem.beta * (1.0 + _NORM_GAP * self.tol)
        u, v = u[worth][:_NEW], v[worth][:_NEW]
        largest = float(values.max(initial=0.0))
        early = self.hopeful and self.scope is None and self.within_reach(lam, largest)
        if early or largest <= problem.beta * (1.0 + self.level):
            found = self.certify(lam)
            self.hopeful = self.hopeful and not early
            u = np.vstack([u, found.neuron.direction])
            v = np.vstack([v, found.neuron.outward])
            excess = found.lower / problem.beta - 1.0
            small, blur = _NORM_GAP * self.tol, found.relative_gap
            if blur > max(2.0 * small, _SHARE * excess):
                # the norm is only bounded, and that much of the gap stays open
                self.level = max(small, _LITTLE * blur)
                self.blurred = excess <= self.level
            else:
                self.level = max(small, min(self.level, _SHARE * excess))
        return Pairs(self.patterns_of(u), v)

    def norm(
        self, lam: FloatArray, deadline: Deadline, **accuracy: float
    ) -> OutputNorm:
        """Bound a dual norm with the effort that is worth its while."""
        return output_norm(
            self.problem.X,
            lam,
            self.scope,
            **accuracy,
            max_norms=_MOST_NORMS if self.tol < _ROUGH else _FEW_NORMS,
            deadline=deadline,
        )

    def within_reach(self, lam: FloatArray, norm: float) -> bool:
        """Tell whether the gap would be closed if a dual norm were the one found."""
        problem = self.problem
        limit = problem.beta / norm if norm > 0.0 else np.inf
        scale = problem.loss.best_scale(lam, problem.y, limit)
        missing = self.value - problem.dual_objective(scale * lam)
        return bool(missing <= 0.5 * self.tol * abs(self.value))

    def certify(self, lam: FloatArray) -> OutputNorm:
        """Bound the optimum by a dual point, and keep the bound if it is better."""
        problem = self.problem
        target = problem.beta * (1.0 + 0.1 * _NORM_GAP * self.tol)
        norm = self.norm(lam, self.deadline, target=target, gap=_NORM_GAP * self.tol)
        found = bound_by(lam, problem, self.scope, self.value, norm=norm)
        if self.certificate is None or found.lower_bound > self.certificate.lower_bound:
            self.certificate = found
        self.report()
        return norm

    def report(self) -> None:
        """Tell who listens what is known."""
        assert self.certificate is not None
        state = Round(
            number=self.rounds,
            seconds=self.watch.seconds,
            pairs=self.network.width,
            new=0,
            value=self.value,
            lower_bound=self.certificate.lower_bound,
            network=self.network,
        )
        self.rounds += 1
        for tell in self.options.reports:
            tell(state)


def _merged(pairs: Pairs, point: OutputsPoint, cosine: float) -> ReLUNetwork:
    r"""Return a network in which pairs of one pattern and near directions are one.

    In the cone of a pattern :math:`\sum_ju_jv_j^T` with vectors :math:`v_j` on one side
    of their leading direction v is nearly :math:`uv^T`,
    :math:`u=\sum_j(v_j^Tv)u_j`, which lies in the cone.
    """
    lengths = np.linalg.norm(point.variables, axis=1)
    left = [int(k) for k in np.argsort(-lengths, kind="stable") if lengths[k] > 0.0]
    left = [k for k in left if lengths[k] > VANISHED * lengths.max()]
    W1, W2 = [], []
    while left:
        first = left[0]
        near = [
            k
            for k in left
            if np.array_equal(pairs.patterns[k], pairs.patterns[first])
            and pairs.outward[k] @ pairs.outward[first] > cosine
        ]
        left = [k for k in left if k not in near]
        product = point.variables[near].T @ pairs.outward[near]
        outward = np.linalg.svd(product, full_matrices=False)[2][0]
        if outward @ pairs.outward[first] < 0.0:
            outward = -outward
        W1.append(product @ outward)
        W2.append(outward)
    d, c = point.variables.shape[1], pairs.outward.shape[1]
    network = ReLUNetwork(np.array(W1).reshape(-1, d).T, np.array(W2).reshape(-1, c))
    return network.balanced()


def _lowered(
    network: ReLUNetwork, problem: TrainingProblem, deadline: Deadline
) -> ReLUNetwork:
    """Train a network to the end, and leave out neurons that have died."""
    network = descend(network, problem, deadline, thorough=True)
    lengths = sizes(network.w2)
    alive = lengths > VANISHED * lengths.max(initial=0.0)
    return ReLUNetwork(network.W1[:, alive], network.w2[alive])


def _in_order(network: ReLUNetwork) -> ReLUNetwork:
    """Return a network with its neurons in an order that rounding does not choose."""
    units = directions(network.W1.T).round(9)
    outward = directions(network.w2).round(9)
    order = np.lexsort((*outward.T[::-1], *units.T[::-1]))
    return ReLUNetwork(network.W1[:, order], network.w2[order])
