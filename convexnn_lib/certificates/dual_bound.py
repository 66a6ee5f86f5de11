r"""Bounds on the dual norm at any time, for data of every size.

.. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+| .
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_matrix,
    as_vector,
    check_number,
)
from convexnn_lib.certificates._bound_state import BoundStep, Progress
from convexnn_lib.certificates._bound_steps import (
    close,
    find_rules,
    low_rank,
    start,
    take_ascent,
    take_one_line,
    take_one_pattern,
    take_rule,
    take_spectral,
    take_sum,
)
from convexnn_lib.certificates._few_threads import few_threads
from convexnn_lib.certificates._one_pattern import one_pattern
from convexnn_lib.certificates._pricing import Scaled
from convexnn_lib.certificates._sign_rules import (
    SignRule,
    leading_directions,
    sign_rule_bound,
)
from convexnn_lib.certificates._tolerances import DUAL_NORM_ACCURACY
from convexnn_lib.certificates.extreme_neuron import ExtremeNeuron

__all__ = [
    "DualBound",
    "bound_from_rules",
    "closed_form_bounds",
    "dual_bound",
    "spectral_bounds",
]

_LEADING = 5  # directions of a rule that local ascent starts from


@dataclass(frozen=True, eq=False, repr=False)
class DualBound(ReadOnlyArrays):
    r"""Bounds on a dual norm, and what proves them.

    Attributes
    ----------
    lower : float
        The value that ``neuron`` attains.
    upper : float
        An upper bound on the dual norm, all rounding errors included.
    neuron : convexnn_lib.ExtremeNeuron
        The best neuron found. Of several whose values agree to twelve digits, or to
        within the rounding errors of the sum, it is one of positive sign, and of these
        the first in falling lexicographic order: the largest first coordinate, then the
        largest second one, and so on.
    method : str
        Where the upper bound comes from: ``"spectral"``, ``"one line"`` (all data lie
        on it), ``"spike-free"`` (the pattern of all ones is enough), ``"sign rule"``,
        ``"vertices"`` (all of them listed) or ``"cones"`` (branch and bound over
        directions); ``"zero"`` if nothing has a weight.
    history : tuple of BoundStep
        What was known after each step: ``seconds``, ``method``, ``lower``, ``upper``.
    witnesses : dict
        For the signs 1.0 and -1.0 the sign rule that proves the bound, where one does.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import dual_bound
    >>> rng = np.random.default_rng(0)
    >>> bound = dual_bound(rng.standard_normal((60, 20)), rng.standard_normal(60))
    >>> bound.method, bool(bound.relative_gap < 0.1)
    ('sign rule', True)
    >>> rng = np.random.default_rng(0)
    >>> bound.verify(rng.standard_normal((60, 20)), rng.standard_normal(60))
    True
    """

    lower: float
    upper: float
    neuron: ExtremeNeuron
    method: str
    history: tuple[BoundStep, ...]
    witnesses: dict[float, SignRule]

    @property
    def relative_gap(self) -> float:
        """By what share the upper bound exceeds the lower one; 0 if both are 0."""
        if self.upper == 0.0:
            return 0.0
        return self.upper / self.lower - 1.0 if self.lower > 0.0 else np.inf

    def scaled(self, factor: float) -> DualBound:
        """Return the bounds for data or a dual point multiplied by a power of two.

        Parameters
        ----------
        factor : float
            The power.

        Returns
        -------
        convexnn_lib.DualBound
            The same bounds in other units; the rules have none.
        """
        history = tuple(
            step._replace(lower=factor * step.lower, upper=factor * step.upper)
            for step in self.history
        )
        return replace(
            self,
            lower=factor * self.lower,
            upper=factor * self.upper,
            history=history,
        )

    def __repr__(self) -> str:
        """Return the bounds and the method."""
        return (
            f"DualBound({self.lower:.9g} <= M <= {self.upper:.9g}, "
            f"method={self.method!r})"
        )

    def verify(self, X: ArrayLike, lam: ArrayLike) -> bool:
        r"""Check both bounds again, from the witnesses where there are some.

        Parameters
        ----------
        X : (n, d) array
            The data.
        lam : (n,) array
            The dual point.

        Returns
        -------
        bool
            Whether the neuron attains the lower bound (up to rounding), and the upper
            bound is proved: by each sign's rule, or computed anew without one.
        """
        X = as_matrix(X)
        lam = as_vector(lam, len(X), "lam")
        u, sign = self.neuron
        value = sign * float(lam @ np.maximum(X @ u, 0.0))
        terms = float(np.linalg.norm(X, axis=1) @ np.abs(lam))
        rounding = (sum(X.shape) + 8) * float(np.finfo(np.float64).eps) * terms
        if not value >= self.lower - rounding:
            return False
        scaled = Scaled(X, lam)
        sides = scaled.sides()
        if not 0.0 < self.upper < np.inf:
            return self.upper == np.inf or (self.upper == 0.0 and not sides)
        anew: DualBound | None = None
        for sign, plus, minus in sides:
            if sign in self.witnesses:
                proved = sign_rule_bound(plus, minus, self.witnesses[sign])
                proved = scaled.unit * (proved + scaled.rounding)
            else:
                anew = anew or dual_bound(X, lam, target=self.upper, gap=0.0)
                proved = anew.upper
            if not proved <= self.upper:
                return False
        return True


def dual_bound(
    X: ArrayLike,
    lam: ArrayLike,
    *,
    target: float | None = None,
    time_limit: float | None = None,
    gap: float = DUAL_NORM_ACCURACY,
    progress: bool = False,
) -> DualBound:
    r"""Bound the dual norm from both sides, for data of any size, at any time.

    .. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+| .

    What costs least comes first: a spectral bound, local ascent for the lower bound,
    then, where the data lie on one line or are spike-free, a closed form,
    sign rules found by a convex program without patterns, and where the vertices
    of the zonotopes are few or the rank is low, all vertices or branch and bound over
    directions. The best bound is kept, and each is valid.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point :math:`\lambda`.
    target : float, optional
        Stop once the upper bound is no more than this, or the lower bound more.
    time_limit : float, optional
        Stop about so many seconds after the start. By default the work is limited by
        its amount, and the result does not depend on the machine's speed.
    gap : float, default 1e-9
        Stop once the upper bound exceeds the lower one by no more than this share.
    progress : bool, default False
        Whether to print both bounds after each step.

    Returns
    -------
    convexnn_lib.certificates.dual_bound.DualBound
        The bounds, the neuron that attains the lower one, the method behind the upper
        one, and the history of both.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not finite, the shapes do not agree, ``gap`` is negative, or
        the target or the time limit is not positive.

    See Also
    --------
    convexnn_lib.dual_norm

    Notes
    -----
    *Sign rules.* Let :math:`s_i` be the sign of :math:`x_i^Tu`. If for each row with
    :math:`\lambda_j<0` a combination :math:`t_j=L_{j0}+\sum_iL_{ji}s_i` of the signs of
    the rows with :math:`\lambda_i>0` has :math:`\sum_i|L_{ji}|\le1`, then
    :math:`|x_j^Tu|\ge t_jx_j^Tu`, which bounds :math:`\lambda^T(Xu)_+` by the norm of a
    vector that is linear in s. Its maximum over all s is bounded by an eigenvalue. The
    best rule is the solution of a convex program with a semidefinite matrix of the
    order of the features, see ``certificates/_sign_rules.py`` and
    ``certificates/_relaxation.py``. Beside copies of the data, a rule takes no more
    than 16 MB, and the search for it a few times as much and a few matrices of the
    order of the features.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import dual_bound
    >>> rng = np.random.default_rng(0)
    >>> X, lam = rng.standard_normal((200, 50)), rng.standard_normal(200)
    >>> bound = dual_bound(X, lam)
    >>> bound.history[0].method, bool(bound.history[0].upper > 1.7 * bound.lower)
    ('spectral', True)
    >>> bound.method, bool(bound.upper < 1.05 * bound.lower)
    ('sign rule', True)
    """
    X = as_matrix(X)
    lam = as_vector(lam, len(X), "lam")
    if target is not None:
        target = check_number(target, "target", "(0, inf)")
    if time_limit is not None:
        time_limit = check_number(time_limit, "time_limit", "(0, inf]")
    gap = check_number(gap, "gap", "[0, inf)")
    scaled = Scaled(X, lam)
    state = Progress(
        scaled,
        0.0 if target is None else target,
        gap,
        np.inf if time_limit is None else time_limit,
        progress,
    )
    if state.sides:
        with few_threads(X.size):
            _bound(X, lam, scaled, state)
    return _result(X, scaled, state)


def bound_from_rules(
    X: FloatArray, lam: FloatArray, rules: Mapping[float, SignRule]
) -> DualBound:
    """Return the bounds that given rules prove, or the spectral ones without a rule.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    rules : mapping of float to SignRule
        A rule for each sign.

    Returns
    -------
    DualBound
        The bounds, the lower one by local ascent.
    """
    scaled = Scaled(X, lam)
    state = Progress(scaled)
    if state.sides:
        with few_threads(X.size):
            start(X, lam, scaled, state)
            for side in state.sides:
                if side.sign in rules:
                    take_rule(rules[side.sign], side, scaled, state)
    return _result(X, scaled, state)


def spectral_bounds(X: FloatArray, lam: FloatArray) -> DualBound:
    r"""Return the bounds that take no search, the first step of :func:`dual_bound`.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.

    Returns
    -------
    convexnn_lib.DualBound
        The bounds, which can be far apart. A neuron along :math:`\pm X^T\lambda`
        attains at least half of the length of that vector.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.certificates.dual_bound import spectral_bounds
    >>> bounds = spectral_bounds(np.eye(2), np.array([3.0, 4.0]))
    >>> bounds.method, bounds.lower, round(bounds.upper, 3)
    ('spectral', 5.0, 5.0)
    """
    scaled = Scaled(X, lam)
    state = Progress(scaled)
    if state.sides:
        with few_threads(X.size):
            take_spectral(lam, scaled, state)
    return _result(X, scaled, state)


def closed_form_bounds(X: FloatArray, lam: FloatArray) -> DualBound:
    r"""Return bounds that agree on data of every size for which a closed form is known.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.

    Returns
    -------
    convexnn_lib.DualBound
        Valid bounds, at once. They agree, up to rounding, if all rows lie on one line,
        say with one feature, if X is spike-free, if its rows are orthogonal, say
        whitened, or if they are orthogonally separable and :math:`\lambda_i` has the
        sign of the label.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.certificates.dual_bound import closed_form_bounds
    >>> bounds = closed_form_bounds(np.eye(500), np.repeat([3.0, -1.0], 250))
    >>> bool(bounds.relative_gap < 1e-9), round(bounds.lower / 250**0.5, 9)
    (True, 3.0)
    """
    scaled = Scaled(X, lam)
    state = Progress(scaled)
    if state.sides:
        with few_threads(X.size):
            take_spectral(lam, scaled, state)
            take_one_line(scaled, state)
            for side in state.sides:
                take_sum(side, scaled, state)
            spike_free = not state.done() and one_pattern(X[scaled.live])
            for side in state.sides if spike_free else ():
                take_one_pattern(side, scaled, state)
    return _result(X, scaled, state)


def _bound(X: FloatArray, lam: FloatArray, scaled: Scaled, state: Progress) -> None:
    """Take the steps in turn."""
    start(X, lam, scaled, state)
    if not state.done() and one_pattern(X[scaled.live]):
        for side in state.sides:
            take_one_pattern(side, scaled, state)
    if not state.done() and low_rank(scaled):
        _close(X, lam, scaled, state)
    find_rules(scaled, state)
    for side in state.sides:
        if side.witness is None or state.done() or state.settled(side):
            continue
        leading = leading_directions(side.plus, side.minus, side.witness, _LEADING)
        take_ascent(side, leading, state)
        state.note("ascent")
    _close(X, lam, scaled, state)


def _close(X: FloatArray, lam: FloatArray, scaled: Scaled, state: Progress) -> None:
    """Bound both signs exactly, where that is within reach."""
    for side in sorted(state.sides, key=lambda side: -side.upper):
        if not state.done() and not state.settled(side):
            close(X[scaled.live & (side.sign * lam > 0.0)], side, scaled, state)


def _result(X: FloatArray, scaled: Scaled, state: Progress) -> DualBound:
    """Return what is known, in the units of the data."""
    value, neuron = 0.0, ExtremeNeuron(np.eye(1, X.shape[1])[0], 1.0)
    if state.sides:
        value, neuron = state.best(*state.sides)
    lower = scaled.unit * value
    return DualBound(
        lower,
        max(lower, scaled.unit * state.upper),
        neuron,
        state.decisive.method if state.sides else "zero",
        tuple(state.history),
        {side.sign: side.witness for side in state.sides if side.witness is not None},
    )
