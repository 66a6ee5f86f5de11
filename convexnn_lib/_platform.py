"""Where the library runs."""

from __future__ import annotations

import sys

__all__ = ["IN_BROWSER"]

#: whether this is Pyodide: no threads, indices of 32 bits, no package with machine code
#: that has not been compiled to WebAssembly
IN_BROWSER = bool(sys.platform == "emscripten")
