"""Every chapter has exercises, and their solutions satisfy their self-checks."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from chapter_exercises import Exercise, exercises_of

from convexnn_lib.exercises.feedback import Feedback

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

CALL = re.compile(r"\bexercises\.(\w+)\.(\w+)\(")


ALL = [(path.stem, item) for path in CHAPTERS for item in exercises_of(path)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    def test_has_at_least_eight_exercises(self, path: Path) -> None:
        labels = [item.label for item in exercises_of(path)]
        assert len(labels) >= 8
        assert len(set(labels)) == len(labels)

    def test_has_one_check_an_exercise(self, path: Path) -> None:
        """Each public function of the chapter's module is used in one exercise."""
        module = importlib.import_module(f"convexnn_lib.exercises.{path.stem}")
        public = {
            name
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and value.__module__.startswith(module.__name__)
            and not name.startswith("_")
        }
        used = [CALL.findall(item.stub) for item in exercises_of(path)]
        assert all(len(calls) == 1 for calls in used)
        assert {name for calls in used for _, name in calls} == public
        assert {chapter for calls in used for chapter, _ in calls} == {path.stem}
        assert set(module.__all__) == public
        assert all(inspect.getdoc(getattr(module, name)) for name in public)


@pytest.mark.parametrize(
    ("chapter", "item"), ALL, ids=[f"{chapter}-{item.label}" for chapter, item in ALL]
)
class TestExercise:
    def test_stub_waits_for_an_answer(self, chapter: str, item: Exercise) -> None:
        assert item.output.startswith("Not yet: no answer given")

    def test_solution_is_folded_and_right(self, chapter: str, item: Exercise) -> None:
        assert item.folded
        assert item.solutions
        for source in item.solutions:
            feedback = _run(source)
            assert isinstance(feedback, Feedback)
            assert feedback, feedback.message
        assert CALL.findall(item.stub)[0] in CALL.findall(item.solutions[-1])


def _run(source: str) -> Any:
    """Execute code and return the value of its last line, as a notebook does."""
    tree = ast.parse(source)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), "a solution ends with the call of its check"
    namespace: dict[str, Any] = {}
    exec(compile(tree, "<solution>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<solution>", "eval"), namespace)
