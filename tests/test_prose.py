"""Spelling, and the links of all texts, as far as they can be checked offline."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

import convexnn_lib

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
TEXTS = sorted([*ROOT.glob("*.md"), *CHAPTERS.glob("*.md"), *CHAPTERS.glob("*.ipynb")])

# sites that the texts may name; sources are cited through references.bib
SITES = {
    "download.pytorch.org",
    "github.com",
    "jupytext.readthedocs.io",
    "nbgrader.readthedocs.io",
}
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
ROLE = re.compile(r"\{(doc|download)\}`(?:[^`<]*<)?([^`<>]+)>?`")
TAG = re.compile(r"\b(?:src|href)=\"([^\"]+)\"")
ADDRESS = re.compile(r"\bhttps?:[^\s)>\"'`]*")
LABEL = re.compile(r"^\(([\w-]+)\)=|^:label: ([\w-]+)|^:name: ([\w-]+)", re.MULTILINE)


def prose(path: Path) -> str:
    """Return a page's text without its code, and a notebook's without its cells."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        text = path.read_text()
    text = re.sub(r"^(`{3,})(?!\{).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\$[^$]*\$", "", text)


def targets(text: str) -> Iterator[str]:
    """Yield where the links of a text lead."""
    yield from LINK.findall(text)
    yield from (target for _, target in ROLE.findall(text))
    yield from TAG.findall(text)


def labels(text: str) -> set[str]:
    """Return the anchors of a text: its labels, and its headings as GitHub has them."""
    found = {name for names in LABEL.findall(text) for name in names if name}
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-"))
    return found


def broken(path: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    text = prose(path)
    found = []
    for target in targets(text):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        page = _page(path, name)
        if page is None or (anchor and anchor not in labels(prose(page))):
            found.append(target)
    return found


def _page(path: Path, name: str) -> Path | None:
    """Return the file that a link names; chapters are named without their suffix."""
    if not name:
        return path
    folder = ROOT if name.startswith("/") else path.parent
    for suffix in ("", ".md", ".ipynb"):
        file = folder / f"{name.lstrip('/')}{suffix}"
        if file.is_file():
            return file
    return None


def doubtful(text: str) -> list[str]:
    """Return the addresses that are not well-formed, or not of a site in the list."""
    addresses = [address.rstrip(".,;:") for address in ADDRESS.findall(text)]
    return [address for address in addresses if not _is_known(address)]


def _is_known(address: str) -> bool:
    parts = urlsplit(address)
    well_formed = parts.scheme == "https" and re.fullmatch(r"[a-z0-9.-]+", parts.netloc)
    return bool(well_formed) and (parts.netloc in SITES or address in _cited())


def _cited() -> set[str]:
    return set(ADDRESS.findall((ROOT / "references.bib").read_text().replace("}", " ")))


def spelling(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codespell_lib", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_spelling() -> None:
    """Of texts, docstrings and comments; pyproject.toml says what is left out."""
    done = spelling()
    assert done.returncode == 0, done.stdout + done.stderr


def test_spelling_errors_are_found(tmp_path: Path) -> None:
    word = "seper" + "able"
    (tmp_path / "page.md").write_text(f"Linearly {word} data.\n")
    done = spelling(str(tmp_path))
    assert done.returncode != 0
    assert f"{word} ==> separable" in done.stdout


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_addresses_are_known(path: Path) -> None:
    assert doubtful(path.read_text()) == []


def test_addresses_of_the_bibliography_are_well_formed() -> None:
    for address in _cited():
        parts = urlsplit(address)
        assert parts.scheme == "https", address
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]+", parts.netloc), address
        assert len(parts.path) > 1, address
    text = (ROOT / "references.bib").read_text()
    for doi in re.findall(r"^\s*doi\s*=\s*[{\"]([^}\"]*)", text, re.MULTILINE):
        assert re.fullmatch(r"10\.\d{4,9}/\S+", doi), doi


def faulty_entries(bibliography: str) -> list[str]:
    """Return the keys of entries that are not closed, repeat a field, or come twice."""
    entries = re.split(r"^(?=@)", bibliography, flags=re.MULTILINE)[1:]
    keys = [re.match(r"@\w+\{([^,]*)", entry) for entry in entries]
    names = [key[1] if key else entry for key, entry in zip(keys, entries, strict=True)]
    open_ones = [
        name
        for name, entry in zip(names, entries, strict=True)
        if entry.count("{") != entry.count("}")
        or not entry.rstrip().endswith("}")
        or _repeats(re.findall(r"^  (\w+) *=", entry, flags=re.MULTILINE))
    ]
    return open_ones + [name for name in set(names) if names.count(name) > 1]


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def test_entries_of_the_bibliography_are_whole() -> None:
    """Two changes merged into one file can lose a line."""
    assert faulty_entries((ROOT / "references.bib").read_text()) == []
    lost = "@misc{a,\n  year = {2020}\n\n@misc{b,\n  year = {2021}\n}\n"
    assert faulty_entries(lost) == ["a"]
    assert faulty_entries("@misc{a,\n}\n@book{a,\n}\n") == ["a"]
    assert faulty_entries("@misc{a,\n  year = {1},\n  year = {2}\n}\n") == ["a"]


def test_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == convexnn_lib.__version__


def test_every_listed_site_is_used() -> None:
    text = "\n".join(path.read_text() for path in TEXTS)
    assert {urlsplit(address).netloc for address in ADDRESS.findall(text)} >= SITES


def test_broken_links_and_strange_addresses_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "(here)=\n# A title, with a comma\n"
        "[a](#here) [b](#a-title-with-a-comma) [c](#there)\n"
        "[d](page#here) [e](page#no)\n"
        '[f](other "title") {doc}`text <gone>` {doc}`page` <a href="lost.html">x</a>\n'
        "```py\ncode = a[0](missing)\n```\n"
        "[g](https://github.com/any/where), $f[0](x)$\n"
    )
    assert broken(page) == ["#there", "page#no", "other", "gone", "lost.html"]
    text = "See http://github.com/x, https://elsewhere.org/y; https://github.com/z."
    assert doubtful(text) == ["http://github.com/x", "https://elsewhere.org/y"]
    assert doubtful("https:///nowhere") == ["https:///nowhere"]
