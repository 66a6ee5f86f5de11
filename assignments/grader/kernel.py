"""Running a notebook in a sandboxed kernel, whatever is in it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from nbformat.notebooknode import NotebookNode

from assignments.grader.judge import printable
from assignments.grader.sandbox import HOME, Sandbox
from assignments.hand_in import MIME

__all__ = ["Run", "Times", "run_notebook"]

_SHOWN = ("text/plain", "image/png")  # no HTML or script of a student's in our pages
_LARGEST_OUTPUT = 200_000  # characters a cell
_LARGEST_OUTPUTS = 8_000_000  # characters a notebook
_LARGEST_MESSAGE = 64 << 20  # bytes
_LARGEST_ANSWERS = 128 << 20  # bytes a notebook
_MOST_THREADS = 200
_MOST_FILES = 20_000  # in each of the file systems in memory
_CONNECTION, _SOCKET = "connection.json", "socket"
_SOCKETS = {f"{_SOCKET}-{number}" for number in range(1, 6)}  # Jupyter's five channels
_HAND_IN = Path(__file__).resolve().parent.parent / "hand_in.py"


class _KernelLostError(Exception):
    """The kernel died, or had to be ended; the message says why."""


class _KernelStuckError(Exception):
    """The kernel does not stop."""


@dataclass(frozen=True)
class Times:
    """How long things may take, in seconds.

    Attributes
    ----------
    start : float
        The kernel's start, on a machine that is busy.
    cell : float
        One cell.
    notebook : float
        All cells together.
    grace : float
        After an interrupt.
    """

    start: float = 120
    cell: float = 60
    notebook: float = 300
    grace: float = 5


@dataclass
class Run:
    """What came out of a notebook.

    Attributes
    ----------
    answers : dict
        What each question's cell handed in, by the question's name, still encoded.
    student_id : str or None
        The id that the notebook declares; None if it got no data.
    status : {"graded", "crashed", "timed out"}
        Whether all cells were run.
    remarks : list of str
        What the student should know about the run.
    notes : list of str
        What the instructor should know besides.
    """

    answers: dict[str, Any]
    student_id: str | None = None
    status: str = "graded"
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run_notebook(
    notebook: NotebookNode,
    cases: Mapping[str, object],
    sandbox: Sandbox,
    times: Times | None = None,
) -> Run:
    """Run all code cells of a notebook in a kernel, and store their outputs in it.

    Parameters
    ----------
    notebook : NotebookNode
        With the course's cells in place. Changed: it gets outputs.
    cases : mapping of str to object
        For each question about a function, what it is called with (encoded).
    sandbox : Sandbox
        Where to run.
    times : Times, optional
        Limits of time.

    Returns
    -------
    Run
        What was handed in, as far as the notebook ran.
    """
    times = times or Times()
    run = Run(answers={})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        cell.outputs, cell.execution_count = [], None
    number = 0
    try:
        with _kernel(sandbox, times) as kernel:
            end = time.monotonic() + times.notebook
            try:
                for number, cell in enumerate(code, 1):
                    _run_cell(kernel, cell, number, cases, run, times, end)
            except (_KernelLostError, _KernelStuckError):
                raise
            except Exception as error:
                # Whatever a kernel sends must not stop the grader.
                run.notes.append(f"code cell {number}: {type(error).__name__}: {error}")
                raise _KernelLostError("it sent what no kernel sends") from error
    except _KernelLostError as error:
        run.status = "crashed"
        run.remarks.append(
            f"Python ended while code cell {number} ran ({error}); what came before it "
            "is marked."
        )
    except _KernelStuckError:
        run.status = "timed out"
        run.remarks.append(
            f"Code cell {number} could not be stopped in time; what came before it is "
            "marked."
        )
    return run


def _run_cell(
    kernel: _Kernel,
    cell: NotebookNode,
    number: int,
    cases: Mapping[str, object],
    run: Run,
    times: Times,
    end: float,
) -> None:
    marks = cell.metadata.get("nbgrader", {})
    question = marks.get("grade_id", "") if marks.get("grade") else ""
    if question in cases:
        text = json.dumps(cases[question])
        code = f"__import__('hand_in')._receive({text!r})"
        kernel.execute(code, times.start, hidden=True)
    seconds = min(times.cell, max(end - time.monotonic(), 0))
    outputs, finished = kernel.execute(cell.source, seconds)
    cell.execution_count = number
    for output in outputs:
        data = output.get("data", {})
        published = data.pop(MIME, None)
        if isinstance(published, dict) and marks.get("locked"):
            if "student_id" in published:
                run.student_id = printable(str(published["student_id"])[:100])
            if question and isinstance(published.get("answers"), dict):
                run.answers.setdefault(question, {}).update(published["answers"])
    cell.outputs = [item for item in outputs if item.get("data", True)]
    if not finished:
        run.status = "timed out"
        run.remarks.append(
            f"Code cell {number} ran longer than {seconds:.0f} seconds and was stopped."
        )


@dataclass
class _Kernel:
    """A kernel that runs, and the client that talks to it."""

    client: BlockingKernelClient
    process: subprocess.Popen[bytes]
    folder: Path
    grace: float
    unsafe: bool
    shown: int = 0  # characters of all outputs that are kept
    handed_in: int = 0  # and of all answers

    def execute(
        self, code: str, seconds: float, *, hidden: bool = False
    ) -> tuple[list[NotebookNode], bool]:
        """Run code; return its outputs, and whether it ended by itself in time."""
        request = self.client.execute(
            code, silent=hidden, store_history=not hidden, stop_on_error=False
        )
        outputs: list[NotebookNode] = []
        shown = 0
        end = time.monotonic() + seconds
        interrupted = False
        while True:
            if self.process.poll() is not None:
                raise _KernelLostError("out of memory, or an exit")
            if excess := self._excess():
                raise _KernelLostError(excess)
            if time.monotonic() > end:
                if interrupted:
                    raise _KernelStuckError
                self._interrupt()
                interrupted, end = True, time.monotonic() + self.grace
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
                if message["parent_header"].get("msg_id") != request:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "status" and content.get("execution_state") == "idle":
                    return outputs, not interrupted
                output = _as_output(kind, content)
            except queue.Empty:
                continue
            if output is None:
                continue
            size = len(json.dumps(output))
            if MIME in output.get("data", {}):
                if self.handed_in + size <= _LARGEST_ANSWERS:
                    self.handed_in += size
                    _append(outputs, output)
            elif (
                shown + size <= _LARGEST_OUTPUT
                and self.shown + size <= _LARGEST_OUTPUTS
            ):
                shown += size
                self.shown += size
                _append(outputs, output)

    def _excess(self) -> str:
        """Say what a kernel does that its limits do not keep it from; usually nothing.

        Threads and empty files are memory of the system's that no limit of a process
        counts.
        """
        processes = _descendants(self.process.pid)
        if sum(len(_listed(f"/proc/{pid}/task")) for pid in processes) > _MOST_THREADS:
            return f"it started more than {_MOST_THREADS} threads"
        if self.unsafe:
            return ""
        if _is_misused(self.folder):
            return "it wrote where only its sockets may be"
        for scratch in ("dev/shm", "tmp", str(HOME)[1:]):
            with contextlib.suppress(OSError):
                system = os.statvfs(f"/proc/{processes[-1]}/root/{scratch}")
                if system.f_files - system.f_ffree > _MOST_FILES:
                    return f"it made more than {_MOST_FILES} files"
        return ""

    def _interrupt(self) -> None:
        # through the kernel, as signals do not reach it from outside the sandbox
        message = self.client.session.msg("interrupt_request", {})
        self.client.control_channel.send(message)


@contextlib.contextmanager
def _kernel(sandbox: Sandbox, times: Times) -> Iterator[_Kernel]:
    """Start a kernel in the sandbox; end it in any case."""
    with _scratch() as folder:
        file = str(folder / _CONNECTION)
        write_connection_file(file, transport="ipc", ip=str(folder / _SOCKET))
        visible = {**sandbox.visible, _HAND_IN: HOME / "hand_in.py"}
        if sandbox.unsafe:
            shutil.copy(_HAND_IN, folder)
        if sandbox.user is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, sandbox.user, sandbox.user)
        sandbox = replace(sandbox, writable=folder, visible=visible)
        process = sandbox.start(
            ["-m", "ipykernel_launcher", "-f", file, "--HistoryManager.enabled=False"],
            folder if sandbox.unsafe else HOME,
        )
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, _LARGEST_MESSAGE)
        context.setsockopt(zmq.LINGER, 0)
        client = BlockingKernelClient(context=context)
        try:
            client.load_connection_file(file)
            client.start_channels(hb=False, stdin=False)
            _wait_until_ready(client, process, times.start)
            yield _Kernel(client, process, folder, times.grace, sandbox.unsafe)
        finally:
            sandbox.end(process)
            client.stop_channels()
            context.destroy(linger=0)


def _wait_until_ready(
    client: BlockingKernelClient, process: subprocess.Popen[bytes], seconds: float
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the kernel did not start (exit {process.returncode})")
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=1)
            client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        return
    raise RuntimeError(f"the kernel did not start in {seconds:.0f} seconds")


def _as_output(kind: str, content: dict[str, Any]) -> NotebookNode | None:
    new: Callable[..., NotebookNode] = nbformat.v4.new_output
    if kind == "stream":
        return new("stream", name=_text(content["name"]), text=_text(content["text"]))
    if kind in ("display_data", "execute_result"):
        data = content["data"]
        kept = {kind: _text(data[kind]) for kind in _SHOWN if kind in data}
        if MIME in data:
            kept[MIME] = data[MIME]
        return new("display_data", data=kept)
    if kind == "error":
        return new(
            "error",
            ename=_text(content["ename"]),
            evalue=_text(content["evalue"]),
            traceback=[_text(line) for line in content["traceback"]],
        )
    return None


def _text(data: object) -> str:
    """Return a text that can be written to a file: no half characters."""
    return str(data).encode("utf-8", "replace").decode()


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Make a folder, and remove it whatever is in it then."""
    folder = tempfile.mkdtemp(prefix="kernel-")
    try:
        yield Path(folder)
    finally:
        # not by Python, which folders within folders, thousands deep, overwhelm
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", folder], check=False, capture_output=True)


def _is_misused(folder: Path) -> bool:
    """Say whether there is more than sockets where a kernel can write."""
    with os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                status = file.stat(follow_symlinks=False)
                if file.name == _CONNECTION:
                    if not stat.S_ISREG(status.st_mode) or status.st_size > 10_000:
                        return True
                elif file.name not in _SOCKETS or not stat.S_ISSOCK(status.st_mode):
                    return True
    return False


def _descendants(process: int) -> list[int]:
    """Return a process and all that came from it, the youngest last."""
    found = [process]
    for parent in found:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            found += map(int, children.split())
    return found


def _listed(folder: str) -> list[str]:
    """Return what is in a folder of the system's, nothing where there is none."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _append(outputs: list[NotebookNode], output: NotebookNode) -> None:
    """Add an output; text that follows text of the same stream is joined to it."""
    if (
        outputs
        and output.output_type == outputs[-1].output_type == "stream"
        and output.name == outputs[-1].name
    ):
        outputs[-1].text += output.text
    else:
        outputs.append(output)
