"""What a loss is to the library: its values, its conjugate, and what it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import ArrayLike, FloatArray, as_float_array
from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    RegularizationError,
)
from convexnn_lib.problem._loss_methods import guard_methods
from convexnn_lib.typing import Labels

__all__ = ["Loss", "as_pair", "cvxpy_functions"]

_STEPS = 80  # of golden section: 0.618**80 is below the rounding of float64
_HALVINGS = 100  # until an end of an interval is found to rounding


class Loss(ABC):
    r"""A convex loss of the outputs of a network, bounded below.

    It is a sum over the samples of convex functions of one output each. A loss of your
    own derives from this class, or from :class:`convexnn_lib.MarginLoss` if it has the
    kink of a hinge, and works wherever the library's own losses do. Write

    * ``value``, ``gradient`` and ``conjugate``: certificates, Clarke stationarity and
      gradient flows need no more;
    * ``curvature``, the second derivatives, for training (``solve``), ``OptimalSet``,
      the programs of ``subsampled_problem``, ``find_stationary_points`` and
      ``sharpness``; it may be 0 where the loss is linear;
    * ``strictly_convex = True``, if that is so: then optimal networks are known to have
      the same outputs;
    * ``cvxpy_expression`` for ``solve(method="cvxpy")``;
    * ``degree = p``, if :math:`\ell(tz,ty)=t^p\ell(z,y)` for every :math:`t>0`: then
      labels in any unit are computed with in one in which they are of order one;
    * ``several_outputs = True``, if all methods take outputs and labels of shape (n, c)
      as well: then networks with c outputs can be trained;
    * ``check_labels`` if not all real labels (or, with ``labels = "sign"``, all signs)
      are admitted.

    What is missing is an error that names it, and so is what cannot be right: a
    :class:`convexnn_lib.TrainingProblem` compares the methods with each other before
    anything is computed. Numbers are returned as floats, vectors as NumPy arrays of
    float64, and arguments stay as they are. The other methods have defaults that find
    their results numerically from the conjugate; write those that have a closed form.

    Attributes
    ----------
    name : str
        What messages call the loss; by default the name of the class.
    labels : {"real", "sign", "classes"}, default "real"
        Whether labels may be any real number, must be -1 or +1, or are one row for each
        sample with a 1 for its class, as those of :class:`convexnn_lib.Multinomial`.
    differentiable : bool, default True
        Whether the loss has a gradient everywhere. Then the dual point of a network
        with outputs z is unique: it is the negative gradient at z.
    strictly_convex : bool, default False
        Whether the loss is strictly convex in z. Then all optimal networks have the
        same outputs.
    log_odds : bool, default False
        Whether an output z models the probability :math:`1/(1+e^{-z})` of label 1.
    several_outputs : bool, default False
        Whether the loss is one of several outputs too, with labels (n, c). It says so
        of its own class.
    degree : float or None, default None
        The degree p of a loss that is homogeneous in outputs and labels together, such
        as 2 for the squared loss. It says so of its own class: one that derives from it
        has to say it again.
    of_residuals : bool, default False
        Whether the loss depends on :math:`z-y` alone, so that a constant of the outputs
        is one of the labels. It says so of its own class.
    slack_cost : float or None, default None
        What a unit of missing margin costs, see :class:`convexnn_lib.MarginLoss`; None
        for a loss that is not about margins.

    Examples
    --------
    The Poisson loss of counts :math:`y\ge0`, :math:`\sum_ie^{z_i}-y_iz_i`, in which
    :math:`e^z` is the expected count. With :math:`r=v+y` its conjugate is
    :math:`\sum_ir_i\log r_i-r_i` for :math:`r\ge0` and infinite elsewhere.

    >>> import numpy as np
    >>> from scipy.special import xlogy
    >>> from convexnn_lib import Loss, TrainingProblem, solve
    >>> class Poisson(Loss):
    ...     strictly_convex = True
    ...
    ...     def value(self, z, y):
    ...         return float(np.sum(np.exp(z) - y * z))
    ...
    ...     def gradient(self, z, y):
    ...         return np.exp(z) - y
    ...
    ...     def curvature(self, z, y):
    ...         return np.exp(z)
    ...
    ...     def conjugate(self, lam, y):
    ...         rate = lam + y
    ...         if np.any(rate < 0.0):
    ...             return np.inf
    ...         return float(np.sum(xlogy(rate, rate) - rate))
    >>> X = [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
    >>> problem = TrainingProblem(X, [0.0, 1.0, 5.0, 6.0], beta=0.1, loss=Poisson())
    >>> solution = solve(problem)
    >>> bool(solution.certificate.relative_gap < 1e-9)
    True
    >>> np.exp(solution.network.predict(problem.X)).round(2)  # the expected counts
    array([0.14, 0.95, 4.64, 6.22])
    """

    name: ClassVar[str]
    labels: ClassVar[Labels] = "real"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = False
    log_odds: ClassVar[bool] = False
    several_outputs: ClassVar[bool] = False
    degree: ClassVar[float | None] = None
    of_residuals: ClassVar[bool] = False
    slack_cost: float | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the class; what is said of a parent's units need not hold of it."""
        super().__init_subclass__(**options)
        guard_methods(cls)
        cls.degree = cls.__dict__.get("degree")
        cls.of_residuals = cls.__dict__.get("of_residuals", False)
        cls.several_outputs = cls.__dict__.get("several_outputs", False)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make an object, if the class has all methods that it needs."""
        if missing := sorted(cls.__abstractmethods__):
            raise InvalidDataError(
                f"the loss {cls.__name__} lacks {', '.join(missing)}; define "
                f"{'this method' if len(missing) == 1 else 'these methods'}."
            )
        return super().__new__(cls)

    @property
    def is_constraint(self) -> bool:
        """Whether the loss is 0 or infinite, as that of a hard margin is."""
        return self.slack_cost == np.inf

    @abstractmethod
    def value(self, z: FloatArray, y: FloatArray) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""

    @abstractmethod
    def gradient(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """Return the gradient in ``z``, or one subgradient at a kink, an (n,) array."""

    @abstractmethod
    def conjugate(self, lam: FloatArray, y: FloatArray) -> float:
        """Return the conjugate in the first argument at ``lam`` (n,), maybe ``inf``."""

    def curvature(self, z: FloatArray, y: FloatArray) -> FloatArray | None:
        """Return the diagonal of the Hessian in ``z``, an (n,) array.

        Returns
        -------
        (n,) array or None
            The second derivatives, or None for a loss that has none (or does not give
            them): its optima are then not refined by Newton's method.
        """
        return None

    def second_derivatives(self, z: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives for what cannot do without.

        Parameters
        ----------
        z : (n,) array
            The outputs.
        y : (n,) array
            Labels.

        Returns
        -------
        (n,) array
            What ``curvature`` gives.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the loss has no method ``curvature``.
        """
        found = self.curvature(z, y)
        if found is None:
            raise InvalidDataError(
                f"the loss {self!r} gives no second derivatives, which are needed "
                "here; define its method curvature."
            )
        return found

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the loss as a CVXPY expression, for ``solve(method="cvxpy")``.

        Parameters
        ----------
        z : cvxpy.Expression
            The outputs, of shape (n,).
        y : (n,) array
            Labels.

        Returns
        -------
        cvxpy.Expression
            A convex scalar expression.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the loss does not define it.

        Examples
        --------
        >>> import cvxpy as cp
        >>> import numpy as np
        >>> from convexnn_lib import Squared
        >>> Squared().cvxpy_expression(cp.Variable(2), np.zeros(2)).is_convex()
        True
        """
        raise InvalidDataError(
            f"the loss {self!r} has no CVXPY expression; define its method "
            "cvxpy_expression."
        )

    def best_scale(self, lam: FloatArray, y: FloatArray, limit: float) -> float:
        r"""Return the best factor in :math:`[0, \text{limit}]` for a dual point.

        It maximizes the dual objective :math:`-\ell^*(-\tau\lambda, y)` over
        :math:`0\le\tau\le\text{limit}`. With :math:`\text{limit}=\beta/M(\lambda)`
        every such :math:`\tau\lambda` is dual feasible, and the maximum is the best
        lower bound that :math:`\lambda` gives. By default it is found by golden section
        search: the dual objective is concave.

        Parameters
        ----------
        lam : (n,) array
            The dual point.
        y : (n,) array
            Labels.
        limit : float
            The largest factor allowed, possibly ``inf``.

        Returns
        -------
        float
            The factor; ``inf`` if the dual objective grows without bound.
        """
        lam, y = as_pair(lam, y)
        with np.errstate(all="ignore"):  # far outside the domain anything may overflow
            return _maximizer(lambda tau: -self.conjugate(-tau * lam, y), limit)

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        r"""Return the point nearest to a dual point in the dual objective's domain.

        By default each entry is moved towards that of the dual point of the outputs 0
        until the conjugate is finite: the domain is a product of intervals.

        Parameters
        ----------
        lam : (n,) array
            The dual point, say a solver's, outside the domain by its tolerance.
        y : (n,) array
            Labels.

        Returns
        -------
        (n,) array
            The nearest point with a finite dual objective.
        """

        def inside(point: FloatArray) -> bool:
            return bool(np.isfinite(self.conjugate(-point, y)))

        with np.errstate(all="ignore"):
            if inside(lam):
                return lam
            middle = -np.asarray(self.gradient(np.zeros(np.shape(y)), y))
            if not inside(middle):  # by rounding: 0 is in the domain, as a lower bound
                middle = 0.5 * middle
            point = middle.copy()
            for i, entry in enumerate(lam):
                point[i] = entry
                good, bad = middle[i], entry
                for _ in range(0 if inside(point) else _HALVINGS):
                    point[i] = 0.5 * (good + bad)
                    good, bad = (point[i], bad) if inside(point) else (good, point[i])
                    point[i] = good
            return point

    def check_beta(self, beta: float) -> None:
        """Raise an error unless the loss admits a regularization strength.

        Parameters
        ----------
        beta : float
            A finite number of at least 0.

        Raises
        ------
        convexnn_lib.errors.RegularizationError
            If the loss is a constraint and beta is not 1.
        """
        if self.is_constraint and beta != 1.0:
            raise RegularizationError(
                f"the hard margin needs beta = 1, got {beta}: its optimal networks do "
                "not depend on beta."
            )

    def check_labels(self, y: FloatArray) -> None:
        """Raise an error unless the loss admits the labels.

        Parameters
        ----------
        y : (n,) array
            Labels.

        Raises
        ------
        convexnn_lib.errors.InvalidLabelsError
            If the labels must be -1 or +1 and some are not.

        Examples
        --------
        >>> import numpy as np
        >>> from convexnn_lib import Logistic
        >>> Logistic().check_labels(np.array([0.0, 1.0, 1.0]))
        Traceback (most recent call last):
        ...
        convexnn_lib.errors.InvalidLabelsError: the logistic loss needs labels -1 or ...
        """
        if self.labels == "real":
            return
        offending = np.unique(y[np.abs(y) != 1.0])
        if offending.size:
            shown = ", ".join(str(float(value)) for value in offending[:5])
            more = f" and {offending.size - 5} more" if offending.size > 5 else ""
            zero_one = np.isin(y, (0.0, 1.0)).all()
            hint = (
                "use 2*y - 1 for labels 0 and 1"
                if zero_one
                else "map one class to -1 and the other to +1"
            )
            raise InvalidLabelsError(
                f"the {self.name.replace('_', '-')} loss needs labels -1 or +1, got "
                f"{shown}{more}; {hint}."
            )


def cvxpy_functions() -> Any:
    """Return CVXPY, whose functions carry no types."""
    with extra("cvxpy", "cvxpy_expression"):
        import cvxpy

    functions: Any = cvxpy
    return functions


def as_pair(z: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both arguments as float64 vectors of the same length.

    Parameters
    ----------
    z, y : (n,) arrays
        Outputs and labels, or a dual point and labels.

    Returns
    -------
    z, y : (n,) arrays
        The same in float64.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If their shapes differ or are not those of vectors.
    """
    z, y = _read(z, "the outputs"), _read(y, "the labels")
    if z.shape != y.shape or z.ndim not in (1, 2):
        raise InvalidDataError(
            f"outputs and labels must be vectors of one length, got shapes {z.shape} "
            f"and {y.shape}."
        )
    return z, y


def _read(values: ArrayLike, name: str) -> FloatArray:
    """Return values in float64; solvers pass arrays that are, maybe infinite ones."""
    if type(values) is np.ndarray and values.dtype == np.float64:
        return values
    return as_float_array(values, name)


def _maximizer(function: Callable[[float], float], limit: float) -> float:
    """Return where a concave function on [0, limit] is largest, ``inf`` if nowhere.

    It may be minus infinity from some place on, and NaN counts as that.
    """
    found = {0.0: function(0.0)}

    def height(place: float) -> float:
        if place not in found:
            value = float(function(place))
            found[place] = value if value > -np.inf else -np.inf
        return found[place]

    place = min(limit, 1.0)
    while height(place) <= found[0.0]:  # too far
        place *= 0.25
        if place < 1e-300:
            return 0.0
    end = min(4.0 * place, limit)
    while height(end) > found[place] and end < limit:
        place, end = end, min(4.0 * end, limit)
        if end > 1e300:
            return np.inf
    low, high, ratio = 0.0, end, (5.0**0.5 - 1.0) / 2.0
    left, right = high - ratio * high, ratio * high
    for _ in range(_STEPS):
        if height(left) < height(right):
            low, left, right = left, right, left + ratio * (high - left)
        else:
            high, left, right = right, right - ratio * (right - low), left
    return max(found, key=lambda place: (found[place], place))
