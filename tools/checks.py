"""Run checks whatever fails, and end with one list of what failed.

``python tools/checks.py PART ...`` runs these parts one after another; style and types,
which take one processor, meanwhile beside them. The list names every test that failed,
or the part if it names no test, and the command that runs it alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RECORDS = Path("_build") / "checks"


class Part(NamedTuple):
    """What runs a part; and, before their names, what runs tests of it alone.

    A part without tests runs beside the others.
    """

    command: str
    alone: str = ""


PYTEST = ".venv/bin/python -m pytest"
PROCESSOR = ".venv/bin/python tools/processors.py"
QUICK = "not (slow or browser or book)"
PARTS = {
    "lint": Part("make lint"),
    "types": Part("make types"),
    "unit": Part("make unit", f"{PYTEST} "),
    "quick": Part(
        f"make unit TESTS=\"--first-cases -m '{QUICK}' tests\"", f"{PYTEST} "
    ),
    "notebooks": Part("make notebooks", "make notebooks TESTS="),
    "old": Part(f"{PROCESSOR} old", f"{PROCESSOR} old "),
    "usual": Part(f"{PROCESSOR} usual", f"{PROCESSOR} usual "),
    "new": Part(f"{PROCESSOR} new", f"{PROCESSOR} new "),
}


class Beside:
    """A part that runs beside the others, and is shown when they have ended."""

    def __init__(self, name: str, part: Part) -> None:
        self.name, self.command = name, part.command
        self.output = ROOT / RECORDS / f"{name}.txt"
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                shlex.split(part.command),
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def failures(self) -> list[tuple[str, str]]:
        """Wait for its end, show what it printed, and return it if it failed."""
        failed = self.process.wait() != 0
        _say(f"+ {self.command}\n{self.output.read_text()}")
        return [(self.name, self.command)] if failed else []


def failures(name: str, part: Part) -> list[tuple[str, str]]:
    """Run a part; return what failed in it, and the commands that run it alone."""
    record = RECORDS / name
    shutil.rmtree(ROOT / record, ignore_errors=True)
    # pytest keeps the names of failed tests in its cache.
    options = f"-o cache_dir={record} --continue-on-collection-errors"
    options = f"{os.environ.get('PYTEST_ADDOPTS', '')} {options}"
    _say(f"+ {part.command}")
    done = subprocess.run(
        shlex.split(part.command),
        cwd=ROOT,
        env=os.environ | {"PYTEST_ADDOPTS": options},
        check=False,
    )
    if done.returncode == 0:
        return []
    last = ROOT / record / "v" / "cache" / "lastfailed"
    tests = sorted(json.loads(last.read_text())) if last.exists() else []
    if not tests:
        return [(name, part.command)]
    return [
        (f"{name}: {test}", part.alone + shlex.quote(_file(test))) for test in tests
    ]


def _unrepeated(part: Part) -> Part:
    """Return the part without what the machine's own run of the same tests says."""
    if not part.command.startswith(PROCESSOR):
        return part
    return part._replace(command=f"{part.command} --unless-own")


def _file(test: str) -> str:
    """Return what to run for a test: a notebook's cell needs those before it."""
    path, _, _ = test.partition("::")
    return path if path.endswith(".ipynb") else test


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    names = parser.parse_args(arguments).parts
    own = {"unit", "notebooks"} <= set(names)  # which no processor need repeat
    beside = [Beside(name, PARTS[name]) for name in names if not PARTS[name].alone]
    found = {
        name: failures(name, _unrepeated(PARTS[name]) if own else PARTS[name])
        for name in names
        if PARTS[name].alone
    } | {part.name: part.failures() for part in beside}
    failed = [item for name in names for item in found[name]]
    _say("")
    for what, command in failed:
        _say(f"FAILED {what}\n    {command}")
    _say(f"{len(failed)} failed." if failed else f"Passed: {', '.join(names)}.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
