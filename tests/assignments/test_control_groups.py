"""Groups of the system's around the sandbox: where there are some, and where not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from assignments.grader import control_groups
from assignments.grader.sandbox import HOME, Sandbox

THREADS = """
import threading, time
threading.stack_size(1 << 18)
started = 0
try:
    for _ in range(400):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
finally:
    print(started, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the system anew, as on a machine without systemd."""
    monkeypatch.setattr(control_groups, "_is_given_by_systemd", lambda: False)


def _threads() -> tuple[int, list[Path]]:
    """Start as many threads in a sandbox as may be; return how many, and the groups."""
    sandbox = Sandbox()
    process = sandbox.start(["-c", THREADS], HOME, stdout=subprocess.PIPE)
    assert process.stdout is not None
    count = int(process.stdout.readline())
    groups = control_groups.groups_of(process.pid)
    assert all((group / "cgroup.procs").read_text().split() for group in groups)
    sandbox.end(process)
    process.stdout.close()
    return count, groups


def test_threads_are_counted(bubblewrap: None, fresh: None) -> None:
    """Where groups can be made: these are the older ones, that a container has."""
    trial = list(control_groups.control_group(1 << 30, 10).folders)
    control_groups.remove(trial)
    if not trial:
        pytest.skip("no control groups that this account may make")
    count, groups = _threads()
    assert 100 < count < 250
    assert len(groups) == 2
    assert not any(group.exists() for group in groups)


def test_where_there_are_none(
    bubblewrap: None, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_groups, "_SYSTEM", Path("/nowhere"))
    assert control_groups.control_group(1 << 30, 10) == control_groups.ControlGroup()
    count, groups = _threads()
    assert count == 400  # the kernel's threads are then counted from outside
    assert not groups


def test_groups_of_systemd(
    bubblewrap: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for a scope with limits, and runs the sandbox in its own place."""
    program = tmp_path / "systemd-run"
    said = tmp_path / "said"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {said}\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    control_groups._is_given_by_systemd.cache_clear()
    sandbox = Sandbox()
    process = sandbox.start(["-c", "print(1)"], HOME, stdout=subprocess.PIPE)
    assert process.communicate()[0] == b"1\n"
    control_groups._is_given_by_systemd.cache_clear()
    trial, asked = said.read_text().splitlines()
    assert trial.endswith("-- true")
    memory = sandbox.limits.memory + 3 * sandbox.limits.file_size + (256 << 20)
    assert f"--property=MemoryMax={memory} " in asked
    assert "--property=TasksMax=250 " in asked
    assert asked.index("--user --scope") < asked.index(" -- ") < asked.index("bwrap")
