"""A control group of the system's around a sandbox, where one can be had.

The limits of a process do not count what it makes the system keep for it: threads,
small files in memory, buffers. A control group does. systemd makes one for any user who
is logged in; with the older kind of groups, as in many containers, the administrator
can make one.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ControlGroup", "control_group", "groups_of", "remove"]

_NAME = "convexnn-grader-"
_SYSTEM = Path("/sys/fs/cgroup")
_FILES = {"memory": "memory.limit_in_bytes", "pids": "pids.max"}
_TRIES = 100
_SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect")


@dataclass(frozen=True)
class ControlGroup:
    """How to start a process within limits on all its memory, and on its threads.

    Attributes
    ----------
    command : tuple of str
        What to put before the process's command.
    folders : tuple of Path
        The groups that it enters as soon as it is there.
    """

    command: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    def enter(self) -> None:
        """Let this process, and all that it will start, be in the groups."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text("0")


def control_group(memory: int, tasks: int) -> ControlGroup:
    """Return a group with limits, or one without any where none can be had.

    Parameters
    ----------
    memory : int
        Bytes, with all that the system keeps for the processes.
    tasks : int
        Processes and threads together.
    """
    if _is_given_by_systemd():
        limits = (f"MemoryMax={memory}", "MemorySwapMax=0", f"TasksMax={tasks}")
        program = shutil.which(_SCOPE[0]) or _SCOPE[0]
        options = (*_SCOPE[1:], *(f"--property={limit}" for limit in limits))
        return ControlGroup((program, *options, "--"))
    name = f"{_NAME}{uuid.uuid4().hex}"
    folders = [folder / name for folder in _own_groups("self")]
    try:
        for folder, limit in zip(folders, (memory, tasks), strict=False):
            folder.mkdir()
            (folder / _FILES[folder.relative_to(_SYSTEM).parts[0]]).write_text(
                str(limit)
            )
    except OSError:
        remove(folders)
        return ControlGroup()
    return ControlGroup(folders=tuple(folders))


def groups_of(process: int) -> list[Path]:
    """Return the groups in which a process is, of those that were made here."""
    return [
        folder for folder in _own_groups(str(process)) if folder.name.startswith(_NAME)
    ]


def remove(folders: list[Path]) -> None:
    """Remove groups, as soon as what was in them has ended."""
    for folder in folders:
        for _ in range(_TRIES):
            try:
                folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:  # something is ending still
                time.sleep(0.02)
            else:
                break


def _own_groups(process: str) -> Iterator[Path]:
    """Yield a process's groups of the older kind for memory, then for threads."""
    try:
        lines = Path("/proc", process, "cgroup").read_text().splitlines()
    except OSError:
        return
    places: dict[str, str] = {}
    for line in lines:
        _, kinds, place = line.split(":", 2)
        places |= dict.fromkeys(kinds.split(","), place)
    if _FILES.keys() <= places.keys():
        for kind in _FILES:
            yield _SYSTEM / kind / places[kind].lstrip("/")


@functools.cache
def _is_given_by_systemd() -> bool:
    if shutil.which(_SCOPE[0]) is None:
        return False
    limits = ["--property=MemoryMax=1G", "--property=TasksMax=9"]
    trial = subprocess.run(
        [*_SCOPE, *limits, "--", "true"], capture_output=True, check=False
    )
    return trial.returncode == 0
