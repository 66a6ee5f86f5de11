"""Packages that come with an extra of this library, and the error where one is missing.

Whatever is not in the light core is imported within :func:`extra`, in the module or the
function that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from convexnn_lib.errors import MissingExtraError

__all__ = ["extra", "offered"]

# public names that cannot be loaded without a package
_NEEDS = {
    "ConvexReLUClassifier": "sklearn",
    "ConvexReLURegressor": "sklearn",
    "plotting": "matplotlib",
    "widgets": "anywidget",
}


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Say which command brings a package that is imported in this context.

    Parameters
    ----------
    name : str
        The extra, such as ``"torch"``.
    purpose : str
        What needs it: the beginning of the message.

    Raises
    ------
    convexnn_lib.errors.MissingExtraError
        If a package that is imported in this context is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or name).partition(".")[0]
        raise MissingExtraError(
            f"{purpose} needs the package {package}, which is not installed. "
            f"This command brings it: pip install 'convexnn-lib[{name}]'",
            extra=name,
            name=package,
        ) from error


def offered(names: list[str]) -> list[str]:
    """Return those names that can be loaded with the packages that are installed."""
    return [
        name
        for name in names
        if name not in _NEEDS or find_spec(_NEEDS[name]) is not None
    ]
