"""Trials as other processors: each setting takes effect, and reaches what runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbclient
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

# What they print differs between processors: for threads, for kernels, for moved data
THREADS = (
    "import os; print(os.cpu_count())",
    "import torch; print(torch.get_num_threads())",
)
KERNEL = (
    "import hashlib, numpy as np\n"
    "A = np.arange(40_000).reshape(200, 200) / 7\n"
    "print(hashlib.sha256((A @ A).tobytes()).hexdigest())",
)
DATA = (
    "from convexnn_lib import datasets as d; print(d.load('wine')[0][0, 0].hex())",
    "print(d.gaussian(1, 1, 0)[0][0, 0].hex())",
)
CELLS = (*THREADS, *KERNEL, *DATA)


@pytest.fixture(scope="module")
def processors(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("tools/processors.py")


@pytest.fixture(scope="module")
def found(processors: ModuleType) -> dict[str, set]:
    return processors.probe({})


def _answers(
    monkeypatch: pytest.MonkeyPatch, processors: ModuleType, own: dict, cannot: set[str]
) -> None:
    """Let a machine answer that does as it is told, but for some kernels."""

    def probe(variables: dict[str, str]) -> dict | None:
        kernel = variables.get("OPENBLAS_CORETYPE")
        if kernel in cannot:
            return None
        threads = variables.get("OPENBLAS_NUM_THREADS", "8")
        plain = "NUMBA_CPU_NAME" in variables
        return {
            "kernel": {kernel} if kernel else own["kernel"],
            "threads": {int(threads)},
            "Numba": {"generic"} if plain else own["Numba"],
            "NumPy": set() if plain else own["NumPy"],
            "PyTorch": {"DEFAULT"} if plain else own["PyTorch"],
            "data": {"moved"} if "TRIAL_MOVED_DATA" in variables else own["data"],
        }

    monkeypatch.setattr(processors, "probe", probe)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cannot", "kernels"),
    [
        (set(), ["Nehalem", "Haswell", "SkylakeX"]),
        ({"SkylakeX"}, ["Nehalem", "Haswell", "Sandybridge"]),
        ({"SkylakeX", "Haswell", "Sandybridge"}, ["Nehalem", None, None]),
        ({"SkylakeX", "Haswell", "Sandybridge", "Nehalem"}, [None, None, None]),
    ],
)
def test_kernels_that_the_machine_can_run(
    processors: ModuleType,
    found: dict[str, set],
    monkeypatch: pytest.MonkeyPatch,
    cannot: set[str],
    kernels: list[str | None],
) -> None:
    """The others are left out, with a word; the rest of the settings stays."""
    monkeypatch.setattr(processors, "_available", lambda: 2)
    _answers(monkeypatch, processors, found, cannot)
    prepared = [processors.prepare(p) for p in processors.PROCESSORS.values()]
    assert [v.get("OPENBLAS_CORETYPE") for v, _ in prepared] == kernels
    for (variables, words), processor, kernel in zip(
        prepared, processors.PROCESSORS.values(), kernels, strict=True
    ):
        assert variables["OPENBLAS_NUM_THREADS"] == str(processor.threads)
        assert ("NUMBA_CPU_NAME" in variables) == processor.plain
        assert ("TRIAL_MOVED_DATA" in variables) == processor.moved
        assert [processor.kernels[0] in word for word in words] == [True] * (not kernel)


@pytest.mark.slow
def test_one_processor_cannot_have_two_threads(
    processors: ModuleType, found: dict[str, set], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "_available", lambda: 1)
    _answers(monkeypatch, processors, found, set())
    variables, (word,) = processors.prepare(processors.PROCESSORS["usual"])
    assert variables["OPENBLAS_NUM_THREADS"] == "1"
    assert "2 threads" in word


@pytest.mark.slow
@pytest.mark.parametrize("name", ["old", "usual", "new"])
@pytest.mark.parametrize("kernel", ["Haswell", "SkylakeX"])
def test_what_a_machine_is_anyway_is_not_repeated(
    processors: ModuleType,
    found: dict[str, set],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kernel: str,
) -> None:
    """Where the machine's own run goes before, and only there."""
    monkeypatch.setattr(processors, "_available", lambda: 2)
    own = found | {"kernel": {kernel}}
    _answers(monkeypatch, processors, own, set())
    answers = processors.probe
    monkeypatch.setattr(
        processors, "probe", lambda v: answers({"OPENBLAS_NUM_THREADS": "2"} | v)
    )
    runs = []
    monkeypatch.setattr(
        processors.subprocess,
        "run",
        lambda command, **_: runs.append(command) or SimpleNamespace(returncode=0),
    )
    assert processors.main([name]) == 0
    assert len(runs) == 1
    assert processors.main([name, "--unless-own"]) == 0
    assert len(runs) == (1 if (name, kernel) == ("usual", "Haswell") else 2)


@pytest.mark.parametrize("name", ["old", "usual", "new"])
@pytest.mark.parametrize("setting", ["threads", "Numba", "NumPy", "PyTorch", "data"])
def test_a_setting_without_effect_is_noticed(
    processors: ModuleType,
    found: dict[str, set],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    setting: str,
) -> None:
    monkeypatch.setattr(processors, "_available", lambda: 2)
    _answers(monkeypatch, processors, found, set())
    obedient = processors.probe
    monkeypatch.setattr(
        processors, "probe", lambda v: obedient(v) and obedient(v) | {setting: {"own"}}
    )
    processor = processors.PROCESSORS[name]
    changed = {
        "threads": True,
        "data": processor.moved,
        **dict.fromkeys(("Numba", "NumPy", "PyTorch"), processor.plain),
    }
    if changed[setting]:
        with pytest.raises(processors.TrialError, match=f"^{setting}: "):
            processors.prepare(processor)
    else:
        processors.prepare(processor)


@pytest.mark.slow
def test_settings_reach_notebooks(
    processors: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    skip_on_laptop: Callable[[str], None],
) -> None:
    """A notebook is compared as one processor stored it; another one is caught."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    threads, kernel, data = {0, 1}, {2}, {3, 4}
    variables, cannot = processors.prepare(processors.PROCESSORS["usual"])
    if cannot:
        skip_on_laptop(f"this machine cannot do {cannot}")
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(notebook, timeout=3600)
    client.execute(env=os.environ | variables)
    path = tmp_path / "chapter.ipynb"
    nbformat.write(notebook, path)
    for name, differ in (
        ("usual", set()),
        ("old", threads | kernel),
        ("new", threads | data),
    ):
        assert processors.main([name, str(path)]) == bool(differ)
        output = capfd.readouterr().out
        failed = re.findall(r"^FAILED .*::Cell (\d)\b", output, flags=re.M)
        assert differ <= set(map(int, failed))


@pytest.mark.slow
def test_data_move_by_one_unit_and_given_numbers_stay(processors: ModuleType) -> None:
    program = (
        "import numpy as np; from convexnn_lib import datasets as d\n"
        "rng = np.random.default_rng(1)\n"
        "data = [*d.load('wine'), *d.gaussian(9, 2, 3), *d.separable_pair(),\n"
        "    d.load('iris', standardize=False, ones=True)[0],\n"
        "    rng.uniform(-1, 1, 9), rng.spawn(1)[0].normal(size=9), rng.integers(9)]\n"
        "print([np.ravel(x).tolist() for x in data])"
    )
    plain, moved = (
        eval(
            subprocess.run(
                [sys.executable, "-c", program],
                env=os.environ | {"PYTHONPATH": str(processors.TRIAL), **variable},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for variable in ({}, {"TRIAL_MOVED_DATA": "1"})
    )
    for before, after in zip(plain, moved, strict=True):
        old, new = np.array(before), np.array(after)
        given = old == np.round(old, 6)
        np.testing.assert_array_equal(new[given], old[given])
        unit = np.abs(new - old)[~given]
        np.testing.assert_array_equal(unit, np.spacing(np.abs(old[~given])))
