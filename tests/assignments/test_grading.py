"""What stops a grader: the course's own code, checks without end, no sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from trial_course import TINY, Batch

from assignments import hand_in
from assignments.__main__ import main
from assignments.grader import judge, problem_set, rehearsal, sandbox
from assignments.grader.batch import Settings, grade_all
from assignments.grader.certify import Checker
from assignments.grader.course import Course
from assignments.grader.submission import Result


@pytest.mark.slow
def test_a_failure_of_the_course_stops_only_the_student_whom_it_hits(
    bubblewrap: None,
    tiny: problem_set.ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    batch = Batch(tmp_path, new_course(tmp_path), tiny)
    batch.hand_in("ada", batch.solution("ada"))
    batch.hand_in("emmy", batch.solution("emmy"))
    text = TINY.read_text().replace(
        "n_samples = ", 'assert STUDENT_ID != "ada", "no data for ada"\nn_samples = '
    )
    (tmp_path / "tiny.py").write_text(text)
    assert batch.grade("--sources", str(tmp_path)) == 1
    said = capsys.readouterr()
    assert "ada: NOT GRADED" in said.out
    assert "no data for ada" in said.out
    assert "not graded, as the grader failed: ada" in said.err
    rows = batch.rows()
    assert set(rows) == {"ada", "emmy"}
    assert rows["emmy"]["total"] == "10"
    assert rows["ada"]["status"] == "not graded"
    assert rows["ada"]["count"] == ""
    assert "no data for ada" in rows["ada"]["note"]
    assert batch.grade() == 0  # the source is right again
    assert {row["total"] for row in batch.rows().values()} == {"10"}


@pytest.mark.parametrize(
    ("tests", "score", "message", "timed_out"),
    [
        ("while True:\n    pass", 0, "more than 1 seconds", True),
        ("part(1, True, '')\nwhile True:\n    pass", 1, "more than 1 seconds", True),
        ("x + 'text'", 0, "could not be checked: TypeError", False),
        ("part(1, True, '')\ncheck(False, 'no')", 1, "no", False),
        ("part(5, True, '')", 3, None, False),
        ("check(x == 2, 'no')", 3, None, False),
        ("print('noise')", 3, None, False),
    ],
)
def test_what_checks_do_decides_the_points(
    monkeypatch: pytest.MonkeyPatch,
    tests: str,
    score: float,
    message: str | None,
    timed_out: bool,
) -> None:
    if timed_out:  # others have the time that they take on a busy machine
        monkeypatch.setattr(judge, "_SECONDS_A_QUESTION", 1)
    question = {"name": "q", "names": ["x"], "points": 3.0, "tests": tests}
    outcome = judge._judge(question, {}, None, {"x": {"int": "0x2"}})
    assert outcome.score == score
    assert outcome.timed_out == timed_out
    assert [message in said for said in outcome.messages] == [True] * bool(message)


# --- no sandbox ----------------------------------------------------------------------


@pytest.mark.slow
def test_without_a_sandbox_grading_refuses(
    new_course: Callable[[Path], Course],
    tiny: problem_set.ProblemSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    release = nbformat.read(course.release_notebook("tiny"), as_version=4)
    path = course.submission("tiny", "ada")
    path.parent.mkdir(parents=True)
    nbformat.write(rehearsal.solved(tiny, release, "ada"), path)
    sandbox.sandbox_problem.cache_clear()
    monkeypatch.setattr(sandbox, "_program", lambda: None)
    options = ["grade", "tiny", "--course", str(course.folder)]
    options += ["--sources", str(TINY.parent), "--jobs", "1"]
    try:
        assert main(options) == 2
        assert "--unsafe" in capsys.readouterr().err
        assert not course.result("tiny", "ada").exists()
        with pytest.raises(sandbox.SandboxError):
            grade_all(course, tiny, TINY, Settings(), lambda progress: None)
        with pytest.raises(sandbox.SandboxError):
            sandbox.Sandbox().start(["-c", "pass"], sandbox.HOME)
        assert main([*options, "--unsafe"]) == 0
        assert "ada: graded, 10 of 15" in capsys.readouterr().out
    finally:
        sandbox.sandbox_problem.cache_clear()


@pytest.mark.parametrize("command", ["build", "grade", "report", "marks", "check"])
def test_each_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"assignments {command}" in capsys.readouterr().out


def test_an_unknown_problem_set_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "nothing", "--course", str(tmp_path)]) == 2
    assert "no problem set nothing" in capsys.readouterr().err


def test_a_result_survives_being_stored(graded_result: Result) -> None:
    assert Result.from_json(graded_result.to_json()) == graded_result


@pytest.fixture
def graded_result() -> Result:
    from assignments.grader.judge import Outcome

    outcomes = {"count": Outcome(1.5, ["said"], "noted", timed_out=True)}
    return Result(
        "graded", outcomes, ["remark"], ["note"], {"count": {"count": None}}, 2.5
    )


# --- the clock of the checks ----------------------------------------------------------


@pytest.mark.slow
def test_the_checks_have_their_time_after_the_notebook(
    bubblewrap: None, tiny: problem_set.ProblemSet
) -> None:
    """However long a notebook runs, what it handed in is judged."""
    answers = {"count": {"count": hand_in.encode(0)}}
    with Checker(tiny, "ada", sandbox.Sandbox(), seconds=60) as checker:
        checker.cases()
        assert checker._timer.finished.is_set()
        outcomes = checker.judge(answers)
    assert outcomes["count"].messages == ["This is not the number of cells."]
    assert outcomes["sums"].messages == [judge.NOTHING]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["cases", "judge"])
def test_checks_without_end_are_stopped(
    bubblewrap: None, tiny: problem_set.ProblemSet, stage: str
) -> None:
    if stage == "cases":
        endless = replace(tiny, setup=(*tiny.setup, "while True: pass"))
    else:
        questions = [replace(q, tests="while True: pass") for q in tiny.questions]
        endless = replace(tiny, questions=tuple(questions))
    answers = {"count": {"count": hand_in.encode(0)}}
    checker = Checker(endless, "ada", sandbox.Sandbox(), seconds=5)
    with checker:
        if stage == "cases":
            with pytest.raises(judge.CourseError, match="did not start"):
                checker.cases()
        else:
            checker._seconds = 120
            checker._timer.cancel()
            checker.cases()
            checker._seconds = 2
            assert checker.judge(answers)["count"].timed_out


def test_half_a_line_of_the_checks_is_not_read() -> None:
    """As they leave it when they are stopped while they write."""
    checker = object.__new__(Checker)
    lines = [b'{"question": "a"}\n', b'{"question": "b", "sc']
    checker._process = SimpleNamespace(stdout=lines)
    assert list(checker._lines()) == [{"question": "a"}]


def test_long_messages_of_a_submission_are_cut() -> None:
    question = {"name": "q", "names": ["f"], "points": 3.0, "tests": ""}
    answers = {"f": {"calls": [{"error": "x" * 10_000_000}]}}
    (message,) = judge._judge(question, {}, [(1,)], answers).messages
    assert 400 < len(message) < 600


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        (np.array(311), "isinstance(x, int) and x == 311"),
        (np.array(0.5), "isinstance(x, float)"),
        (np.array(True), "x is True"),
        ([np.array(1), {"a": np.array(2.0)}], "x == [1, {'a': 2.0}]"),
        ([[1, 2], [3, 4]], "array(x).shape == (2, 2)"),
        (np.eye(2), "array(x) is x"),
        ([[1], [2, 3]], "array(x) is None"),
        ("text", "array(x) is None and network(x) is None"),
        (np.array(["a", "b"]), "x == ['a', 'b'] and array(x) is None"),
        ((np.eye(2), np.ones(2)), "network(x).width == 2"),
        (([[1, 2]], [3, 4]), "network(x).d == 1"),
        ((np.eye(2), np.ones(3)), "network(x) is None"),
        ((np.eye(2), np.array([1, np.nan])), "network(x) is None"),
        ([1, 2, 3], "network(x) is None"),
    ],
)
def test_answers_count_in_every_natural_form(answer: object, test: str) -> None:
    question = {"name": "q", "names": ["x"], "points": 1.0}
    question["tests"] = f"check({test}, 'no')"
    given = json.loads(json.dumps(hand_in.encode(answer)))
    assert judge._judge(question, {}, None, {"x": given}) == judge.Outcome(1.0)


@pytest.mark.parametrize("integer", [2**53 + 1, -(2**53) - 1, -(2**63), 2**63 - 1])
def test_integers_with_which_arithmetic_wraps_around_are_refused(integer: int) -> None:
    question = {"name": "q", "names": ["x"], "points": 1.0, "tests": "check(True, '')"}
    for answer in (np.array([1, integer]), [np.array([[integer]])]):
        given = {"x": hand_in.encode(answer)}
        outcome = judge._judge(question, {}, None, given)
        assert (outcome.score, outcome.note) == (0, "")
        assert "beyond 2**53" in outcome.messages[0]
