"""The JavaScript of the figures: one module each, which fits its Python class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import convexnn_lib.widgets
from convexnn_lib.plotting.player import FramePlayer
from convexnn_lib.widgets.base import module_source

NAMES = sorted(convexnn_lib.widgets.__all__)
FIGURES = [getattr(convexnn_lib.widgets, name) for name in NAMES]
FOLDER = Path(convexnn_lib.widgets.__file__).parent


def write(folder: Path, **texts: str) -> None:
    (folder / "parts").mkdir()
    for name, text in texts.items():
        (folder / f"{name.replace('__', '/')}.js").write_text(text)


def test_parts_come_once_and_before_what_imports_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        figure='// figure\nimport {\n  a,\n} from "./parts/a.js";\n'
        'import { b } from "./parts/b.js";\na(b);\n',
        parts__a='import { b } from "./b.js";\nexport const a = b;\n',
        parts__b="export const b = 1;\n",
    )
    assert module_source("figure", tmp_path) == (
        "export const b = 1;\n\nexport const a = b;\n\n// figure\na(b);\n"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('import { a as b } from "./parts/a.js";', "rename"),
        ('import a from "./parts/a.js";', "only by lines"),
        ('import { a } from "a";', "only by lines"),
        ('import "./parts/a.js";', "only by lines"),
    ],
)
def test_other_imports_are_refused(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, figure=f"{line}\n", parts__a="export const a = 1;\n")
    with pytest.raises(ValueError, match=message):
        module_source("figure", tmp_path)


@pytest.mark.parametrize("figure", [*FIGURES, FramePlayer])
def test_state_has_the_type_that_the_page_expects(figure: type) -> None:
    (state,) = re.findall(r"@typedef \{\{([^@]*?)\}\} State\b", figure._esm)
    expected = set(re.findall(r"(\w+): ", state))
    common = set(FramePlayer.__mro__[1].class_trait_names(sync=True))
    names = set(figure.class_trait_names(sync=True)) - common
    assert {name for name in names if not name.startswith("_")} == expected


def test_every_part_is_used() -> None:
    """Each exported function of a part has a user: another file, or a test."""
    texts = {path: path.read_text() for path in FOLDER.rglob("*.js")}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    for path in FOLDER.glob("parts/*.js"):
        for name in re.findall(r"^export (?:const|function) (\w+)", texts[path], re.M):
            others = (text for p, text in texts.items() if p != path)
            users = [text for text in others if re.search(rf"\b{name}\b", text)]
            assert users or f'"{name}"' in tests, f"{path.name}: nobody uses {name}"
