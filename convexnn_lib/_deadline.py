"""Time limits that long computations look at on their way, and seconds to report."""

from __future__ import annotations

import math
import time

__all__ = ["NEVER", "Deadline", "Polls", "Stopwatch", "TimeUp"]

_MOMENT = 0.2  # seconds that may be added for what is needed in any case
_SPEED = 2e9  # products of numbers a second, on one core that is busy with more


class TimeUp(Exception):  # noqa: N818  (it ends a computation and never reaches users)
    """The deadline has passed before a step was done."""


class Stopwatch:
    """The seconds since a start, to be told to users; a limit asks a ``Deadline``."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds."""
        return time.monotonic() - self._begin


class Deadline:
    """The time at which a computation is to end.

    The clock is read only if there is a limit: without one nothing depends on it.

    Parameters
    ----------
    seconds : float, default inf
        From now.

    Attributes
    ----------
    seconds : float
        When it ends, from the start of its watch; not the time that is left.
    limit : float
        The limit that the user set, of which this deadline may be a part.

    Examples
    --------
    >>> from convexnn_lib._deadline import NEVER, Deadline
    >>> Deadline(3600.0).passed, Deadline(0.0).passed, NEVER.remaining
    (False, True, inf)
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = self.limit = seconds
        self._watch = None if math.isinf(seconds) else Stopwatch()

    @property
    def remaining(self) -> float:
        """The seconds that are left; infinite if there is no limit."""
        if self._watch is None:
            return self.seconds
        return self.seconds - self._watch.seconds

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return self.remaining <= 0.0

    def admits(self, products: float) -> bool:
        """Tell whether a step that cannot be interrupted may begin.

        Parameters
        ----------
        products : float
            About how many products of numbers it takes.

        Returns
        -------
        bool
            Whether these are likely to be done in the time that is left.
        """
        return products <= _SPEED * self.remaining

    def check(self) -> None:
        """Raise ``TimeUp`` if the time is up."""
        if self.passed:
            raise TimeUp

    def part(self, share: float) -> Deadline:
        """Return a deadline after a share of the time that is left, or a moment."""
        remaining = self.remaining
        if math.isinf(remaining):
            return self
        return self._moved(self.seconds - remaining + max(share * remaining, _MOMENT))

    @property
    def extended(self) -> Deadline:
        """The deadline, a little later: what has been found is put into order then."""
        return self._moved(1.1 * self.seconds + 0.5)

    def _moved(self, seconds: float) -> Deadline:
        """Return a deadline on the same watch, which ends at another time."""
        other = Deadline(seconds)
        other.limit, other._watch = self.limit, self._watch
        return other


NEVER = Deadline()


class Polls:
    """Looks at a deadline whenever an enumeration tells its progress."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def update(self, n: int = 1) -> None:
        """Raise an error if the time is up."""
        self.deadline.check()

    def reset(self) -> None:
        """Take no notice."""
