r"""Whether a loss is what it says, on a few outputs that are always the same.

The theorems of this library rest on a loss's being a sum of convex functions, one for
each sample's output or outputs, and its certificates on
:math:`\ell(z)+\ell^*(v)=v^Tz` for :math:`v\in\partial\ell(z)`. A loss that misses
this by a slip of its author would give wrong results without a word, so each problem
asks its loss before anything else.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any, get_args

import numpy as np

from convexnn_lib._validation import FloatArray, check_number
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._loss import Loss
from convexnn_lib.problem._multinomial import Multinomial
from convexnn_lib.problem._tolerances import LOSS_AGREES, SECOND_DERIVATIVES_AGREE
from convexnn_lib.typing import Labels

__all__ = ["check_attributes", "check_loss"]

_FAR = 4.0  # the largest output
_STEP = 1e-4  # between outputs whose slopes are compared for the second derivatives
_TIMES = 1024.0  # what outputs and labels are multiplied by for the degree
_ULPS = 64.0 * float(np.finfo(np.float64).eps)


def check_attributes(loss: Loss) -> None:
    """Raise an error unless the attributes of a loss are of the known kinds.

    Parameters
    ----------
    loss : Loss
        The loss.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If one is not; the message names it.
    """
    said = ("differentiable", "strictly_convex", "log_odds", "several_outputs")
    for name in (*said, "of_residuals"):
        if not isinstance(getattr(loss, name), bool | np.bool_):
            raise _wrong(loss, name, "True or False")
    if loss.labels not in get_args(Labels):
        raise _wrong(loss, "labels", '"real", "sign" or "classes"')
    if loss.labels == "classes" and not loss.several_outputs:
        raise InvalidDataError(
            f"{_name(loss)} has labels of classes, hence one output for each: set "
            "several_outputs = True."
        )
    if loss.degree is not None:
        check_number(loss.degree, f"the degree of {_name(loss)}", "(-inf, inf)")
    cost: Any = loss.slack_cost
    if cost is None:
        return
    if not isinstance(cost, int | float | np.number) or not cost > 0.0:
        raise _wrong(loss, "slack_cost", "a positive number or inf")
    if loss.labels != "sign" or loss.differentiable:
        raise InvalidDataError(
            f"{_name(loss)} has a slack_cost, hence a kink and labels of -1 and 1: set "
            'differentiable = False and labels = "sign", or derive it from MarginLoss.'
        )


def check_loss(loss: Loss, y: FloatArray) -> None:
    """Raise an error if a loss contradicts itself.

    Parameters
    ----------
    loss : Loss
        A loss whose attributes were checked.
    y : (n,) or (n, c) array
        The labels of a problem, which the loss admits.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If its values, gradients, conjugate and second derivatives do not belong
        together; the message names the method.
    """
    if type(loss) is Multinomial:  # whose Hessians may be large
        return
    if loss.degree is not None:  # labels in any unit: in one of order one
        y = np.ldexp(y, -int(np.frexp(np.abs(y).max())[1]))
    y = _frozen(y)
    wave = _wave(y)
    with np.errstate(all="ignore"):
        if loss.slack_cost is not None:
            _check_margins(loss, y, wave)
        if not loss.is_constraint:
            outputs = [
                _frozen(z)
                for z in (wave, -0.7 * wave, wave + 1e-3, _FAR * wave, 0.0 * wave)
            ]
            _check_convex(loss, y, outputs)
            _check_sum(loss, y, *outputs[:2])
            _check_second_derivatives(loss, y, outputs[:2])
            _check_degree(loss, y, wave)
            _check_residuals(loss, y, wave)


def _check_convex(loss: Loss, y: FloatArray, outputs: list[FloatArray]) -> None:
    """Compare values, gradients and conjugate at some outputs."""
    found = []
    for z in outputs:
        value, slope = loss.value(z, y), loss.gradient(z, y)
        for name, result in (("value", value), ("gradient", slope)):
            if not np.all(np.isfinite(result)):
                raise _not_finite(loss, name, result)
        found.append((z, value, slope))
    for (z, value, slope), (other, there, _) in permutations(found, 2):
        rise = slope * (other - z)
        size = abs(value) + abs(there) + float(np.abs(rise).sum())
        if there < value + float(rise.sum()) - LOSS_AGREES * size:
            raise InvalidDataError(
                f"the gradient of {_name(loss)} is not that of its value, or the value "
                f"is not convex: between two outputs it rises from {value:.6g} to "
                f"{there:.6g}, by less than the gradient says, {float(rise.sum()):.6g}."
            )
    conjugates = [loss.conjugate(_frozen(slope), y) for _, _, slope in found]
    for (z, value, slope), conjugate in zip(found, conjugates, strict=True):
        product = float(np.sum(slope * z))
        size = abs(value) + float(np.sum(np.abs(slope) * (np.abs(z) + np.abs(y))))
        # a gradient at the end of the domain may miss it by rounding
        outside = conjugate == np.inf and _is_finite_between(loss, y, found)
        if outside or abs(value + conjugate - product) <= LOSS_AGREES * size:
            continue
        raise InvalidDataError(
            f"the conjugate of {_name(loss)} is not that of its value: at outputs with "
            f"the value {value:.6g} and the gradient v, v^T z = {product:.6g}, so that "
            f"the conjugate at v is {product - value:.6g}, got {conjugate:.6g}."
        )


def _is_finite_between(
    loss: Loss, y: FloatArray, found: list[tuple[FloatArray, float, FloatArray]]
) -> bool:
    """Return whether the conjugate is finite in the middle of some gradients."""
    middle = np.mean([slope for _, _, slope in found], axis=0)
    return bool(np.isfinite(loss.conjugate(_frozen(middle), y)))


def _check_sum(loss: Loss, y: FloatArray, z: FloatArray, other: FloatArray) -> None:
    """Compare the slope of each sample where other samples have other outputs."""
    even = np.arange(len(y)).reshape(-1, *[1] * (y.ndim - 1)) % 2 == 0
    slope = loss.gradient(_frozen(np.where(even, z, other)), y)
    parts = np.where(even, loss.gradient(z, y), loss.gradient(other, y))
    if np.abs(slope - parts).max() > LOSS_AGREES * np.abs(parts).max():
        raise InvalidDataError(
            f"{_name(loss)} is not a sum over the samples: its gradient at one sample "
            "depends on the outputs of the others."
        )


def _check_second_derivatives(
    loss: Loss, y: FloatArray, outputs: list[FloatArray]
) -> None:
    """Compare the second derivatives with differences of the gradients."""
    wrong = np.ones(y.shape, dtype=bool)  # near kinks a difference tells nothing
    along = np.ones(len(y)) if y.ndim == 1 else _wave(y)
    for z in outputs:
        places = [_frozen(z + step * along) for step in (-_STEP, 0.0, _STEP)]
        given = [loss.curvature(place, y) for place in places]
        found = np.array([values for values in given if values is not None])
        if len(found) < len(places):
            return
        if not np.all(np.isfinite(found)):
            raise _not_finite(loss, "curvature", found)
        if (least := _least(found, y)) < 0.0:
            raise InvalidDataError(
                f"the curvature of {_name(loss)} is {least:.6g} at some sample; "
                "that of a convex loss is never negative."
            )
        second, size = _times(found, along), _times(np.abs(found), np.abs(along))
        before, after = loss.gradient(places[0], y), loss.gradient(places[2], y)
        slope = (after - before) / (2.0 * _STEP)
        rounding = _ULPS * np.maximum(np.abs(before), np.abs(after)) / _STEP
        close = SECOND_DERIVATIVES_AGREE * np.maximum(size.max(axis=0), np.abs(slope))
        close += rounding
        wrong &= (slope > second.max(axis=0) + close) | (
            slope < second.min(axis=0) - close
        )
    if loss.differentiable and wrong.any():
        k = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise InvalidDataError(
            f"the curvature of {_name(loss)} is not the derivative of its gradient: at "
            f"sample {k[0]} it is {second[1][k]:.6g}, while the gradient grows by "
            f"{slope[k]:.6g} times the outputs."
        )


def _times(curvature: FloatArray, step: FloatArray) -> FloatArray:
    """Return the products of second derivatives at several places with a step."""
    if curvature.ndim == step.ndim + 2:  # Hessians
        return np.asarray(np.einsum("pnij,nj->pni", curvature, step))
    return np.asarray(curvature * step)


def _least(curvature: FloatArray, y: FloatArray) -> float:
    """Return the least second derivative in any direction, 0 if that is rounding."""
    if curvature.ndim < y.ndim + 2:
        return float(curvature.min())
    least = float(np.linalg.eigvalsh(curvature).min())
    rounding = _ULPS * curvature.shape[-1] * float(np.abs(curvature).max())
    return 0.0 if abs(least) <= rounding else least


def _check_degree(loss: Loss, y: FloatArray, z: FloatArray) -> None:
    """Compare values in two units."""
    if loss.degree is None:
        return
    value = loss.value(_frozen(z), y) * _TIMES**loss.degree
    there = loss.value(_frozen(_TIMES * z), _frozen(_TIMES * y))
    if not abs(value - there) <= LOSS_AGREES * max(abs(value), abs(there)):
        raise InvalidDataError(
            f"the degree of {_name(loss)} is not {loss.degree}: {_TIMES:g} times the "
            f"outputs and labels have the value {there:.6g}, not {value:.6g}."
        )


def _check_residuals(loss: Loss, y: FloatArray, z: FloatArray) -> None:
    """Compare values for the same residuals."""
    if not loss.of_residuals:
        return
    value = loss.value(_frozen(z), y)
    there = loss.value(_frozen(z - 1.0), _frozen(y - 1.0))
    if not abs(value - there) <= LOSS_AGREES * max(abs(value), abs(there)):
        raise InvalidDataError(
            f"{_name(loss)} is not one of residuals: outputs and labels that are less "
            f"by 1 have the value {there:.6g}, not {value:.6g}."
        )


def _check_margins(loss: Loss, y: FloatArray, wave: FloatArray) -> None:
    """Compare a loss of margins with the one that has its slack cost."""
    cost = float(loss.slack_cost or 0.0)
    alpha = min(cost, 1.0) * wave**2
    cases = [
        ("value", loss.value(_frozen(2.0 * y), y), 0.0),
        ("conjugate", loss.conjugate(_frozen(-y * alpha), y), -float(alpha.sum())),
        ("conjugate", loss.conjugate(_frozen(y * alpha), y), np.inf),
    ]
    missing = np.maximum(1.0 - 2.0 * wave, 0.0)
    if missing.any():
        price = cost * float(missing.sum())
        cases.append(("value", loss.value(_frozen(2.0 * wave * y), y), price))
    for name, found, expected in cases:
        near = np.isfinite(expected) and (
            abs(found - expected) <= LOSS_AGREES * abs(expected)
        )
        if found != expected and not near:
            raise InvalidDataError(
                f"the {name} of {_name(loss)} is not that of its slack_cost {cost:g}, "
                f"C times the sum of 1 - y z where this is positive: it is {found:.6g} "
                f"in place of {expected:.6g}."
            )


def _wave(y: FloatArray) -> FloatArray:
    """Return outputs of both signs, for labels of either shape."""
    wave: FloatArray = np.cos(1.0 + np.arange(y.size)).reshape(y.shape)
    return wave


def _frozen(values: FloatArray) -> FloatArray:
    """Return values that a loss cannot change."""
    values = values.view()
    values.setflags(write=False)
    return values


def _name(loss: Loss) -> str:
    return f"the loss {type(loss).__name__}"


def _wrong(loss: Loss, name: str, wanted: str) -> InvalidDataError:
    return InvalidDataError(
        f"the {name} of {_name(loss)} must be {wanted}, got "
        f"{getattr(loss, name)!r:.60}; state it in the class."
    )


def _not_finite(loss: Loss, name: str, found: Any) -> InvalidDataError:
    values = np.ravel(found)
    wrong = values[~np.isfinite(values)][0]
    return InvalidDataError(
        f"the {name} of {_name(loss)} is {wrong} at outputs between {-_FAR:g} and "
        f"{_FAR:g}; it must be finite there."
    )
