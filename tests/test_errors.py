"""The errors: one base, what each is besides, and what is left of it elsewhere."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from convexnn_lib import GapWarning, TrainingProblem, errors, max_margin, solve
from convexnn_lib.errors import (
    BiasWarning,
    ConvexNNError,
    EnumerationTooLargeError,
    InvalidDataError,
    MissingExtraError,
)

CLASSES = [getattr(errors, name) for name in errors.__all__]
ERRORS = [kind for kind in CLASSES if issubclass(kind, Exception)]
ABOUT_VALUES = {
    "EnumerationTooLargeError",
    "InvalidDataError",
    "InvalidLabelsError",
    "NotSeparableError",
    "RegularizationError",
    "VerificationError",
}


def test_all_classes_are_named() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_share_one_base_and_are_documented(kind: type) -> None:
    assert issubclass(kind, ConvexNNError) or kind in (BiasWarning, GapWarning)
    assert issubclass(kind, ValueError) == (kind.__name__ in ABOUT_VALUES)
    assert inspect.getdoc(kind)


def test_the_library_raises_no_bare_error(root: Path) -> None:
    """Users can catch all that the library raises by its base."""
    bare = re.compile(r"raise (ValueError|RuntimeError|ImportError|Exception)\b")
    own = {"exercises", "widgets"}  # a self-check turns them into feedback
    library = root / "convexnn_lib"
    for path in library.rglob("*.py"):
        if path.relative_to(library).parts[0] not in own:
            assert not bare.search(path.read_text()), path


@pytest.mark.parametrize(
    "error",
    [
        InvalidDataError("no data"),
        EnumerationTooLargeError("too many", predicted=10, max_patterns=5),
        MissingExtraError("no torch", extra="torch", name="torch"),
    ],
)
def test_errors_survive_the_way_from_another_process(error: ConvexNNError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)
    assert getattr(arrived, "name", None) == getattr(error, "name", None)


def test_an_open_gap_warns_by_its_class() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 2)), rng.standard_normal(5)
    assert issubclass(GapWarning, RuntimeWarning)
    with pytest.warns(GapWarning, match="exceeds tol") as caught:
        solution = solve(TrainingProblem(X, y, 0.1), tol=1e-300)
    assert solution.certificate.relative_gap > 1e-300
    assert [item.filename for item in caught] == [__file__]
    with pytest.warns(GapWarning, match="exceeds tol"):
        max_margin([[1.0, 2.0], [-1.0, 0.5]], [1, -1], tol=1e-300)


def test_a_closed_gap_does_not_warn(recwarn: pytest.WarningsRecorder) -> None:
    solve(TrainingProblem([[3, 3], [2, 2], [1, 0]], [1, -1, 1], beta=0.1))
    assert not recwarn.list
