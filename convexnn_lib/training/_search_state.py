"""Where column generation stands: a state that every step replaces by another one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NoReturn

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates.dual_norm import DualNorm
from convexnn_lib.errors import NotSeparableError, SolverError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._working_set import Neuron, WorkingSet

__all__ = [
    "Bound",
    "Incumbent",
    "Phase",
    "Point",
    "Reach",
    "SearchState",
    "first_state",
]

_AT_ONCE = 1e7  # numbers in the features of a scope whose pairs are all held at once
_LARGE = 4000  # n * d from which restricted programs are slow


class Reach(Enum):
    """Which neurons a pricing looks at."""

    ALL = auto()  # all patterns, exactly; local ascent first
    LOCAL = auto()  # they are too many to list: what local ascent finds
    GIVEN = auto()  # those in the cones of given patterns, or of patterns once chosen


class Phase(Enum):
    """How a working set is trained."""

    LEAD = auto()  # by a hinge loss, until a network meets the hard margin
    DESCEND = auto()  # in the weights of the network, while that gains much
    SOLVE = auto()  # by the restricted convex program
    CUT = auto()  # by linear programs over the neurons found, which lose fewer digits


@dataclass(frozen=True)
class Point:
    """What training returned, for the next pricing.

    Attributes
    ----------
    dual : (n,) array
        The dual point to price.
    outputs : (n,) array or None
        The outputs, from which the next program starts.
    directions : (k, d) array
        The longest neurons, from which local ascent starts.
    accurate : bool
        Whether the program was solved accurately.
    loose : bool
        Whether it violated walls that have been imposed since.
    """

    dual: FloatArray
    outputs: FloatArray | None
    directions: FloatArray
    accurate: bool = False
    loose: bool = False


@dataclass(frozen=True)
class Incumbent:
    """The best network so far.

    Attributes
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    value : float
        Its objective; infinite for a network that misses a hard margin.
    sparse : bool
        Whether it is known to have no superfluous neuron.
    """

    network: ReLUNetwork
    value: float
    sparse: bool


@dataclass(frozen=True)
class Bound:
    """The best lower bound so far, for the neurons in reach.

    Attributes
    ----------
    value : float
        The bound.
    dual : (n,) array
        The dual point that gives it, once it is scaled.
    norm : DualNorm or None
        Its dual norm; None before the first one.
    """

    value: float
    dual: FloatArray
    norm: DualNorm | None = None


@dataclass(frozen=True)
class SearchState:
    """Where the loop of ``_column_generation.py`` stands.

    Attributes
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    program : convexnn_lib.TrainingProblem
        What the restricted programs are of: the problem, or the hinge loss that leads.
    reach : Reach
        Which neurons are priced.
    scope : (p, n) array of bool or None
        The patterns given or chosen, if these are in reach.
    phase : Phase
        How the working set is trained.
    working : WorkingSet
        The pairs.
    point : Point
        What training returned last.
    best : Incumbent
        The best network.
    bound : Bound
        The best lower bound.
    negligible : float
        The relative excess of a neuron over beta that is not worth a pair.
    random : numpy.random.Generator
        The source of directions in which local ascent starts.
    entering : tuple of Neuron
        The neurons found since the last point.
    excess : float
        That of the dual norm over beta, relative.
    accuracy : float
        That of the restricted programs near the optimum.
    cheap : bool
        Whether all patterns are priced in every round.
    faint : float
        The weight of the penalty at which a hinge loss no longer leads anywhere.
    newton : bool
        Whether Newton's method on the dual has solved all programs within cones so far.
    """

    problem: TrainingProblem
    program: TrainingProblem
    reach: Reach
    scope: BoolArray | None
    phase: Phase
    working: WorkingSet
    point: Point
    best: Incumbent
    bound: Bound
    negligible: float
    random: np.random.Generator
    entering: tuple[Neuron, ...] = ()
    excess: float = np.inf
    accuracy: float = 1e-9
    cheap: bool = True
    faint: float = 0.0
    newton: bool = True

    def recording(self, network: ReLUNetwork, *, sparse: bool = False) -> SearchState:
        """Return the state with a network as the best one, if it is."""
        value = self.problem.objective(network)
        if not value < self.best.value:
            return self
        return replace(self, best=Incumbent(network, value, sparse))

    def holding(self, network: ReLUNetwork) -> SearchState:
        """Return the state with the pairs of a network in the working set.

        Merged neurons can be outside all others.
        """
        neurons = []
        for w1, w2 in zip(network.W1.T, network.w2, strict=True):
            if w2 == 0.0 or not w1.any():
                continue
            pattern = None
            if self.scope is not None:
                inward = np.where(self.scope, 1.0, -1.0) * (self.working.normals @ w1)
                pattern = self.scope[int(np.argmax(inward.min(axis=1)))]
            neurons.append(Neuron(w1, float(np.sign(w2)), pattern))
        return replace(self, working=self.working.joined(neurons))

    @property
    def within_cones(self) -> bool:
        """Whether programs are solved with all walls of all cones, as scopes need."""
        return self.scope is not None and self.program.loss.slack_cost is None

    def holding_scope(self) -> SearchState:
        """Return the state with all pairs of the scope, if they are not too many."""
        n, d = self.problem.X.shape
        if self.scope is None or 2 * len(self.scope) * n * d > _AT_ONCE:
            return self
        zero = np.zeros(d)
        neurons = [
            Neuron(zero, sign, row) for row in self.scope for sign in (1.0, -1.0)
        ]
        return replace(self, working=self.working.joined(neurons))

    def holding_some_pattern(self) -> SearchState:
        """Return the state with some pattern to speak of, be the network empty."""
        if len(self.working):
            return self
        neuron = Neuron(self.problem.X.sum(axis=0), 1.0)
        return replace(self, working=self.working.joined([neuron]))

    def fixing_scope(self) -> SearchState:
        """Return the state with the patterns held as the scope; no others will join."""
        state = self.holding(self.best.network).holding_some_pattern()
        return replace(
            state,
            reach=Reach.GIVEN,
            scope=state.working.patterns(),
            phase=Phase.SOLVE if state.phase is Phase.DESCEND else state.phase,
            bound=Bound(-np.inf, state.bound.dual),
        )

    def give_up(self, *, proved: bool) -> NoReturn:
        """Raise the error of a hard margin that no network of the pairs meets.

        That none of the given patterns does is said only where it is proved.
        """
        if self.scope is not None and proved:
            raise NotSeparableError(
                "no network with the given patterns separates the data; give more "
                "patterns."
            )
        raise SolverError(
            "whether networks meet the hard margin is undecided within rounding: those "
            "that separate the data do so by so little that rounding hides it. Correct "
            "a label, or remove one of two samples that nearly contradict each other."
        )


def first_state(
    problem: TrainingProblem, scope: BoolArray | None, tol: float
) -> SearchState:
    """Return the state of the zero network, without any pairs.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    scope : (p, n) array of bool or None
        The patterns to optimize over; None for all.
    tol : float
        The relative gap at which to stop.

    Returns
    -------
    SearchState
        The state.
    """
    loss, zero = problem.loss, np.zeros(problem.n)
    dual = problem.y.copy()
    if not loss.is_constraint:
        dual = -loss.gradient(zero, problem.y)
    network = ReLUNetwork(np.zeros((problem.d, 0)), np.zeros(0))
    large = problem.n * problem.d > _LARGE and scope is None and loss.slack_cost is None
    return SearchState(
        problem,
        problem,
        Reach.ALL if scope is None else Reach.GIVEN,
        scope,
        Phase.DESCEND if large else Phase.SOLVE,
        WorkingSet.empty(problem.X),
        Point(dual, None, np.zeros((0, problem.d))),
        Incumbent(network, problem.objective(network), sparse=True),
        Bound(-np.inf, dual),
        # a relative excess of the dual norm costs no more than the same relative gap
        max(0.1 * tol, 1e-11),
        np.random.default_rng(0),
    )
