"""Every figure of the book, one function each, in a module for each chapter.

A function takes results of the library and returns a Matplotlib figure; nothing is
computed here that a text would quote. The extra ``plot`` brings Matplotlib.
"""

from __future__ import annotations

import lazy_loader

from convexnn_lib._extras import extra

with extra("plot", "convexnn_lib.plotting"):
    import matplotlib as matplotlib

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
