"""Progress bars where there are threads, and where there are none."""

from __future__ import annotations

import threading

import pytest
from tqdm import tqdm

from convexnn_lib import _progress


def test_a_browser_gets_a_bar_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "IN_BROWSER", True)
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    monkeypatch.setattr(tqdm, "monitor", None)
    before = threading.active_count()
    with _progress.bar_class()(total=3) as bar:
        assert type(bar) is tqdm
        assert threading.active_count() == before


def test_elsewhere_the_bar_suits_the_place() -> None:
    assert issubclass(_progress.bar_class(), tqdm)
