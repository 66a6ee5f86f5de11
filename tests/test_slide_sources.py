"""The lectures: what they say, how long they take, and that the guide knows them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "slides").glob("*.md"))
NAMES = [path.stem for path in SOURCES]


@pytest.fixture(scope="module")
def slides(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("tools/slides.py")


@pytest.fixture(scope="module")
def labels() -> set[str]:
    """What can be brought from the book: statements and figures of the chapters."""
    found: set[str] = set()
    for path in ROOT.glob("chapters/*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found |= set(re.findall(r":label: ([\w-]+)", "".join(cell["source"])))
            figure = cell["metadata"].get("mystnb", {}).get("figure", {})
            found |= {figure["name"]} if "name" in figure else set()
    return found


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_lecture(path: Path, slides: ModuleType, labels: set[str]) -> None:
    """Between 60 and 90 minutes, as its slides add up, from the book's own pieces."""
    lecture = slides.read_lecture(path)
    assert 60 <= lecture.minutes <= 90
    times = [re.match(r"(\d+) min\. ", slide.note) for slide in lecture.slides]
    assert all(times)
    assert sum(int(time[1]) for time in times if time) == lecture.minutes
    brought = [label for slide in lecture.slides for label in slide.labels]
    assert set(brought) <= labels
    assert len(brought) == len(set(brought)) >= 8
    assert any(label.startswith("fig-") for label in brought)
    assert lecture.slides[-1].title.startswith("Take home")


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_programs_on_slides_run(path: Path) -> None:
    for program in re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL):
        exec(compile(program, path.name, "exec"), {})


def test_the_guide_has_each_lecture() -> None:
    """By its number, title and length."""
    guide = (ROOT / "chapters" / "instructors_guide.md").read_text(encoding="utf-8")
    for number, path in enumerate(SOURCES, 1):
        head = dict(line.split(": ", 1) for line in path.read_text().split("\n")[:2])
        assert f"| {number} | {head['title']} | {head['minutes']} |" in guide


@pytest.mark.parametrize(
    "text",
    [
        "title: T\n---\n# A\n\nB\n\nNote:\nC\n",
        "title: T\nminutes: x\n---\n# A\n\nB\n\nNote:\nC\n",
        "title: T\nminutes: 5\n---\n# A\n\nB\n",
        "title: T\nminutes: 5\n---\nA\n\nB\n\nNote:\nC\n",
    ],
)
def test_a_wrong_source(slides: ModuleType, tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.md"
    path.write_text(text)
    with pytest.raises(slides.SlideError, match=r"wrong\.md"):
        slides.read_lecture(path)
