"""Two-layer ReLU networks as convex programs, each result with a certificate.

The public names are listed in ``__init__.pyi``. They are loaded at first use
(Scientific Python's SPEC 1), so that importing the library is quick and works where
torch, cvxpy, scikit-learn or matplotlib is not installed. What needs one of them then
raises :class:`convexnn_lib.errors.MissingExtraError`, which says the command that
brings it, and ``from convexnn_lib import *`` leaves it out.
"""

from __future__ import annotations

import lazy_loader

from convexnn_lib._extras import offered

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = offered(__all__)

__version__ = "0.1.0"
