"""Interactive figures: a picture of the book that the reader can take hold of.

Each figure is a pair of modules of the same name. The Python class keeps the state as
traits, in both directions: a drag in the notebook changes ``figure.points``, and
setting ``figure.points`` moves the points. The JavaScript computes and draws what
follows from the state, so that the figure also works in the built book, where no kernel
is running. ``parts`` holds what figures are made of, ``shared.css`` how they look;
``convexnn_lib.widgets.base.InteractiveFigure`` joins a figure and its parts to one
module without imports, and says what a new figure has to supply.

The figures need anywidget, which the extra ``widgets`` brings. It is imported at their
first use.
"""

from __future__ import annotations

from importlib.util import find_spec

import lazy_loader

from convexnn_lib._extras import extra

with extra("widgets", "convexnn_lib.widgets"):
    if find_spec("anywidget") is None:
        raise ModuleNotFoundError(name="anywidget")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
