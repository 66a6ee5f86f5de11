"""Mutants are chosen, told from mere words, and counted as the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def mutants(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("tools/mutants.py")


def diff(before: str, after: str) -> str:
    return f"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n def f(x):\n-{before}\n+{after}\n"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('    f"at most {n} of"', '    f"XXat most {n} ofXX"', True),
        ('    "one"', '    "XXoneXX"', True),
        ('    "one" + f"{x}",', '    "ONE" + f"{x}",', True),
        ("    return x >= 0", "    return x > 0", False),
        ('    kind = "saddle"', '    kind = "XXsaddleXX"', False),
        ("    -x", "    +x", False),
    ],
)
def test_words_of_messages_are_told_from_code(
    mutants: ModuleType, before: str, after: str, words: bool
) -> None:
    assert mutants.only_words(diff(before, after)) is words
    shown = mutants.changed_lines(diff(before, after))
    assert shown == f"{before.strip()}  ->  {after.strip()}"


def test_the_page_counts(mutants: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "EQUIVALENT", {"c  ->  d": "the same"})
    tallies = {
        "problem/network.py": mutants.Tally(8, ["a  ->  b", "c  ->  d"], "2026-11-30"),
        "certificates/certify.py": mutants.Tally(10, []),
    }
    page = mutants.report(tallies)
    assert "catch 18, that is 90%" in " ".join(page.split())
    assert "| `problem/network.py` | 10 | 8 | 80% | 2026-11-30 |" in page
    assert page.endswith("- `problem/network.py`: `c  ->  d` (the same)\n")
    assert mutants.known(page) == tallies


def test_too_few_caught_is_a_failure(
    mutants: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mutants, "RESULT", tmp_path / "mutants.md")
    for caught, code in ((85, 0), (84, 1)):
        survivors = ["x  ->  y"] * (100 - caught)
        tally = mutants.Tally(caught, survivors)
        monkeypatch.setattr(mutants, "tally", lambda name, tally=tally: tally)
        assert mutants.main([]) == code
        assert mutants.main(["problem/network.py"]) == code
    assert "that is 84%" in (tmp_path / "mutants.md").read_text()
    assert mutants.main(["no/such.py"]) == 2


def test_a_run_of_one_module_leaves_the_others(
    mutants: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mutants, "RESULT", tmp_path / "mutants.md")
    monkeypatch.setattr(mutants, "tally", lambda name: mutants.Tally(9, ["a  ->  b"]))
    assert mutants.main(["problem/network.py"]) == 0
    monkeypatch.setattr(mutants, "tally", lambda name: mutants.Tally(1, ["c  ->  d"]))
    assert mutants.main(["problem/_loss.py"]) == 1
    assert mutants.known((tmp_path / "mutants.md").read_text()) == {
        "problem/_loss.py": (1, ["c  ->  d"], ""),
        "problem/network.py": (9, ["a  ->  b"], ""),
    }


def test_exit_codes(
    mutants: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No test, or none that fails, is not caught; what was not chosen is not there."""
    codes = {"f_1": 1, "f_2": 0, "f_3": 33, "f_4": None, "f_5": 36, "words_6": 0}
    meta = tmp_path / "mutants/convexnn_lib/problem/network.py.meta"

    def run(command: list[str], **options: object) -> object:
        if command[:2] == ["git", "ls-files"]:
            return subprocess.CompletedProcess(command, 0, "pyproject.toml\n")
        if command[3] == "run":
            meta.parent.mkdir(parents=True)
            meta.write_text(mutants.json.dumps({"exit_code_by_key": codes}))
            return subprocess.CompletedProcess(command, 0)
        change = ('"a"', '"b"') if command[-1] == "words_6" else ("1", command[-1])
        return subprocess.CompletedProcess(command, 0, diff(*change))

    monkeypatch.setattr(mutants, "COPY", tmp_path)
    monkeypatch.setattr(mutants.subprocess, "run", run)
    tally = mutants.tally("problem/network.py")
    assert tally[:2] == (2, ["1  ->  f_2", "1  ->  f_3"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", tally.day)
    assert tally.total == 4


def test_modules_and_tests_exist(mutants: ModuleType, root: Path) -> None:
    for name, tests in mutants.TESTS.items():
        assert (root / "convexnn_lib" / name).is_file()
        assert all((root / test).is_file() for test in tests)


def test_the_page_is_about_these_modules(mutants: ModuleType, root: Path) -> None:
    page = (root / "tools" / "mutants.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    assert [row[1].strip(" `") for row in rows] == list(mutants.TESTS)
    total, caught = (sum(int(row[k]) for row in rows) for k in (2, 3))
    assert caught >= mutants.LEAST * total
    assert f"Of {total} " in page
    assert f"catch {caught}," in page
    assert page.count("\n- `") == total - caught
