"""The problem set beside this file is read by the tests, not run by pytest."""

from __future__ import annotations

collect_ignore = ["tiny.py"]
