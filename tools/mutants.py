"""Change the code that decides what is true, a bit at a time, and see a test fail.

Mutmut makes the mutants in a copy of the project (``_build/mutants``) and runs, for
each, the quick tests of its room that reach it. One in five is tried, by a fixed rule.
Mutants that change nothing but the words of a message are left out: what a message says
is for readers. Run it with ``make mutants``, or for some modules,
``make mutants MODULES=problem/network.py``. ``tools/mutants.md`` has for each module
the result of its last run.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "_build" / "mutants"
RESULT = ROOT / "tools" / "mutants.md"
LEAST = 0.85  # share of the mutants that must be caught
DIGITS = "16"  # on one of which the number of a mutant in its function must end
NOT_CAUGHT = (0, 5, 33)  # exit codes: all tests passed, or there was none

# modules, with the tests that must catch their mutants
TESTS = {
    "certificates/_branch_and_bound.py": [
        "tests/certificates/test_branch_and_bound.py",
        "tests/certificates/test_certificates_tolerances.py",
    ],
    "certificates/_direction_bound.py": ["tests/certificates/test_direction_bound.py"],
    "certificates/_face_bound.py": [
        "tests/certificates/test_face_bound.py",
        "tests/certificates/test_certificates_tolerances.py",
    ],
    "certificates/_spectral.py": ["tests/certificates/test_spectral.py"],
    "certificates/certificate.py": [
        "tests/certificates/test_certificate.py",
        "tests/certificates/test_certificates_tolerances.py",
        "tests/certificates/test_scope.py",
    ],
    "certificates/certify.py": ["tests/certificates/test_certificate.py"],
    "certificates/dual_norm.py": [
        "tests/certificates/test_certificate.py",
        "tests/certificates/test_certificates_tolerances.py",
        "tests/certificates/test_dual_bound.py",
        "tests/certificates/test_dual_norm.py",
        "tests/certificates/test_scope.py",
    ],
    "certificates/output_norm.py": ["tests/certificates/test_output_norm.py"],
    "flow/kkt_residual.py": ["tests/flow/test_kkt_residual.py"],
    "problem/_loss.py": [
        "tests/problem/test_loss_defaults.py",
        "tests/problem/test_losses.py",
    ],
    "problem/_margin_losses.py": [
        "tests/problem/test_losses.py",
        "tests/problem/test_problem_tolerances.py",
    ],
    "problem/_separability.py": ["tests/problem/test_separability.py"],
    "problem/_smooth_losses.py": ["tests/problem/test_losses.py"],
    "problem/network.py": ["tests/problem/test_network.py"],
    "stationarity/classify_stationary.py": [
        "tests/stationarity/test_classify_stationary.py",
        "tests/stationarity/test_stationarity_tolerances.py",
    ],
}

# mutants that change no result, and why; they count as not caught all the same
EQUIVALENT = {
    "positive, negative = ray[y[ray] > 0], ray[y[ray] < 0]  ->  "
    "positive, negative = ray[y[ray] >= 0], ray[y[ray] < 0]": "labels are not 0",
    "quotients = X / lead[:, None] + 0.0  # adding 0.0 turns -0.0 into 0.0  ->  "
    "quotients = X / lead[:, None] + 1.0  # adding 0.0 turns -0.0 into 0.0": (
        "more rows are proposed as parallel; exact arithmetic decides"
    ),
    "lower = float(problem.y @ dual) / bound.upper if bound.upper > 0.0 else 0.0  ->  "
    "lower = float(problem.y @ dual) / bound.upper if bound.upper >= 0.0 else 0.0": (
        "some multiplier is positive, and so is the dual norm"
    ),
    "square = largest_eigenvalue(gram, terms=max(p, d) + 4)  ->  "
    "square = largest_eigenvalue(gram, terms=max(p, d) + 5)": (
        "a bound that counts one rounding error more"
    ),
    "return float(np.linalg.norm(roots) * np.sqrt(square) * (1.0 + (p + 8) * _UNIT))"
    "  ->  "
    "return float(np.linalg.norm(roots) * np.sqrt(square) * (1.0 + (p + 9) * _UNIT))": (
        "a bound that counts one rounding error more"
    ),
    "if work.unit * (work.lower - work.error) > self.upper:  ->  "
    "if work.unit * (work.lower + work.error) > self.upper:": (
        "no bound that could be proved below lies between"
    ),
    "back = signs < 0.0  ->  back = signs < 1.0": "signs are -1 or 1",
    "np.arange(m, dtype=np.int32),  ->  np.arange(m, dtype=None),": (
        "integers of a wider type"
    ),
    "if found < upper:  ->  if found <= upper:": "of two equal bounds either holds",
    "members = np.array(rows, dtype=np.intp)  ->  members = np.array(rows, )": (
        "integers have that type"
    ),
}


class Tally(NamedTuple):
    """The mutants of one module: how many were caught, which were not, and when."""

    caught: int
    survivors: list[str]
    day: str = ""

    @property
    def total(self) -> int:
        """How many there are."""
        return self.caught + len(self.survivors)


def main(names: list[str]) -> int:
    """Try the mutants of some modules, or of all, and write what became of them."""
    unknown = set(names) - set(TESTS)
    if unknown:
        print(f"Choose from: {', '.join(TESTS)}", file=sys.stderr)
        return 2
    tallies = known(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    for name in names or TESTS:
        tallies[name] = tally(name)
        text = report({name: tallies[name] for name in TESTS if name in tallies})
        RESULT.write_text(text, encoding="utf-8")
    print(text)
    return int(any(row.caught < LEAST * row.total for row in tallies.values()))


def known(text: str) -> dict[str, Tally]:
    """Return what a page says of each module."""
    survivors: dict[str, list[str]] = {}
    for name, mutant in re.findall(r"^- `([^`]+)`: `([^`]*)`", text, re.MULTILINE):
        survivors.setdefault(name, []).append(mutant)
    row = r"^\| `(.+)` \| \d+ \| (\d+) \| \d+% \| (.*) \|$"
    return {
        name: Tally(int(caught), survivors.get(name, []), day)
        for name, caught, day in re.findall(row, text, re.MULTILINE)
    }


def tally(name: str) -> Tally:
    """Run the mutants of one module."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "convexnn_lib", "tests", "pyproject.toml"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    for path in listed.stdout.splitlines():
        target = COPY / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
    settings = {
        "source_paths": [f"convexnn_lib/{name}"],
        "also_copy": ["convexnn_lib", "tests", "pyproject.toml"],
        "pytest_add_cli_args_test_selection": TESTS[name],
        "pytest_add_cli_args": ["-m", "not slow and not browser", "-p", "no:xdist"],
    }
    with (COPY / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n")
        for key, value in settings.items():
            file.write(f"{key} = {json.dumps(value)}\n")
    mutmut = [sys.executable, "-m", "mutmut"]
    jobs = str(len(os.sched_getaffinity(0)))
    chosen = f"*__mutmut_*[{DIGITS}]"
    subprocess.run(
        [*mutmut, "run", "--max-children", jobs, chosen],
        cwd=COPY,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    meta = json.loads((COPY / f"mutants/convexnn_lib/{name}.meta").read_text())
    caught, survivors = 0, []
    for mutant, code in meta["exit_code_by_key"].items():
        if code is None:  # not one of those that were chosen
            continue
        shown = subprocess.run(
            [*mutmut, "show", mutant],
            cwd=COPY,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        if only_words(shown):
            continue
        if code in NOT_CAUGHT:
            survivors.append(changed_lines(shown))
        else:
            caught += 1
    return Tally(caught, survivors, datetime.now().astimezone().date().isoformat())


def changed_lines(diff: str) -> str:
    """Return the lines that a mutant changes, before and after, as one."""
    lines = diff.splitlines()
    before, after = (
        " ".join(line[1:].strip() for line in lines if _is_change(line, sign))
        for sign in "-+"
    )
    return f"{before}  ->  {after}"


def _is_change(line: str, signs: str) -> bool:
    """Tell whether a line of a diff was removed or added."""
    return line[:1] in set(signs) and line[1:3] != line[:1] * 2


def only_words(diff: str) -> bool:
    """Tell whether a mutant changes nothing but the words of a message."""
    lines = diff.splitlines()
    changed = [line[1:] for line in lines if _is_change(line, "-+")]
    return bool(changed) and all(_is_text(line.strip()) for line in changed)


def _is_text(line: str) -> bool:
    """Tell whether a line is a string, or what raises an error with one."""
    try:
        tree = ast.parse(line.rstrip(","), mode="eval").body
    except SyntaxError:
        return False
    if isinstance(tree, ast.BinOp):
        return _is_text(ast.unparse(tree.left)) and _is_text(ast.unparse(tree.right))
    return isinstance(tree, ast.JoinedStr) or (
        isinstance(tree, ast.Constant) and isinstance(tree.value, str)
    )


def report(tallies: dict[str, Tally]) -> str:
    """Return the result as a page."""
    caught = sum(row.caught for row in tallies.values())
    total = sum(row.total for row in tallies.values())
    lines = [
        "# Mutants",
        "",
        f"Of {total} small changes to the code that decides what is true, the tests",
        f"catch {caught}, that is {caught / max(total, 1):.0%}.",
        "",
        "`make mutants` changes each function in all the ways that mutmut knows, one",
        "at a time, and runs the quick tests of its room that reach it. To save time",
        f"it tries those whose number in their function ends in {' or '.join(DIGITS)}.",
        "Changes of nothing but the words of a message do not count. Each row is of",
        "the last run of its module, with the tests of that time.",
        "",
        "| module | mutants | caught | share | day |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in tallies.items():
        share = row.caught / max(row.total, 1)
        numbers = f"{row.total} | {row.caught} | {share:.0%} | {row.day}"
        lines.append(f"| `{name}` | {numbers} |")
    lines += ["", "Those that no test catches, some because they change nothing:", ""]
    for name, row in tallies.items():
        for survivor in row.survivors:
            why = f" ({EQUIVALENT[survivor]})" if survivor in EQUIVALENT else ""
            lines.append(f"- `{name}`: `{survivor}`{why}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
