"""A process that sees nothing but Python, the library and what it is handed.

Everything that a submission could reach is taken away rather than watched: there is no
network, no file of the course, no second process, and nothing on disk can be written.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import convexnn_lib
from assignments.grader.control_groups import (
    ControlGroup,
    control_group,
    groups_of,
    remove,
)
from assignments.grader.system_calls import system_call_filter

__all__ = ["HOME", "Limits", "Sandbox", "SandboxError", "sandbox_problem"]

HOME = Path("/home/student")
_MOST_PROCESSES = 250  # with threads
_FILE_SYSTEMS = 3  # in memory, each as large as a file may be
_ROOM = 256 << 20  # for what is not the process's own
_NO_GROUP = ControlGroup()
_BUS = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")  # where systemd is asked
_LIBRARY = Path(convexnn_lib.__file__).resolve().parent
_VARIABLES = {
    # one core a submission: several are graded side by side
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "MPLBACKEND": "agg",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin",
    "PYTHONPATH": str(_LIBRARY.parent),
}


class SandboxError(RuntimeError):
    """No sandbox can be had on this machine."""


@dataclass(frozen=True)
class Limits:
    """What a sandboxed process may use.

    Attributes
    ----------
    memory : int
        Bytes of address space. There is only one process, so this is the total.
    cpu : int
        Seconds of processor time.
    file_size : int
        Bytes of the largest file, and of each of the file systems in memory that can be
        written to.
    files : int
        Files open at once.
    """

    memory: int = 4 << 30
    cpu: int = 600
    file_size: int = 64 << 20
    files: int = 256

    def apply(self) -> None:
        """Set the limits for this process and all that it starts."""
        for name, value in (
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_CPU, self.cpu),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_NOFILE, self.files),
            (resource.RLIMIT_CORE, 0),
        ):
            if sys.platform == "darwin" and name == resource.RLIMIT_AS:
                continue  # macOS refuses this limit
            hard = resource.getrlimit(name)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(name, (value, value))


@dataclass(frozen=True)
class Sandbox:
    """How to start a process.

    Attributes
    ----------
    limits : Limits
        What it may use.
    visible : mapping of Path to Path
        Files and folders that it can read besides Python and the library, and under
        what names it sees them.
    writable : Path, optional
        The one folder on disk that it can write to, under the same name.
    unsafe : bool
        Start it without a sandbox: its limits hold, and nothing else is kept from it.
    user : int, optional
        Where there is no sandbox, start it as the user with this number, who has few
        processes and owns nothing. Only root can.
    """

    limits: Limits = field(default_factory=Limits)
    visible: Mapping[Path, Path] = field(default_factory=dict)
    writable: Path | None = None
    unsafe: bool = False
    user: int | None = None

    def start(
        self,
        command: list[str],
        folder: Path,
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start Python with these arguments in a folder.

        Raises
        ------
        SandboxError
            If this machine has no sandbox and the process is not declared unsafe.
        """
        command = [sys.executable, *command]
        if self.unsafe:
            variables = _VARIABLES | {"HOME": str(folder)}
            return self._popen(command, folder, variables, (), stdin, stdout)
        if problem := sandbox_problem():
            raise SandboxError(problem)
        calls = os.memfd_create("filter")
        try:
            os.write(calls, system_call_filter())
            os.lseek(calls, 0, os.SEEK_SET)
            wrapping = _bubblewrap(self.visible, self.writable, self.limits, folder)
            group = self._group()
            wrapping = [*group.command, *wrapping, "--seccomp", str(calls), "--"]
            command = [*wrapping, *command]
            bus = {name: os.environ[name] for name in _BUS if name in os.environ}
            return self._popen(command, Path("/"), bus, (calls,), stdin, stdout, group)
        finally:
            os.close(calls)

    def _popen(
        self,
        command: list[str],
        folder: Path,
        variables: dict[str, str],
        files: tuple[int, ...],
        stdin: int,
        stdout: int,
        group: ControlGroup = _NO_GROUP,
    ) -> subprocess.Popen[bytes]:
        def prepare() -> None:
            group.enter()
            self._limit()

        return subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            pass_fds=files,
            preexec_fn=prepare,
            start_new_session=True,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )

    def _group(self) -> ControlGroup:
        """Return a group that holds what the limits admit, and some room."""
        memory = self.limits.memory + _FILE_SYSTEMS * self.limits.file_size + _ROOM
        return control_group(memory, _MOST_PROCESSES)

    def _limit(self) -> None:
        self.limits.apply()
        if self.user is not None:
            most = (_MOST_PROCESSES, _MOST_PROCESSES)
            resource.setrlimit(resource.RLIMIT_NPROC, most)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process with all that it started."""
        groups = groups_of(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if self.user is not None:
            # also what has left its group: all of this user's, who has nothing else
            command = [sys.executable, "-c", "import os; os.kill(-1, 9)"]
            subprocess.run(
                command,
                check=False,
                capture_output=True,
                user=self.user,
                group=self.user,
                extra_groups=[],
            )
        process.wait()
        remove(groups)


@functools.cache
def sandbox_problem() -> str | None:
    """Say why no sandbox can be had here; None if one can."""
    if _program() is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    try:
        system_call_filter()
    except KeyError:
        return f"no filter of system calls for this processor: {os.uname().machine}"
    trial = subprocess.run(
        [*_bubblewrap({}, None, Limits(), HOME), "--", "/usr/bin/true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if trial.returncode:
        return f"bubblewrap does not work here: {trial.stderr.strip()}"
    return None


def _bubblewrap(
    visible: Mapping[Path, Path], writable: Path | None, limits: Limits, folder: Path
) -> list[str]:
    size = str(limits.file_size)
    command = [
        _program() or "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
    ]
    command += ["--cap-drop", "ALL", "--uid", "65534", "--gid", "65534"]
    command += ["--hostname", "sandbox", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        here = Path("/", name)
        if here.is_symlink():
            command += ["--symlink", os.readlink(here), str(here)]
        elif here.is_dir():
            command += ["--ro-bind", str(here), str(here)]
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "fonts", "alternatives"):
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    # Settings of the kernel: to a grader's root they would be writable.
    command += ["--ro-bind", "/proc/sys", "/proc/sys"]
    for scratch in ("/dev/shm", "/tmp", str(HOME)):
        command += ["--size", size, "--tmpfs", scratch]
    for path in _python_folders():
        command += ["--ro-bind", str(path), str(path)]
    for outside, inside in visible.items():
        command += ["--ro-bind", str(outside), str(inside)]
    if writable is not None:
        command += ["--bind", str(writable), str(writable)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(folder)]
    command += ["--clearenv", "--setenv", "HOME", str(HOME)]
    for name, value in _VARIABLES.items():
        command += ["--setenv", name, value]
    return command


def _program() -> str | None:
    return shutil.which("bwrap")


def _python_folders() -> list[Path]:
    """Return where Python, its packages and the library are, and no more."""
    folders = {
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(sys.executable).resolve().parent.parent,
        *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")),
    }
    inside_usr = {path for path in folders if path.is_relative_to("/usr")}
    outside = folders - inside_usr
    nested = {a for a in outside for b in outside if a != b and a.is_relative_to(b)}
    return [*sorted(outside - nested), _LIBRARY]
