"""Two-layer ReLU networks as convex programs, each result with a certificate.

The public names are listed in ``__init__.pyi``. They are loaded at first use
(Scientific Python's SPEC 1), so that importing the library is quick and works where
torch, cvxpy or scikit-learn is not installed.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
