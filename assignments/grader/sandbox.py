"""A process that sees nothing but Python, the library and what it is handed.

Everything that a submission could reach is taken away rather than watched: there is no
network, no file of the course, no second process, and nothing on disk can be written.
"""

from __future__ import annotations

import functools
import os
import resource
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import convexnn_lib

__all__ = ["HOME", "Limits", "Sandbox", "SandboxError", "sandbox_problem"]

HOME = Path("/home/student")
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
    """

    limits: Limits = field(default_factory=Limits)
    visible: Mapping[Path, Path] = field(default_factory=dict)
    writable: Path | None = None
    unsafe: bool = False

    def start(
        self, command: list[str], folder: Path, **pipes: int
    ) -> subprocess.Popen[bytes]:
        """Start Python with these arguments in a folder, with these pipes.

        Raises
        ------
        SandboxError
            If this machine has no sandbox and the process is not declared unsafe.
        """
        python = [sys.executable, *command]
        if self.unsafe:
            home = {"HOME": str(folder), "PYTHONPATH": str(_LIBRARY.parent)}
            return self._popen(python, folder, _VARIABLES | home, (), pipes)
        if problem := sandbox_problem():
            raise SandboxError(problem)
        filter_file = os.memfd_create("seccomp")
        try:
            os.write(filter_file, _system_call_filter())
            os.lseek(filter_file, 0, os.SEEK_SET)
            wrapped = [
                *_bubblewrap(self.visible, self.writable, self.limits, folder),
                *("--seccomp", str(filter_file)),
                *("--", *python),
            ]
            return self._popen(wrapped, Path("/"), {}, (filter_file,), pipes)
        finally:
            os.close(filter_file)

    def _popen(
        self,
        command: list[str],
        folder: Path,
        variables: dict[str, str],
        keep: tuple[int, ...],
        pipes: dict[str, int],
    ) -> subprocess.Popen[bytes]:
        limit: Callable[[], None] = self.limits.apply
        return subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            pass_fds=keep,
            preexec_fn=limit,
            start_new_session=True,
            **pipes,  # type: ignore[call-overload]
        )


@functools.cache
def sandbox_problem() -> str | None:
    """Say why no sandbox can be had here; None if one can."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    try:
        _system_call_filter()
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
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
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


def _python_folders() -> list[Path]:
    """Return where Python, its packages and the library are, and nothing around them."""
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


# Numbers of system calls, which differ between processors.
_CALLS = {
    "x86_64": {
        "audit": 0xC000003E,
        "clone": 56,
        "clone3": 435,
        "forbidden": {
            "fork": 57, "vfork": 58, "shmget": 29, "ptrace": 101, "mount": 165,
            "umount2": 166, "pivot_root": 155, "add_key": 248, "request_key": 249,
            "keyctl": 250, "unshare": 272, "perf_event_open": 298, "setns": 308,
            "process_vm_readv": 310, "process_vm_writev": 311, "memfd_create": 319,
            "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "open_tree": 428,
            "fsopen": 430, "memfd_secret": 447,
        },
    },
    "aarch64": {
        "audit": 0xC00000B7,
        "clone": 220,
        "clone3": 435,
        "forbidden": {
            "umount2": 39, "mount": 40, "pivot_root": 41, "unshare": 97, "ptrace": 117,
            "shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219,
            "perf_event_open": 241, "setns": 268, "process_vm_readv": 270,
            "process_vm_writev": 271, "memfd_create": 279, "bpf": 280,
            "userfaultfd": 282, "io_uring_setup": 425, "open_tree": 428, "fsopen": 430,
            "memfd_secret": 447,
        },
    },
}  # fmt: skip
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050001, 0x00050026
_CLONE_THREAD = 0x00010000


def _system_call_filter() -> bytes:
    """Forbid new processes (threads may start), and calls that widen what is reachable.

    A limit on the number of processes would count those of the whole user; with one
    process, its limits on memory and processor time are limits on the submission.
    """
    calls = _CALLS[os.uname().machine]
    load, jump_equal, jump_set, ret = 0x20, 0x15, 0x45, 0x06

    def step(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, jump_true, jump_false, value)

    program = [
        step(load, 0, 0, 4),  # the processor's mode
        step(jump_equal, 1, 0, calls["audit"]),
        step(ret, 0, 0, _KILL),
        step(load, 0, 0, 0),  # the number of the call
    ]
    if (
        os.uname().machine == "x86_64"
    ):  # calls of the x32 mode have numbers of their own
        program += [step(0x35, 0, 1, 0x40000000), step(ret, 0, 0, _KILL)]
    for number in calls["forbidden"].values():
        program += [step(jump_equal, 0, 1, number), step(ret, 0, 0, _EPERM)]
    # The C library falls back from clone3, whose flags cannot be seen here, to clone.
    program += [step(jump_equal, 0, 1, calls["clone3"]), step(ret, 0, 0, _ENOSYS)]
    program += [
        step(jump_equal, 0, 3, calls["clone"]),
        step(load, 0, 0, 16),  # its flags
        step(jump_set, 1, 0, _CLONE_THREAD),
        step(ret, 0, 0, _EPERM),
        step(ret, 0, 0, _ALLOW),
    ]
    return b"".join(program)
