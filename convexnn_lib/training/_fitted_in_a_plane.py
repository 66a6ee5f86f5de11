r"""A network with given signs at any number of samples, in a moment.

In a plane the function :math:`\sum_ka_k|u_k^Tx|` is the sum of two sines between the
lines :math:`u_k^Tx=0` that follow each other. With one line through each sample it
takes any values there: its pieces join the values on neighbouring lines, and a_k is the
change of slope on line k. Where each :math:`|u_k^Tx|` is replaced by the one neuron
:math:`2(u_k^Tx)_+`, a linear function is added, which two more neurons take away.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training._tolerances import SAME_LINE

__all__ = ["fitted_in_a_plane"]

_PLANES = 20  # random ones, of which that of the largest angles is taken


def fitted_in_a_plane(problem: TrainingProblem) -> ReLUNetwork:
    """Return a network that meets a hard margin, far from the least one.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with a margin loss and two features or more.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A network of at most two neurons more than samples, at margin 1; without neurons
        if samples on one line have different labels, or all lie on one.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.training._fitted_in_a_plane import fitted_in_a_plane
    >>> X = np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 3.0], [-1.0, 2.0]])
    >>> problem = TrainingProblem(X, [1, -1, 1, -1], 1.0, "hard_margin")
    >>> fitted_in_a_plane(problem).predict(X).round(9).tolist()
    [1.0, -1.0, 1.0, -1.0]
    """
    X, y = problem.X, problem.y
    random = np.random.default_rng(0)
    best, widest = ReLUNetwork(np.zeros((problem.d, 0)), np.zeros(0)), 0.0
    for _ in range(_PLANES):
        plane = np.linalg.qr(random.standard_normal((problem.d, 2)))[0]
        within = X @ plane
        angles = np.arctan2(within[:, 1], within[:, 0]) % np.pi
        order = np.argsort(angles, kind="stable")
        angles, labels = angles[order], y[order]
        gaps = np.diff(angles, append=angles[0] + np.pi)
        apart = gaps > SAME_LINE
        width = float(gaps[apart].min(initial=np.pi))
        mixed = np.any(~apart & (labels != np.roll(labels, -1)))
        if mixed or not apart[-1] or not apart[:-1].any() or width <= widest:
            continue
        # of the samples on one line the shortest has margin 1
        begins = np.concatenate([[0], np.flatnonzero(apart)[:-1] + 1])
        lengths = np.minimum.reduceat(np.linalg.norm(within[order], axis=1), begins)
        units, sizes = _joined(angles[begins], labels[begins] / lengths)
        best = ReLUNetwork(plane @ (units.T * np.abs(sizes)), np.sign(sizes))
        widest = width
    return meet_hard_margin(best.balanced(), problem)


def _joined(angles: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return neurons in the plane, and their sizes, with these values on unit vectors.

    The angles grow, by less than pi from one to the next and to the first one's other
    end.
    """
    gaps = np.diff(angles, append=angles[0] + np.pi)
    ahead = np.roll(values, -1)
    # slopes of A sin + B cos at the beginning and at the end of each piece
    rising = (ahead - values * np.cos(gaps)) / np.sin(gaps)
    falling = (ahead * np.cos(gaps) - values) / np.sin(gaps)
    units = np.column_stack([-np.sin(angles), np.cos(angles)])
    sizes = rising - np.roll(falling, 1)
    linear = -0.5 * (sizes @ units)
    length = float(np.linalg.norm(linear))
    if length > 0.0:
        units = np.vstack([units, linear / length, -linear / length])
        sizes = np.concatenate([sizes, [length, -length]])
    return units, sizes
