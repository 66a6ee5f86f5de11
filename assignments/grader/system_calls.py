"""The filter of system calls under which a submission runs (seccomp)."""

from __future__ import annotations

import os
import struct

__all__ = ["system_call_filter"]

# The numbers of system calls, which differ between processors.
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_UNIX, _INET, _INET6, _NETLINK, _ROUTES = 1, 2, 10, 16, 0  # families, and a protocol
_CLONE3 = 435
_FORBIDDEN = {
    "x86_64": {
        "shmget": 29, "fork": 57, "vfork": 58, "ptrace": 101, "pivot_root": 155,
        "mount": 165, "umount2": 166, "add_key": 248, "request_key": 249, "keyctl": 250,
        "unshare": 272, "perf_event_open": 298, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
        "io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "memfd_secret": 447,
    },
    "aarch64": {
        "umount2": 39, "mount": 40, "pivot_root": 41, "unshare": 97, "ptrace": 117,
        "shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219,
        "perf_event_open": 241, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
        "io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "memfd_secret": 447,
    },
}  # fmt: skip
# What the filter answers, and how it is written (linux/seccomp.h, linux/bpf_common.h).
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 0x00050001, 0x00050026, 0x00050061
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4
_ARGUMENTS = range(16, 64, 8)
_X32 = 0x40000000  # a second set of numbers on x86_64
_CLONE_THREAD = 0x00010000


def system_call_filter() -> bytes:
    """Forbid new processes (threads may start), and calls that widen what is reachable.

    A limit on the number of processes would count those of the whole user; with one
    process, its limits on memory and processor time are limits on the submission.
    Sockets are of the Internet, of which there is nothing, or lie in the file system.
    The other calls make memory that no limit counts, or reach into the system's core.

    Raises
    ------
    KeyError
        If the numbers of this processor's calls are not known.
    """
    machine = os.uname().machine
    program = [
        _step(_LOAD, _AT_ARCHITECTURE),
        _step(_EQUAL, _ARCHITECTURE[machine], yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _AT_NUMBER),
    ]
    if machine == "x86_64":
        program += [_step(_AT_LEAST, _X32, no=1), _step(_RETURN, _KILL)]
    for number in _FORBIDDEN[machine].values():
        program += [_step(_EQUAL, number, no=1), _step(_RETURN, _EPERM)]
    # The flags of clone3 cannot be seen here; the C library falls back to clone.
    program += [_step(_EQUAL, _CLONE3, no=1), _step(_RETURN, _ENOSYS)]
    # Sockets to a hypervisor or to other parts of the system are in no namespace; the
    # list of the network's devices, which are none, is asked for by ZeroMQ.
    program += [
        _step(_EQUAL, _SOCKET[machine], no=9),
        _step(_LOAD, _ARGUMENTS[0]),
        _step(_EQUAL, _UNIX, yes=6),
        _step(_EQUAL, _INET, yes=5),
        _step(_EQUAL, _INET6, yes=4),
        _step(_EQUAL, _NETLINK, no=2),
        _step(_LOAD, _ARGUMENTS[2]),
        _step(_EQUAL, _ROUTES, yes=1),
        _step(_RETURN, _EAFNOSUPPORT),
        _step(_RETURN, _ALLOW),
    ]
    program += [
        _step(_EQUAL, _CLONE[machine], no=3),
        _step(_LOAD, _ARGUMENTS[0]),
        _step(_ANY_BIT, _CLONE_THREAD, yes=1),
        _step(_RETURN, _EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(program)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Write an instruction; ``yes`` and ``no`` say how many to skip after a test."""
    return struct.pack("=HBBI", code, yes, no, value)
