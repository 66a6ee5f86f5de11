"""Figures where matplotlib starts for the first time, in places of any kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
import io
from convexnn_lib import datasets, enumerate_patterns
from convexnn_lib.plotting import arrangements
X = datasets.talk_example()[0]
arrangements.plot_cones(enumerate_patterns(X)).savefig(io.BytesIO(), format="png")
"""
# what matplotlib itself says where it can keep nothing; it then works all the same
NOTICES = ("mkdir -p failed for path", "Matplotlib created a temporary cache")


@pytest.mark.slow
@pytest.mark.parametrize("writable", [True, False])
def test_a_first_start(writable: bool, tmp_path: Path) -> None:
    """No home, and a folder of settings that is empty, or cannot be written to."""
    folder = tmp_path / "settings"
    if writable:
        folder.mkdir()
    else:  # whoever runs the tests may write to folders that are read-only for others
        folder.write_text("")
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRAW],
        env={**kept, "MPLCONFIGDIR": str(folder), "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    said = [line for line in run.stderr.splitlines() if not line.startswith(NOTICES)]
    assert said == []
    assert not writable or run.stderr == ""
