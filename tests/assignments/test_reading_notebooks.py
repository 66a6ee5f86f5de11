"""Notebooks are read as editors, platforms and years leave them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from assignments.grader.reading import MalformedError, decode, read_submission
from assignments.grader.restore import restore


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"cells": 3}',
        '{"cells": [1]}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": 5}]}',
        '{"cells": [{"cell_type": "evil", "source": ""}]}',
        '{"cells": [{"cell_type": "code", "source": "", "metadata": []}]}',
        "\x00",
    ],
)
def test_what_is_not_a_notebook_is_malformed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tiny.ipynb"
    path.write_text(content)
    with pytest.raises(MalformedError, match="not a notebook"):
        read_submission(path)


def test_links_folders_and_large_files_are_malformed(tmp_path: Path) -> None:
    link = tmp_path / "link.ipynb"
    link.symlink_to("/etc/passwd")
    (tmp_path / "folder.ipynb").mkdir()
    with (tmp_path / "large.ipynb").open("wb") as file:
        file.truncate(21 << 20)
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name in ("link", "folder", "large", "pipe"):
        with pytest.raises(MalformedError):
            read_submission(tmp_path / f"{name}.ipynb")


# --- encodings ------------------------------------------------------------------------

TEXT = "# Größe 1 – ε"  # beyond ASCII and Latin-1
NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "source": [TEXT, "\n"], "metadata": {}}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 4,
}


def sources(tmp_path: Path, content: bytes | dict[str, object]) -> list[str]:
    path = tmp_path / "tiny.ipynb"
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    path.write_bytes(content)
    return [cell.source for cell in read_submission(path)]


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "utf-16", "utf-32"),
        *("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"),  # without a mark
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_encoding_of_unicode_is_read(
    tmp_path: Path, encoding: str, end: str
) -> None:
    text = json.dumps(NOTEBOOK, indent=1, ensure_ascii=False).replace("\n", end)
    assert sources(tmp_path, text.encode(encoding)) == [TEXT + "\n"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_letters_of_windows_are_read(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(NOTEBOOK, ensure_ascii=False).replace("– ε", "für")
    assert sources(tmp_path, text.encode(encoding)) == ["# Größe 1 für\n"]


def test_one_broken_letter_leaves_the_others(tmp_path: Path) -> None:
    data = (
        json.dumps(NOTEBOOK, ensure_ascii=False).encode().replace("ε".encode(), b"\xce")
    )
    assert sources(tmp_path, data) == [TEXT.replace("ε", "\ufffd") + "\n"]


def test_half_characters_and_line_ends_are_mended(tmp_path: Path) -> None:
    """Half of an emoji is what some editors leave of it."""
    cells = [{"cell_type": "code", "source": "a = 1\r\nb = '\ud83d'\rc = 2"}]
    assert sources(tmp_path, {"cells": cells}) == ["a = 1\nb = '?'\nc = 2"]


def test_decoding_never_fails() -> None:
    for data in (b"", b"\x81\x8d", bytes(range(256)), b"\xff\xfe\x00", b"\x00" * 5):
        assert isinstance(decode(data), str)


# --- formats --------------------------------------------------------------------------


def test_format_3_is_read(tmp_path: Path) -> None:
    marks = {"nbgrader": {"grade_id": "answer-count"}}
    sheet = {
        "cells": [
            {"cell_type": "heading", "level": 2, "source": ["A title"], "metadata": {}},
            {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "metadata": marks},
            {"cell_type": "html", "source": "<b>so</b>", "metadata": {}},
        ]
    }
    notebook = {"metadata": {"name": ""}, "nbformat": 3, "worksheets": [sheet, sheet]}
    assert sources(tmp_path, notebook) == 2 * [
        "## A title",
        "x = 1\ny = 2",
        "<b>so</b>",
    ]
    cells = read_submission(tmp_path / "tiny.ipynb")
    assert [c.cell_type for c in cells[:3]] == ["markdown", "code", "markdown"]
    assert cells[1].metadata.grade_id == "answer-count"


def test_a_release_that_went_through_format_3_is_put_together(
    release: NotebookNode, tmp_path: Path
) -> None:
    old = nbformat.convert(nbformat.from_dict(release), 3)
    nbformat.write(old, tmp_path / "tiny.ipynb", version=nbformat.NO_CONVERT)
    assert '"worksheets"' in (tmp_path / "tiny.ipynb").read_text()
    restored = restore(read_submission(tmp_path / "tiny.ipynb"), release)
    assert restored.changes == []
    assert restored.look == {}
    assert [c.source for c in restored.notebook.cells] == [
        c.source for c in release.cells
    ]


@pytest.mark.parametrize(
    "notebook",
    [
        {
            "nbformat": 2,
            "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}],
        },
        {"nbformat": 1, "cells": [{"cell_type": "code", "code": "x = 1"}]},
        {"nbformat": 1, "cells": [{"cell_type": "text", "text": "x = 1"}]},
        {"nbformat": 5, "cells": [{"cell_type": "code", "source": "x = 1"}]},
        {"cells": [{"cell_type": "raw", "source": ["x", " = 1"], "metadata": None}]},
    ],
    ids=["2", "1", "1-text", "5", "none"],
)
def test_other_formats_are_read(tmp_path: Path, notebook: dict[str, object]) -> None:
    assert sources(tmp_path, notebook) == ["x = 1"]


# --- what is no notebook --------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \r\n", "the file is empty|breaks off"),
        (b"PK\x03\x04 and more", "a zip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        (b"https://colab.research.google.com/drive/1", "a link"),
        (b"# %%\nimport numpy", "a program or a text"),
        (b'{"cells": [', "breaks off .* in line 1"),
        (b'{\n "cells": [],\n<<<<<<< HEAD\n', "breaks off .* in line 3"),
        (b'{"message": "Not Found"}', "it has no cells"),
        (b"[1, 2]", "it holds other data"),
        (b'{"cells": {"a": 1}}', "its cells are no list"),
        (b'{"cells": [{"cell_type": "slide", "source": ""}]}', "unknown type 'slide'"),
        (b'{"cells": [{"source": ""}]}', "without 'cell_type'"),
        (b'{"cells": [{"cell_type": "code"}]}', "without 'source'"),
        (b'{"nbformat": 3, "worksheets": [{}]}', "without 'cells'"),
        (b'{"nbformat": 3, "worksheets": 3}', "its parts are not those"),
    ],
)
def test_what_it_is_instead_is_said_in_words(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(MalformedError, match=f"not a notebook: .*{words}") as caught:
        sources(tmp_path, content)
    assert "Error" not in str(caught.value)


def test_why_there_is_no_notebook_is_said(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"there is no notebook tiny\.ipynb"):
        read_submission(tmp_path / "tiny.ipynb")
    (tmp_path / "received.txt").write_text("there are 2 notebooks: a, b")
    with pytest.raises(MalformedError, match="2 notebooks: a, b"):
        read_submission(tmp_path / "tiny.ipynb")
