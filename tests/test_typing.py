"""What users call has types that tell right calls from wrong ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

mypy = pytest.importorskip("mypy.api", reason="mypy is not installed")


@pytest.mark.slow
def test_mypy_refuses_what_it_should_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    source = Path("tests/typing_calls.py")
    expected = {
        (number, code)
        for number, line in enumerate(source.read_text().splitlines(), start=1)
        for code in re.findall(r"# E: ([\w-]+)$", line)
    }
    assert len(expected) > 20
    output, errors, _ = mypy.run([str(source), "--no-error-summary"])
    assert not errors
    found = re.findall(
        r"^tests/typing_calls.py:(\d+): error: .*\[([\w-]+)\]$", output, re.M
    )
    assert {(int(number), code) for number, code in found} == expected, output
