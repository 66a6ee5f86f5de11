"""What bad submissions do, and what must come of it.

For each there are the code, the marks of (count, sums, rectify), and the status.
Where code is given it stands before the solution of `sums`: what is handed in before
must count, and what comes after only if the notebook goes on.
"""

from __future__ import annotations

SWALLOW = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
def loop():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
loop()
"""
PATCH_NUMPY = """
import numpy
numpy.array_equal = numpy.allclose = lambda *a, **k: True
numpy.shape = lambda a: (5,)
numpy.sum = lambda *a, **k: 0.0
"""
PATCH_LIBRARY = "cnn.cover_count = lambda n, d: 7\ncount = cnn.cover_count(1, 1)"
FORGE = """
import hand_in as module
from IPython.display import display
def hand_in(**answers):
    data = {name: module.encode(value) for name, value in answers.items()}
    data |= {"X": module.encode(np.zeros((5, 3))), "n_samples": {"int": "0x1"},
             "check": None, "np": None, "cnn": None}
    display({module.MIME: {"answers": data, "score": 100, "done": True},
             "text/plain": "forged"}, raw=True)
count = 2
"""
LOOK = """
import os
seen = []
for folder in FOLDERS:
    seen += [folder] if os.path.exists(folder) else []
for path in ("/etc/passwd", "/etc/shadow", "/root/.bashrc", "/sys", "/var/log"):
    seen += [path] if os.path.exists(path) else []
# the sandbox's processes, and nothing of the grader's
seen += [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 20]
print("SEEN", seen, "END")
count = -1
"""
WRITE = """
import os
import convexnn_lib, numpy
written = []
for path in PATHS + [convexnn_lib.__file__, numpy.__file__, "/usr/lib/x",
                     "/proc/sys/kernel/core_pattern", "/etc/x", "/root/x"]:
    try:
        with open(path, "a") as file:
            file.write("")
        written.append(path)
    except OSError:
        pass
print("WRITTEN", written, "END")
count = -1
"""
CONNECT = """
import socket
reached = []
for address in (("127.0.0.1", PORT), ("1.1.1.1", 53), ("192.168.0.1", 80)):
    try:
        socket.create_connection(address, timeout=2).close()
        reached.append(address)
    except OSError:
        pass
print("REACHED", reached, "END")
count = -1
"""
EDIT_GRADEBOOK = """
import sqlite3
try:
    book = sqlite3.connect("file:BOOK?mode=rw", uri=True)
    book.execute("update grade set manual_score = 100, auto_score = 100")
    book.commit()
    print("EDITED")
except sqlite3.Error as error:
    print("REFUSED", error)
count = -1
"""
PROCESSES = """
import os, subprocess
started = []
try:
    for _ in range(1000):
        if os.fork() == 0:
            while True:
                pass
        started.append(1)
except OSError as error:
    print("NO FORK", error)
try:
    subprocess.run(["/usr/bin/true"])
except OSError as error:
    print("NO PROGRAM", error)
assert not started
"""
FILL = """
try:
    for number in range(10_000):
        with open(f"/tmp/{number}", "wb") as file:
            for _ in range(60):
                file.write(bytes(1 << 20))
except OSError as error:
    print("FULL", error)
"""
HALF = """
print("half \\ud800 a character")
rows, total = X.sum(axis=1), "\\ud800\\x1b[2J"
raise ValueError("\\ud800")
"""
# no message of a kernel: a stream without a text
ROGUE = """
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "stream", {}, parent=kernel.get_parent())
"""
# the only folder on disk that a kernel can write to has its sockets
LITTER = """
import glob, os
(name,) = glob.glob("/tmp/kernel-*") + glob.glob(os.environ.get("TMPDIR", "") + "/k*")
os.mkdir(name + "/more")
import time
time.sleep(5)
"""
FLOOD = "while True:\n    print('x' * 10_000)"
MARKUP = """
from IPython.display import HTML, display
display(HTML("<script>steal()</script>"))
print("<script>alert(1)</script>")
"""
# messages that a kernel does not send: too deep, and for the next cell that hands in
DEEP = """
kernel = get_ipython().kernel
kernel.session.send(
    kernel.iopub_socket, "display_data", b"[" * 100_000, parent=kernel.get_parent()
)
"""
DECLARE = """
import json
import hand_in as module
kernel = get_ipython().kernel
def _publish(data, summary):
    content = {"data": {module.MIME: {"student_id": STUDENT}}, "metadata": {}}
    kernel.session.send(
        kernel.iopub_socket,
        "display_data",
        json.dumps(content).encode(),
        parent=kernel.get_parent(),
    )
module._publish = _publish
"""
# where its sockets are, links to long names and pipes take room on the disk
LINKS = """
import glob, os, time
(name,) = glob.glob("/tmp/kernel-*") + glob.glob(os.environ.get("TMPDIR", "") + "/k*")
MAKE
time.sleep(5)
"""
_LINK = """
os.remove(name + "/socket-5")
os.symlink("x" * 4000, name + "/socket-5")
"""
_PIPE = "os.mkfifo(name + '/socket-6')"
_NEST = """
os.remove(name + "/socket-5")
os.makedirs(name + "/socket-5" + "/d" * 900)
"""
THREADS = """
import threading, time
threading.stack_size(1 << 16)
for _ in range(1000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(5)
"""
FILES = """
import time
for number in range(100_000):
    open(f"/dev/shm/{number}", "w").close()
time.sleep(5)
"""
SOCKETS = """
import socket
made = []
audit, kernel_events = 9, 15
for family, protocol in (
    (socket.AF_VSOCK, 0),
    (socket.AF_PACKET, 0),
    (socket.AF_ALG, 0),
    (socket.AF_NETLINK, audit),
    (socket.AF_NETLINK, kernel_events),
):
    try:
        socket.socket(family, socket.SOCK_RAW, protocol).close()
        made.append((family, protocol))
    except OSError:
        pass
print("MADE", made, "END")
socket.socket(socket.AF_UNIX).close()
count = -1
"""
# what pages show of a student's own text
MARKDOWN = """
<script>steal()</script> <img src=x onerror="steal()">
<svg onload=steal()> <iframe srcdoc="<script>steal()</script>"></iframe>
<form action="https://elsewhere.example"><input name=password></form>
<style>body {display: none}</style> <a href="javascript:steal()">here</a>
[there](javascript:steal()) <math href="javascript:steal()">x</math>
![seen](https://elsewhere.example/seen.png) <base href="https://elsewhere.example">
<div style="position: fixed; inset: 0" onclick="steal()">all</div>

For $a<b$ and $$\\|x\\|_2<c, \\quad a<\\infty$$ see
[the book](https://book.example), **so**.
"""
BEFORE_SUMS = {
    "loop": ("while True:\n    pass", "3 3 4", "timed out"),
    "swallow": (SWALLOW, "3 0 0", "timed out"),
    "exit": ("import os\nos._exit(0)", "3 0 0", "crashed"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "3 0 0", "crashed"),
    "allocate": ("block = bytearray(64 << 30)", "3 0 4", "graded"),
    "syntax": ("def (:", "3 0 4", "graded"),
    "numpy": (PATCH_NUMPY + "rows, total = 0 * X[:, 0], 1e9", "3 0 4", "graded"),
    "processes": (PROCESSES, "3 3 4", "graded"),
    "fill": (FILL, "3 3 4", "graded"),
    "markup": (MARKUP, "3 3 4", "graded"),
    "half": (HALF, "3 0 4", "graded"),
    "rogue": (ROGUE, "3 0 0", "crashed"),
    "litter": (LITTER, "3 0 0", "crashed"),
    "deepmessage": (DEEP, "3 0 0", "crashed"),
    "half_id": (DECLARE.replace("STUDENT", '"\\ud800"'), "0 0 0", "tampered"),
    "large_id": (DECLARE.replace("STUDENT", '"x" * 20_000_000'), "0 0 0", "tampered"),
    "links": (LINKS.replace("MAKE", _LINK), "3 0 0", "crashed"),
    "pipes": (LINKS.replace("MAKE", _PIPE), "3 0 0", "crashed"),
    "folders": (LINKS.replace("MAKE", _NEST), "3 0 0", "crashed"),
    "threads": (THREADS, "3 0 0", "crashed"),
    "files": (FILES, "3 0 0", "crashed"),
    "flood": (FLOOD, "3 ? ?", "timed out"),
}
INSTEAD_OF_COUNT = {
    "wrong": ("count = 1", "0 3 4", "graded"),
    "library": (PATCH_LIBRARY, "0 3 4", "graded"),
    "forge": (FORGE, "0 3 0", "graded"),  # its own hand_in calls no function
    "look": (LOOK, "0 3 4", "graded"),
    "write": (WRITE, "0 3 4", "graded"),
    "connect": (CONNECT, "0 3 4", "graded"),
    "edit": (EDIT_GRADEBOOK, "0 3 4", "graded"),
    "sockets": (SOCKETS, "0 3 4", "graded"),
}
OTHERS = {
    "good": ("3 3 4", "graded"),
    "Other.Good": ("3 3 4", "graded"),
    "untouched": ("0 0 0", "graded"),
    "malformed": ("0 0 0", "malformed"),
    "list": ("0 0 0", "malformed"),
    "deep": ("0 0 0", "malformed"),
    "linked": ("0 0 0", "malformed"),
    "missing": ("0 0 0", "malformed"),
    "stripped": ("3 3 4", "tampered"),
    "renamed": ("3 3 4", "tampered"),
    "deleted": ("3 3 4", "tampered"),
    "edited": ("0 3 4", "tampered"),
    "stranger": ("0 0 0", "tampered"),
    "partial": ("3 2 0", "graded"),
    "raises": ("3 3 0", "graded"),
    "markdown": ("3 3 4", "graded"),
    "windows": ("3 3 4", "graded"),
    "zipped": ("3 3 4", "graded"),
    "copied": ("3 3 4", "graded"),
    "late_copy": ("3 3 4", "graded"),
}
EXPECTED = {
    **{name: item[1:] for name, item in (BEFORE_SUMS | INSTEAD_OF_COUNT).items()},
    **OTHERS,
}
