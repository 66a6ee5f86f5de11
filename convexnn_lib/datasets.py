r"""The data sets of the book, each a pair ``(X, y)`` of float64 arrays.

Three kinds: the examples of the talk and of the papers behind it, generators with a
``seed``, and real data that ship with scikit-learn (:func:`load`), which therefore need
no download. The networks of this library have no bias. Append a column of ones to ``X``
for one (``load(..., ones=True)``); the bias is then regularized like any other weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convexnn_lib._extras import extra
from convexnn_lib._validation import (
    FloatArray,
    Seed,
    check_integer,
    check_unused,
    random_generator,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.typing import DatasetName, Labels

__all__ = [
    "gaussian",
    "load",
    "orthogonally_separable",
    "separable_pair",
    "separable_quad",
    "talk_example",
    "toy",
    "xor",
]

# name in scikit-learn -> the two default classes (None: real labels)
_SKLEARN_DATA: dict[str, tuple[str, str] | None] = {
    "breast_cancer": ("malignant", "benign"),
    "diabetes": None,
    "iris": ("versicolor", "virginica"),
    "wine": ("class_0", "class_1"),
}


def talk_example() -> tuple[FloatArray, FloatArray]:
    """Return the talk's three samples in the plane, two of them parallel.

    Returns
    -------
    X : (3, 2) array
        Rows (3, 3), (2, 2), (1, 0).
    y : (3,) array
        Labels (1, -1, 1), which serve as real numbers and as classes. The first two
        rows are parallel with different labels, so no network separates the classes.

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.talk_example()
    >>> X.shape, y.tolist()
    ((3, 2), [1.0, -1.0, 1.0])
    """
    return (
        np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]),
        np.array([1.0, -1.0, 1.0]),
    )


def toy() -> tuple[FloatArray, FloatArray]:
    """Return the talk's one-sample problem, X = 1 and y = 1.

    Returns
    -------
    X : (1, 1) array
    y : (1,) array

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> datasets.toy()
    (array([[1.]]), array([1.]))
    """
    return np.array([[1.0]]), np.array([1.0])


def xor() -> tuple[FloatArray, FloatArray]:
    """Return the four corners of a square, labelled by the product of their entries.

    Its rows are antiparallel in pairs: 4 open cells, 9 closed patterns.

    Returns
    -------
    X : (4, 2) array
        Rows (1, 1), (-1, -1), (1, -1), (-1, 1).
    y : (4,) array
        Labels (1, 1, -1, -1).

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.xor()
    >>> bool((y == X[:, 0] * X[:, 1]).all())
    True
    """
    return (
        np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]),
        np.array([1.0, 1.0, -1.0, -1.0]),
    )


def separable_pair() -> tuple[FloatArray, FloatArray]:
    r"""Return two orthogonally separable samples, one of each class.

    The inner product of the rows is -1.41. The best normalized margin of a two-layer
    ReLU network on them is :math:`1/(2P^*)` with
    :math:`P^* = 1/\|x_1\| + 1/\|x_2\| \approx 1.2824322`.

    Returns
    -------
    X : (2, 2) array
        Rows (1.65, -0.47), (-0.47, 1.35).
    y : (2,) array
        Labels (1, -1).

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.separable_pair()
    >>> round(float(X[0] @ X[1]), 12)
    -1.41
    """
    return np.array([[1.65, -0.47], [-0.47, 1.35]]), np.array([1.0, -1.0])


def separable_quad() -> tuple[FloatArray, FloatArray]:
    r"""Return four orthogonally separable samples, two of each class.

    The best normalized margin of a two-layer ReLU network on them is
    :math:`1/(2P^*)` with :math:`P^* = 1/\sqrt2 + 2/\sqrt5`.

    Returns
    -------
    X : (4, 2) array
        Rows (2, 0.5), (1, 1), (-1, -0.5), (-0.5, -2).
    y : (4,) array
        Labels (1, 1, -1, -1).

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.separable_quad()
    >>> (X @ X.T > 0).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 1],
           [0, 0, 1, 1]])
    """
    return (
        np.array([[2.0, 0.5], [1.0, 1.0], [-1.0, -0.5], [-0.5, -2.0]]),
        np.array([1.0, 1.0, -1.0, -1.0]),
    )


def orthogonally_separable(n: int, d: int, seed: Seed) -> tuple[FloatArray, FloatArray]:
    r"""Draw orthogonally separable data with both classes present.

    Data are orthogonally separable [1]_ if :math:`x_i^Tx_j > 0` for equal labels and
    :math:`x_i^Tx_j \le 0` for different ones. Here :math:`x_i = y_i|z_i|` with
    :math:`z_i` standard normal and the absolute value taken entry by entry, so each
    class lies in its own orthant and the inequality across classes is strict.

    Parameters
    ----------
    n : int
        Number of samples, at least 2; the first ⌈n/2⌉ have label 1.
    d : int
        Number of features, at least 1.
    seed : int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    X : (n, d) array
    y : (n,) array
        Labels in {-1, 1}.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If ``n`` < 2, ``d`` < 1 or ``seed`` is missing or negative.

    References
    ----------
    .. [1] Phuong & Lampert (2021), `phuong2021inductive`.

    Examples
    --------
    >>> from convexnn_lib import datasets, is_orthogonally_separable
    >>> X, y = datasets.orthogonally_separable(6, 3, seed=0)
    >>> is_orthogonally_separable(X, y)
    True
    """
    n = check_integer(n, "n", minimum=2)
    d = check_integer(d, "d", minimum=1)
    rng = random_generator(seed)
    y = np.where(np.arange(n) < (n + 1) // 2, 1.0, -1.0)
    return y[:, None] * np.abs(rng.standard_normal((n, d))), y


def gaussian(
    n: int, d: int, seed: Seed, *, labels: Labels = "real"
) -> tuple[FloatArray, FloatArray]:
    """Draw standard normal data with labels that do not depend on them.

    ``X``, the real labels and the signs are drawn in this order whatever ``labels`` is,
    so that both kinds of labels come with the same ``X``.

    Parameters
    ----------
    n, d : int
        Numbers of samples and features, at least 1.
    seed : int or numpy.random.Generator
        Source of randomness.
    labels : {"real", "sign"}
        Standard normal labels, or the signs of standard normal numbers.

    Returns
    -------
    X : (n, d) array
    y : (n,) array

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If ``n`` or ``d`` < 1, or ``seed`` or ``labels`` is not one of those admitted.

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.gaussian(5, 2, seed=0, labels="sign")
    >>> y.tolist()
    [-1.0, -1.0, -1.0, 1.0, 1.0]
    """
    n = check_integer(n, "n", minimum=1)
    d = check_integer(d, "d", minimum=1)
    if labels not in ("real", "sign"):
        raise InvalidDataError(f'labels must be "real" or "sign", got {labels!r}.')
    rng = random_generator(seed)
    X = rng.standard_normal((n, d))
    y_real = rng.standard_normal(n)
    y_sign = np.where(rng.standard_normal(n) < 0, -1.0, 1.0)
    return X, y_real if labels == "real" else y_sign


def load(
    name: DatasetName,
    *,
    classes: tuple[str, str] | None = None,
    features: Sequence[str] | None = None,
    n_samples: int | None = None,
    seed: Seed | None = None,
    standardize: bool = True,
    ones: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Load one of the real data sets that ship with scikit-learn.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "iris", "wine"}
        "diabetes" has real labels. The others have classes, of which two are kept.
    classes : pair of str, optional
        The class with label -1 and the class with label 1. The default is
        ("malignant", "benign"), ("versicolor", "virginica") (the two kinds of iris that
        overlap) or ("class_0", "class_1").
    features : sequence of str, optional
        Names of the columns to keep, in this order; all by default.
    n_samples : int, optional
        Keep this many rows, drawn without replacement, in their original order.
    seed : int or numpy.random.Generator, default 0
        Source of randomness of that draw; without ``n_samples`` it is an error.
    standardize : bool
        Shift and scale every kept column over the kept rows to mean 0 and variance 1
        (a constant column becomes 0), and real labels likewise.
    ones : bool
        Append a column of ones, after standardizing: its weight acts as a bias.

    Returns
    -------
    X : (n, d) array
    y : (n,) array
        In {-1, 1} for classes.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If a name is unknown (the message lists those available), ``n_samples`` exceeds
        the number of rows, or an argument would change nothing.
    convexnn_lib.errors.MissingExtraError
        If scikit-learn is not installed, which the extra ``sklearn`` brings.

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> X, y = datasets.load("iris", features=["petal length (cm)"], ones=True)
    >>> X.shape, sorted(set(y.tolist()))
    ((100, 2), [-1.0, 1.0])
    """
    _check_known(name, list(_SKLEARN_DATA), "data set")
    default_classes = _SKLEARN_DATA[name]
    if default_classes is None and classes is not None:
        raise InvalidDataError(f"{name} has real labels, so classes must be None.")
    if n_samples is None:
        check_unused({"seed": seed}, "without n_samples")
    else:
        n_samples = check_integer(n_samples, "n_samples", minimum=1)
    rng = random_generator(0 if seed is None else seed)

    with extra("sklearn", "datasets.load"):
        from sklearn import datasets as sklearn_datasets

    bunch = getattr(sklearn_datasets, f"load_{name}")()
    X = np.asarray(bunch.data, dtype=np.float64)
    y = np.asarray(bunch.target, dtype=np.float64)
    if default_classes is not None:
        X, y = _two_classes(X, y, [str(c) for c in bunch.target_names], classes, name)
    if features is not None:
        X = X[:, _columns(features, [str(f) for f in bunch.feature_names], name)]
    if n_samples is not None:
        if n_samples > len(y):
            raise InvalidDataError(
                f"n_samples = {n_samples}, but {name} has {len(y)} rows here."
            )
        rows = np.sort(rng.permutation(len(y))[:n_samples])
        X, y = X[rows], y[rows]
    if standardize:
        X = _standardized(X)
        y = _standardized(y) if default_classes is None else y
    if ones:
        X = np.column_stack([X, np.ones(len(y))])
    return np.ascontiguousarray(X), y


def _check_known(value: Any, known: list[str], what: str) -> None:
    if not isinstance(value, str) or value not in known:
        raise InvalidDataError(f"Unknown {what} {value!r}; available: {known}.")


def _two_classes(
    X: FloatArray,
    target: FloatArray,
    class_names: list[str],
    classes: tuple[str, str] | None,
    name: str,
) -> tuple[FloatArray, FloatArray]:
    """Keep the rows of two classes and label them -1 and 1."""
    pair = classes if classes is not None else _SKLEARN_DATA[name]
    if pair is None or len(pair) != 2 or pair[0] == pair[1]:
        raise InvalidDataError(f"classes must be two different names, got {pair!r}.")
    for label in pair:
        _check_known(label, class_names, f"class of {name}")
    negative, positive = (class_names.index(label) for label in pair)
    kept = (target == negative) | (target == positive)
    return X[kept], np.where(target[kept] == positive, 1.0, -1.0)


def _columns(features: Sequence[str], names: list[str], data: str) -> list[int]:
    """Return the indices of the named columns."""
    if isinstance(features, str) or np.ndim(features) != 1 or len(features) == 0:
        raise InvalidDataError(
            f"features must be a non-empty sequence of names from {names}."
        )
    for feature in features:
        _check_known(feature, names, f"feature of {data}")
    return [names.index(feature) for feature in features]


def _standardized(values: FloatArray) -> FloatArray:
    """Give columns mean 0 and variance 1; constant columns become 0."""
    centred = values - values.mean(axis=0)
    constant = np.all(values == values[:1], axis=0)
    scale = np.where(constant, 1.0, values.std(axis=0))
    standardized: FloatArray = np.where(constant, 0.0, centred) / scale
    return standardized
