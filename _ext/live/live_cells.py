"""Run the cells of a chapter inside Pyodide, as a notebook would.

The page's worker and the runner of the tests call :func:`run`. Cells share one
namespace. What a cell prints, the value of its last expression and the figures that it
leaves open come back as a list of outputs, and an exception as a traceback that begins
in the cell.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import importlib.util
import io
import json
import linecache
import os
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLBACKEND", "agg")
# a cell's names, as in a notebook those of the module __main__
_main = types.ModuleType("__main__")
sys.modules["__main__"] = _main

IN_BROWSER = sys.platform == "emscripten"

# What a cell needs beyond NumPy and SciPy, by the words that say so.
_PACKAGES = {
    "matplotlib": ("matplotlib", "plotting", "proofs", "figures"),
    "scikit-learn": ("sklearn", "datasets.load", "ConvexReLUR", "ConvexReLUC"),
    "anywidget": ("widgets", "player", "FramePlayer"),
}


class Stream(io.TextIOBase):
    """What is printed, in the order in which it is printed, among other outputs."""

    def __init__(self, name: str, outputs: list[dict[str, str]]) -> None:
        self.name = name
        self._outputs = outputs

    def write(self, text: str) -> int:
        """Append text to the last output, if that is of this stream."""
        if not text:
            return 0
        last = self._outputs[-1] if self._outputs else {}
        if last.get("kind") == self.name:
            last["text"] += text
        else:
            self._outputs.append({"kind": self.name, "text": text})
        return len(text)

    def writable(self) -> bool:
        """Return that this can be written to."""
        return True


def use_listed_fonts(version: int = 330) -> None:
    """Have Matplotlib take the list of fonts that comes with it, before its import.

    Pyodide's archive has a list of another version and of another machine, which
    Matplotlib refuses: to make one anew takes five seconds, and a warning.

    Parameters
    ----------
    version : int
        What Matplotlib 3.8 calls the form of the list, which has not changed since.
    """
    if not IN_BROWSER or "matplotlib" in sys.modules:
        return
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        return
    path = Path(matplotlib.origin).with_name("fontlist.json")
    fonts = json.loads(path.read_text())
    if fonts["_version"] == version:
        return
    fonts["_version"] = version
    for kind in ("afmlist", "ttflist"):
        fonts[kind] = [f for f in fonts[kind] if not f["fname"].startswith("/")]
    path.write_text(json.dumps(fonts))


def packages(source: str) -> list[str]:
    """Return the packages to load before a cell is run.

    Parameters
    ----------
    source : str
        The cell.

    Returns
    -------
    list of str
        Names in Pyodide's lock.
    """
    return [
        package
        for package, words in _PACKAGES.items()
        if any(word in source for word in words)
    ]


def stand_in_for_ipython() -> None:
    """Give the widgets the few names of IPython that they import.

    IPython is not loaded: it takes longer than NumPy, and needs a database.
    """
    shell = type("InteractiveShell", (), {"initialized": staticmethod(lambda: False)})
    names: dict[str, dict[str, Any]] = {
        "IPython": {"get_ipython": lambda: None},
        "IPython.core": {},
        "IPython.core.interactiveshell": {"InteractiveShell": shell},
        "IPython.display": {"display": display, "clear_output": lambda **_: None},
    }
    for name, content in names.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        sys.modules[name] = module


def display(*values: Any) -> None:
    """Show values among the outputs of the cell that runs."""
    for value in values:
        _outputs.extend(_shown(value))


if IN_BROWSER:
    stand_in_for_ipython()
# the outputs of the cell that runs
_outputs: list[dict[str, str]] = []


def run(source: str, number: int) -> str:
    """Run a cell; return its outputs as JSON.

    Parameters
    ----------
    source : str
        The cell.
    number : int
        Its number in the page, for tracebacks.

    Returns
    -------
    str
        A list of ``{"kind", "text"}``. The kinds are "stdout", "stderr", "result" (the
        last expression's value), "picture" (a PNG in base64), "figure" (the state of an
        interactive figure, as JSON) and "error".
    """
    use_listed_fonts()
    outputs = _outputs
    outputs.clear()
    name = f"<cell {number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    with (
        contextlib.redirect_stdout(Stream("stdout", outputs)),
        contextlib.redirect_stderr(Stream("stderr", outputs)),
    ):
        try:
            value = _execute(source, name)
            if value is not None:
                outputs.extend(_shown(value))
            outputs.extend(_open_figures())
        except BaseException as error:
            outputs.append({"kind": "error", "text": _traceback(error, name)})
    return json.dumps(outputs)


def forget() -> None:
    """Forget the names that cells have bound, as before another chapter."""
    _main.__dict__.clear()
    _main.__dict__.update(vars(types.ModuleType("__main__")))


def _execute(source: str, name: str) -> Any:
    """Run the statements; return the value of the last, if it is an expression."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    # a semicolon at the end keeps a value from being shown, as in a notebook
    shown = isinstance(last, ast.Expr) and not source.rstrip().endswith(";")
    if shown:
        tree.body.pop()
    exec(compile(tree, name, "exec"), _main.__dict__)
    if not shown or not isinstance(last, ast.Expr):
        return None
    value = eval(compile(ast.Expression(last.value), name, "eval"), _main.__dict__)
    if value is not None:
        _main.__dict__["_"] = value
    return value


def _shown(value: Any) -> Iterator[dict[str, str]]:
    """Yield the outputs of the value of a cell."""
    figures: Any = sys.modules.get("matplotlib.figure")
    if figures is not None and isinstance(value, figures.Figure):
        yield {"kind": "picture", "text": _picture(value)}
        size = value.get_size_inches() * value.dpi
        axes = len(value.axes)
        text = f"<Figure size {size[0]:.0f}x{size[1]:.0f} with {axes} Axes>"
        yield {"kind": "result", "text": text}
        pyplot: Any = sys.modules["matplotlib.pyplot"]
        pyplot.close(value)
    elif hasattr(value, "_esm") and hasattr(value, "_get_embed_state"):
        state = value._get_embed_state(drop_defaults=False)["state"]
        yield {"kind": "figure", "text": json.dumps(state)}
        yield {"kind": "result", "text": _text(value)}
    else:
        yield {"kind": "result", "text": _text(value)}


def _text(value: Any) -> str:
    """Return what a notebook shows of a value where it can show only text."""
    # widgets shorten what they say of themselves
    method = getattr(value, "_repr_mimebundle_", None)
    bundle = method() if method is not None else None
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    return str((data or {}).get("text/plain") or repr(value))


def _open_figures() -> Iterator[dict[str, str]]:
    """Yield what pyplot has open, and close it."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot is not None else []:
        yield {"kind": "picture", "text": _picture(pyplot.figure(number))}
    if pyplot is not None:
        pyplot.close("all")


def _picture(figure: Any) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight")
    return base64.b64encode(content.getvalue()).decode("ascii")


def _traceback(error: BaseException, name: str) -> str:
    """Return a traceback that begins in the cell, not in what called it."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename != name:
        place = place.tb_next
    lines = traceback.format_exception(type(error), error, place)
    return "".join(lines).rstrip("\n")
