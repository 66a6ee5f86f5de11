"""What the build makes of the texts: cards, heads, the reference, the index."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document
from PIL import Image
from sphinx.addnodes import pending_xref

ROOT = Path(__file__).resolve().parent.parent
OWN = {path.stem for path in (ROOT / "_ext").glob("*.py")}


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return what loads an extension, with its neighbours."""
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    yield importlib.import_module
    for name in OWN & set(sys.modules):
        sys.modules.pop(name)


def _page(*texts: str, picture: Path | None = None) -> nodes.document:
    page = new_document("page")
    page += [nodes.paragraph("", text) for text in texts]
    if picture is not None:
        page += nodes.figure("", nodes.image(uri=str(picture)), ids=["fig-one"])
    return page


class Book:
    """The part of Sphinx's environment that cards need, for one chapter."""

    def __init__(self, page: nodes.document, settings: dict[str, Any]) -> None:
        self.page = page
        self.config = SimpleNamespace(chapter_cards=settings)
        self.srcdir = "/"
        self.toc_secnumbers = {"chapters/one": {"": (3,)}}
        self.titles = {"chapters/one": nodes.title("", "One")}

    def get_doctree(self, name: str) -> nodes.document:
        return self.page


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (1400, 500), "white").save(path)
    return path


def test_a_chapter_without_settings_has_a_card(extension: Any, picture: Path) -> None:
    page = _page("Hello.", "The question. Some words. Is it so?", picture=picture)
    card = extension("chapter_cards").card(Book(page, {}), "chapters/one")
    assert (card.number, card.title) == ("3", "One")
    assert card.question == "Some words. Is it so?"
    assert (card.figure, card.picture) == ("fig-one", picture)


def test_a_chapter_without_picture_and_question_has_a_card(extension: Any) -> None:
    card = extension("chapter_cards").card(Book(_page("Hello."), {}), "chapters/one")
    assert (card.question, card.figure, card.picture) == ("", "", None)


def test_settings_of_a_card_count(extension: Any, picture: Path) -> None:
    settings = {"chapters/one": {"question": "Why?"}}
    book = Book(_page(picture=picture), settings)
    assert extension("chapter_cards").card(book, "chapters/one").question == "Why?"
    settings["chapters/one"]["figure"] = "fig-two"
    with pytest.raises(ValueError, match=r"no picture in a figure 'fig-two'.*fig-one"):
        extension("chapter_cards").card(book, "chapters/one")


def test_a_long_question_keeps_its_end(extension: Any) -> None:
    page = _page(f"The question. {'Word ' * 80}end. Why?")
    card = extension("chapter_cards").card(Book(page, {}), "chapters/one")
    assert card.question == "Why?"


def test_small_pictures_fit_a_card(
    extension: Any, picture: Path, tmp_path: Path
) -> None:
    extension("chapter_cards").draw_small(picture, tmp_path / "new" / "card.webp")
    with Image.open(tmp_path / "new" / "card.webp") as small:
        assert small.size == (560, 200)


def test_a_page_describes_itself(extension: Any) -> None:
    describe = extension("page_heads").describe
    assert describe(_page("Running time: 1 s.", "First\nwords.")) == "First words."
    assert describe(_page("First.", "The question. Why?")) == "Why?"
    assert describe(_page()) == ""
    text = describe(_page("word " * 100))
    assert len(text) <= 202
    assert text.endswith("word \N{HORIZONTAL ELLIPSIS}")


def test_social_cards_have_their_size(extension: Any, picture: Path) -> None:
    heads, cards = extension("page_heads"), extension("chapter_cards")
    for shown in (picture, None):
        card = cards.Card("chapters/one", "3", "One", "Why? " * 20, "fig", shown)
        image = heads.draw(card, "A book")
        assert image.size == (1200, 630)
        assert len(image.getcolors(100_000)) > 2


def test_every_section_of_the_reference_has_its_page(extension: Any) -> None:
    text = (ROOT / "chapters/library_reference.md").read_text()
    first, found = extension("reference_pages").sections(text)
    assert "autofunction" not in first
    files = (ROOT / "chapters").glob("reference_*.md")
    titles = {f"chapters/{path.stem}": path.read_text().strip() for path in files}
    assert titles == {page: f"# {title}" for page, (title, _) in found.items()}
    toc = (ROOT / "_toc.yml").read_text()
    assert [page for page in found if f"- file: {page}\n" not in toc] == []


def test_pages_of_the_reference_get_their_text(extension: Any, tmp_path: Path) -> None:
    folder = tmp_path / "chapters"
    folder.mkdir()
    (folder / "library_reference.md").write_text(
        "# Reference\n\nWords.\n\n## One topic\n\nA\n\n### Part\n\nB\n\n## Two\n\nC\n"
    )
    env = SimpleNamespace(note_dependency=lambda path: None)
    app = SimpleNamespace(srcdir=str(tmp_path), env=env)
    texts = {}
    for name in ("library_reference", "reference_one_topic", "preface"):
        source = ["own text"]
        extension("reference_pages").cut(app, f"chapters/{name}", source)
        texts[name] = source[0]
    assert texts["reference_one_topic"] == "# One topic\n\nA\n\n## Part\n\nB\n"
    assert texts["library_reference"].startswith("# Reference\n\nWords.\n")
    assert "One topic" not in texts["library_reference"]
    assert texts["preface"] == "own text"


def test_names_are_summed_up_in_words_and_formulas(extension: Any) -> None:
    summary = extension("reference_pages").summary
    for name in ("count_patterns", "Hinge", "solve"):
        parts = summary(f"convexnn_lib.{name}")
        text = "".join(part.astext() for part in parts)
        assert text.endswith(".")
        assert "`" not in text
        assert ":math:" not in text
        assert any(isinstance(p, nodes.math) for p in parts) == (name == "Hinge")


def test_the_index_is_parted(extension: Any) -> None:
    page = "chapters/reference_errors.html#convexnn_lib.x"
    entries = [
        ("A", [("area", ([("", "chapters/geometry.html#i")], [], None))]),
        ("X", [("x()", ([], [("in module", [("", page)])], None))]),
    ]
    context: dict[str, Any] = {"genindexentries": entries}
    extension("statement_list").part_index(None, "genindex", "", context, None)
    terms, names = (letters for _, _, letters in context["parts"])
    assert terms == entries[:1]
    assert names == entries[1:]


def test_the_ledger_is_counted(extension: Any) -> None:
    text = ":::{claim} holds\n:::\n:::{claim} question\n:::\n:::{claim} holds\n:::"
    verdicts = extension("front_page").verdicts(text)
    assert verdicts == {
        "holds": 2,
        "holds with hypotheses": 0,
        "corrected": 0,
        "question": 1,
    }


def _run(transform: type, page: nodes.document) -> None:
    """Run a transform that looks at nothing but the page."""
    made = object.__new__(transform)
    made.document = page
    made.run()


def test_a_full_stop_stays_with_its_formula(extension: Any) -> None:
    page = new_document("page")
    page += nodes.paragraph(
        "", "", nodes.math("", "x"), nodes.Text(", and "), nodes.math("", "y")
    )
    page += nodes.paragraph("", "", nodes.math("", "z"), nodes.Text(" is 1."))
    _run(extension("reading").KeepPunctuation, page)
    kept = [n for n in page.findall(nodes.inline) if "math-tail" in n["classes"]]
    assert [node.astext() for node in kept] == ["x,"]
    assert page.astext() == "x, and y\n\nz is 1."


def test_a_solution_opens_wherever_its_bar_is_clicked(extension: Any) -> None:
    """The bar is a summary without a link; other elements keep their order."""
    module = extension("reading")
    title = nodes.title("", "Solution to ", nodes.reference("", "Exercise 1"))
    solution = module.solution_node(
        "", title, nodes.paragraph("", "Because."), ids=["one"], classes=["dropdown"]
    )
    page = new_document("page")
    page += [nodes.paragraph("", "Before."), solution, nodes.paragraph("", "After.")]
    _run(module.OpenSolutions, page)
    assert not list(page.findall(nodes.reference))
    text = "".join(child.astext() for child in page.children)
    assert text == (
        'Before.<details class="solution" id="one"><summary>Solution to Exercise 1'
        "</summary>Because.</details>After."
    )
    assert not any(child.get("classes") for child in page.findall(nodes.raw))


def test_the_word_proof_is_set_apart(extension: Any) -> None:
    module = extension("reading")
    page = new_document("page")
    page += module.proof_node("", nodes.paragraph("", "Proof. Clear."))
    _run(module.MarkProofs, page)
    (word,) = (n for n in page.findall(nodes.inline) if "proof-word" in n["classes"])
    assert word.astext() == "Proof"
    assert page.astext() == "Proof. Clear."


def test_badges_say_what_the_ledger_says(extension: Any) -> None:
    ledger = (
        ":::{claim} holds\n:proof: {prf:ref}`thm-a`\n:code: solve\n"
        ":test: tests/a.py::test_a\n\nText.\n:::\n\n"
        ":::{claim} holds with hypotheses\n"
        ":proof: {prf:ref}`thm-a`, {prf:ref}`the lemma <lem-b>`, {ref}`sec-c`\n"
        ":code: certify\n:test: tests/a.py::test_a, tests/b.py::test_<b>\n\n"
        "Text.\n:::\n"
    )
    module = extension("theorem_badges")
    found = module.claims_by_theorem(ledger)
    numbers = {label: [c.number for c in claims] for label, claims in found.items()}
    assert numbers == {"thm-a": [1, 2], "lem-b": [2]}
    shown = module.badges(found["thm-a"])
    assert shown.count("<a ") == 2
    assert 'href="ledger.html#claim-2">2: holds with hypotheses</a>' in shown
    assert "2 tests" in shown
    assert "test_&lt;b&gt;" in shown


def test_the_badges_regard_every_statement(extension: Any) -> None:
    ledger = (ROOT / "chapters" / "ledger.md").read_text()
    module = extension("theorem_badges")
    assert len(module.CLAIM.findall(ledger)) == ledger.count(":::{claim}") == 72
    rest = "".join(re.findall(r"^:proof: .*$", ledger, re.MULTILINE))
    labels = set(module.LABEL.findall(rest))
    assert set(module.claims_by_theorem(ledger)) == labels


def test_the_map_joins_chapters_that_name_each_others_statements(
    extension: Any,
) -> None:
    module = extension("book_map")

    def links(*labels: str) -> nodes.document:
        page = new_document("page")
        for label in labels:
            page += pending_xref(refdomain="prf", reftarget=label)
        page += pending_xref(refdomain="std", reftarget="thm-a")
        return page

    pages = {"c/a": links(), "c/b": links("thm-a", "thm-a", "def-a", "thm-b", "none")}
    pages["c/c"] = links("thm-b", "thm-elsewhere")
    homes = {"thm-a": "c/a", "def-a": "c/a", "thm-b": "c/b", "thm-elsewhere": "c/d"}
    book = SimpleNamespace(
        proof_list={label: {"docname": home} for label, home in homes.items()},
        get_doctree=pages.__getitem__,
    )
    found = module.uses(book, list(pages))
    assert found == {("c/b", "c/a"): 2, ("c/c", "c/b"): 1}
    drawn = BeautifulSoup(
        module.draw(list(pages), {"c/a": "A", "c/b": "B & b", "c/c": "C"}, found),
        "html.parser",
    )
    assert [link["href"] for link in drawn.select("li a")] == [
        "a.html",
        "b.html",
        "c.html",
    ]
    words = {arc.title.get_text(): arc["stroke-width"] for arc in drawn.select(".arc")}
    assert words == {"B & b names 2 of: A": "2.0", "C names 1 of: B & b": "1.0"}
    assert not drawn.select(".ahead")
