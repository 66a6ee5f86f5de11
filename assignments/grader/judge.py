"""The clean process in which answers are judged.

It runs the course's own code, and of a submission it sees nothing but the answers as
plain data. It is started by ``certify.Checker`` and speaks to it in lines of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from types import FrameType
from typing import IO, Any

import numpy as np

from assignments import hand_in

__all__ = ["NOTHING", "CourseError", "Outcome", "printable", "run_setup"]

NOTHING = "Nothing was handed in."
_SECONDS_A_QUESTION = 60
_LARGEST_INTEGER = 2**53
_LONGEST = 500  # characters of a message that a submission makes


class CourseError(RuntimeError):
    """The course's own code fails, whatever was handed in."""


@dataclass
class Outcome:
    """How a question came out.

    Attributes
    ----------
    score : float
        The points.
    messages : list of str
        What the student is told.
    note : str
        What the instructor is told besides.
    timed_out : bool
        Whether the checks did not end in time.
    """

    score: float
    messages: list[str] = field(default_factory=list)
    note: str = ""
    timed_out: bool = False


class _Failed(Exception):  # noqa: N818 - the end of a question, not an error
    """A check failed; its message is for the student."""


@dataclass
class _Marks:
    """What the hidden tests of a question call."""

    points: float
    earned: float | None = None  # None until there are parts
    messages: list[str] = field(default_factory=list)

    def check(self, condition: object, message: str) -> None:
        """End the question here unless the condition holds."""
        if not condition:
            raise _Failed(message)

    def part(self, points: float, condition: object, message: str) -> None:
        """Give points if the condition holds; say what is wrong otherwise."""
        self.earned = self.earned or 0.0
        if condition:
            self.earned = min(self.earned + points, self.points)
        else:
            self.messages.append(message)


def _main() -> None:
    # What checks print must not come among the lines that are read outside.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.modules["hand_in"] = hand_in
    task = json.loads(sys.stdin.readline())
    try:
        shared, cases = _prepare(task)
        encoded = {name: hand_in.encode(value) for name, value in cases.items()}
    except Exception as error:
        _write(out, {"error": f"{type(error).__name__}: {error}"})
        return
    _write(out, {"cases": encoded})
    answers = json.loads(sys.stdin.readline())["answers"]
    for question in task["questions"]:
        name = question["name"]
        outcome = _judge(question, dict(shared), cases.get(name), answers.get(name))
        _write(out, {"question": name} | asdict(outcome))
    _write(out, {"done": True})


def run_setup(setup: Sequence[str], student_id: str) -> dict[str, Any]:
    """Run the course's own code for a student; return the names that it makes.

    Parameters
    ----------
    setup : sequence of str
        The cells, which import ``hand_in``: whoever calls this sees to it.
    student_id : str
        The id, from which the data are drawn.
    """
    names: dict[str, Any] = {"STUDENT_ID": student_id, "__name__": "course"}
    for source in setup:
        exec(compile(source, "<setup>", "exec"), names)
    return names


def _prepare(task: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the course's code; return its names, and the cases of each question."""
    shared = run_setup(task["setup"], task["student_id"])
    cases = {}
    for question in task["questions"]:
        name = question["name"]
        if taken := sorted(set(question["names"]) & set(shared)):
            raise CourseError(
                f"{name} hands in {taken[0]}, a name of the course's code"
            )
        if question["cases"]:
            names = dict(shared)
            exec(compile(question["cases"], f"<cases of {name}>", "exec"), names)
            cases[name] = names["cases"]
    return shared, cases


def _judge(
    question: dict[str, Any],
    names: dict[str, Any],
    cases: object,
    answers: dict[str, Any] | None,
) -> Outcome:
    missing = [name for name in question["names"] if name not in (answers or {})]
    if answers is None or missing:
        return Outcome(0, [NOTHING])
    marks = _Marks(question["points"])
    try:
        # Other names are not asked for, and could replace those of the course.
        for name in question["names"]:
            names[name] = _read_answer(name, answers[name], cases)
        names |= {"check": marks.check, "part": marks.part, "cases": cases}
        names |= {"array": as_array, "network": as_network}
        with _time_limit(_SECONDS_A_QUESTION):
            exec(compile(question["tests"], f"<{question['name']}>", "exec"), names)
    except _Failed as failure:
        return Outcome(marks.earned or 0.0, [*marks.messages, str(failure)])
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:300]
        message = f"The answer could not be checked: {text}"
        note = f"the check stopped with {text}"
        late = isinstance(error, TimeoutError)
        return Outcome(marks.earned or 0.0, [*marks.messages, message], note, late)
    earned = question["points"] if marks.earned is None else marks.earned
    return Outcome(earned, marks.messages)


def _read_answer(name: str, data: Any, cases: object) -> Any:
    if not isinstance(data, dict) or "calls" not in data:
        if cases is not None:
            raise _Failed(f"{name} must be a function.")
        return _natural(hand_in.decode(data), name)
    for result in data["calls"]:
        if "error" in result:
            raise _Failed(f"{name} stopped with {str(result['error'])[:_LONGEST]}")
    results = [_natural(hand_in.decode(r["value"]), name) for r in data["calls"]]
    if not isinstance(cases, list) or len(results) != len(cases):
        raise _Failed(f"{name} was not called on all inputs.")
    return results


def _natural(value: Any, name: str) -> Any:
    """Return an answer in the form that checks expect.

    An array without dimensions is its number. Integers are kept to what floats hold
    exactly, since beyond it arithmetic wraps around, and even a sign can be wrong.
    """
    if isinstance(value, list):
        return [_natural(item, name) for item in value]
    if isinstance(value, dict):
        return {key: _natural(item, name) for key, item in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    too_large = (value < -_LARGEST_INTEGER) | (value > _LARGEST_INTEGER)
    if value.dtype.kind == "i" and too_large.any():
        raise _Failed(f"{name} has an integer beyond 2**53 in an array.")
    return value.item() if value.ndim == 0 else value


def as_array(value: Any) -> np.ndarray | None:
    """Return an array of numbers for an array or nested lists; None if it is neither.

    >>> as_array([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_array([[1, 2], [3]]) is as_array("text") is None
    True
    """
    if not isinstance(value, list | np.ndarray):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "bif" else None


def as_network(value: Any) -> Any:
    """Return a network for a network or a pair (W1, w2); None if it is neither."""
    from convexnn_lib import ReLUNetwork

    if isinstance(value, list) and len(value) == 2:
        W1, w2 = map(as_array, value)
        if W1 is None or w2 is None:
            return None
        try:
            return ReLUNetwork(W1.astype(float), w2.astype(float))
        except ValueError:
            return None
    return value if isinstance(value, ReLUNetwork) else None


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def printable(text: str) -> str:
    """Return a text without half characters and such that control a terminal."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _write(out: IO[str], data: object) -> None:
    out.write(json.dumps(data) + "\n")
    out.flush()


if __name__ == "__main__":
    _main()
