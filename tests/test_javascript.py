"""The check of the JavaScript is left out only where a reader has no Node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_node(root: Path, tmp_path: Path, ci: str, code: int) -> None:
    done = subprocess.run(
        ["/bin/bash", root / "tools" / "javascript" / "check.sh"],
        env={"PATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "Node 18 or newer" in done.stdout + done.stderr


def test_every_script_is_checked(root: Path) -> None:
    """Of the folders in tsconfig.json; editors see types where a file says so."""
    assert not [*(root / "_static").rglob("*.js")]
    folders = [root / name for name in ("convexnn_lib", "_ext", "tools/javascript")]
    paths = [path for folder in folders for path in folder.rglob("*.js")]
    scripts = [path for path in paths if "node_modules" not in path.parts]
    assert scripts
    for path in scripts:
        first = path.read_text().splitlines()[0]
        kind = "// @ts-nocheck" if path.name.endswith(".min.js") else "// @ts-check"
        assert first.startswith(kind), path
