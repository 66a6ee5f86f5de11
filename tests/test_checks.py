"""All checks run whatever fails, and what failed is listed once, at the end."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

PYTEST = f"{sys.executable} -m pytest -p no:xdist -o addopts="
NBVAL = f"{PYTEST} --nbval --nbval-current-env"


@pytest.fixture
def checks(
    load_module: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ModuleType:
    """The tool, in a folder of its own with parts that fail in several ways."""
    (tmp_path / "test_a.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('x', ['fine', 'bad - worse'])\n"
        "def test_one(x): assert x == 'fine'\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_two(broken): pass\n"
    )
    (tmp_path / "test_b.py").write_text("import a_module_that_is_missing\n")
    (tmp_path / "test_c.py").write_text("def test_three(): pass\n")
    cell = new_code_cell("x = 1", execution_count=1)
    printed = [new_output("stream", name="stdout", text="2\n")]
    wrong = new_code_cell("print(x)", execution_count=2, outputs=printed)
    nbformat.write(new_notebook(cells=[cell, wrong]), tmp_path / "chapter.ipynb")
    tool = load_module("tools/checks.py")
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    parts = {
        "style": tool.Part(f"{sys.executable} -c 'raise SystemExit(1)'"),
        "unit": tool.Part(PYTEST, f"{PYTEST} "),
        "notebooks": tool.Part(f"{NBVAL} chapter.ipynb", f"{NBVAL} "),
        "last": tool.Part(f"{PYTEST} test_c.py", f"{PYTEST} "),
    }
    monkeypatch.setattr(tool, "PARTS", parts)
    return tool


@pytest.mark.slow
def test_every_part_runs_and_every_failure_is_listed(
    checks: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert checks.main(["style", "unit", "notebooks", "last"]) == 1
    output = capfd.readouterr().out
    assert "1 passed" in output.split("+ ")[-2]  # the last part ran
    assert output.split("+ ")[-1].startswith(checks.PARTS["style"].command)
    lines = output.splitlines()
    listed = [i for i, line in enumerate(lines) if line.startswith("FAILED ")][-5:]
    assert lines[listed[-1] + 2] == "5 failed."
    assert [lines[i].removeprefix("FAILED ") for i in listed] == [
        "style",
        "unit: test_a.py::test_one[bad - worse]",
        "unit: test_a.py::test_two",
        "unit: test_b.py",
        "notebooks: chapter.ipynb::Cell 1",
    ]
    for i in listed:
        command = shlex.split(lines[i + 1])
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode, command
        assert "2 failed" not in done.stdout  # alone


@pytest.mark.slow
def test_nothing_is_listed_where_nothing_failed(
    checks: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert checks.main(["last"]) == 0
    assert capfd.readouterr().out.endswith("Passed: last.\n")


def test_parts_without_tests_run_beside_the_others(
    checks: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two that wait for each other end; both are shown, and what failed is listed."""
    program = (
        "import pathlib, sys, time\n"
        "own, other = map(pathlib.Path, sys.argv[1:])\n"
        "own.touch()\n"
        "while not other.exists(): time.sleep(0.01)\n"
        "print(f'{own} met {other}')\n"
        "sys.exit(own.name == 'b')\n"
    )
    (tmp_path / "wait.py").write_text(program)
    command = f"{sys.executable} wait.py"
    parts = {n: checks.Part(f"{command} {n} {m}") for n, m in (("a", "b"), ("b", "a"))}
    checks.PARTS.clear()
    checks.PARTS.update(parts)
    assert checks.main(["a", "b"]) == 1
    output = capfd.readouterr().out
    assert "a met b\n" in output.split("b met a\n")[0]
    assert output.endswith(f"FAILED b\n    {command} b a\n1 failed.\n")


@pytest.mark.slow
def test_a_failure_of_yesterday_is_not_listed(
    checks: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert checks.main(["unit"]) == 1
    (tmp_path / "test_a.py").unlink()
    assert checks.main(["unit"]) == 1
    assert capfd.readouterr().out.endswith("test_b.py\n1 failed.\n")


def test_of_each_test_the_first_case_is_quick(
    load_module: Callable[[str], ModuleType],
) -> None:
    names = [
        "a.py::one[x]",
        "a.py::one[y::z]",
        "a.py::C::one[x]",
        "a.py::two",
        "b.py::one",
    ]
    for asked, left in ((True, [0, 2, 3, 4]), (False, [0, 1, 2, 3, 4])):
        items = [SimpleNamespace(nodeid=name) for name in names]
        away: list[object] = []
        hook = SimpleNamespace(
            pytest_deselected=lambda items, away=away: away.extend(items)
        )
        config = SimpleNamespace(getoption=lambda _, asked=asked: asked, hook=hook)
        load_module("tests/conftest.py").pytest_collection_modifyitems(config, items)
        assert [item.nodeid for item in items] == [names[i] for i in left]
        assert [item.nodeid for item in away] == names[1:2] * asked


def test_a_processor_that_repeats_the_own_run_is_left_out(
    load_module: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = load_module("tools/checks.py")
    ran = []
    monkeypatch.setattr(
        tool, "failures", lambda name, part: ran.append((name, part.command)) or []
    )
    tool.main(["unit", "notebooks", "usual"])
    tool.main(["unit", "usual"])
    commands = [tool.PARTS[name].command for name in ("unit", "notebooks", "usual")]
    unrepeated = [*commands[:2], f"{commands[2]} --unless-own"]
    assert [command for _, command in ran] == [*unrepeated, commands[0], commands[2]]


def test_parts_are_commands_of_this_project(
    load_module: Callable[[str], ModuleType], root: Path
) -> None:
    parts = load_module("tools/checks.py").PARTS
    processors = load_module("tools/processors.py").PROCESSORS
    makefile = (root / "Makefile").read_text()
    for name, part in parts.items():
        words = shlex.split(part.command)
        if words[0] == "make":
            assert f"\n{words[1]}: " in makefile
        else:
            assert words[1:] == ["tools/processors.py", name]
    assert set(processors) <= set(parts)
    for target in ("test", "test-processors"):
        called = makefile.split(f"\n{target}: ")[1].split("\n")[1].split()
        assert set(processors) <= set(called)
