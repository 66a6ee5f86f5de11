"""Self-checks of the book's exercises, a module for each chapter.

Each public function of such a module belongs to one exercise. It takes the reader's
answer and returns a `convexnn_lib.exercises.feedback.Feedback`, which says why the
answer is right, as far as possible with a certificate, or what is wrong with it. It
never gives the answer away.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
