"""The printed book: numbers as in the pages, solutions in an appendix, its look."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.writers.latex import LaTeXTranslator
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node
from sphinx_proof.nodes import NODE_TYPES, proof_node

# Palatino with mathematics of the same design; DejaVu for the Greek letters in code.
FONTS = r"""
\setmainfont{texgyrepagella}[
  Extension = .otf, UprightFont = *-regular, ItalicFont = *-italic,
  BoldFont = *-bold, BoldItalicFont = *-bolditalic]
\setsansfont{texgyreheros}[
  Extension = .otf, UprightFont = *-regular, ItalicFont = *-italic,
  BoldFont = *-bold, BoldItalicFont = *-bolditalic, Scale = 0.92]
\setmonofont{DejaVuSansMono}[
  Extension = .ttf, UprightFont = *, ItalicFont = *-Oblique,
  BoldFont = *-Bold, BoldItalicFont = *-BoldOblique, Scale = 0.8]
"""

PREAMBLE = r"""
\usepackage{unicode-math}
\setmathfont{texgyrepagella-math.otf}
\AtBeginDocument{\renewcommand{\setminus}{\mathbin{\backslash}}}  % not in the font
\hypersetup{pdfencoding=auto, psdextra}
\addto\captionsenglish{\renewcommand{\contentsname}{Contents}}
\setcounter{secnumdepth}{1}
\setcounter{tocdepth}{1}
\usepackage[breakable, skins]{tcolorbox}
\tcbset{book/.style={
  breakable, lines before break=4, enhanced, frame hidden, sharp corners,
  left=3mm, right=2mm, top=1.5mm, bottom=1.5mm, before skip=3mm, after skip=3mm,
  fonttitle=\bfseries, coltitle=black, attach title to upper={\par\smallskip}}}
\newtcolorbox{bookstatement}[2]{book, title={#1#2},
  colback=black!4, borderline west={0.8mm}{0pt}{black!55}}
\newtcolorbox{bookexercise}[1]{book, title={#1},
  colback=white, borderline west={0.4mm}{0pt}{black!55}}
\newenvironment{bookproof}{\par\medskip\noindent}{\hfill$\square$\par\medskip}
"""

PREFACE = r"""
\chapter*{Preface}
\addcontentsline{toc}{chapter}{Preface}
\markboth{Preface}{Preface}
"""

STATEMENTS = list(NODE_TYPES.values())


# what ``%matplotlib inline`` reads in the kernels that execute the chapters
KERNEL_CONFIG = 'c.InlineBackend.figure_formats = {"png", "pdf"}\n'


def draw_vectors(app: Sphinx, config: Config) -> None:
    """Have every figure drawn for the pages and, as vectors, for the printed book."""
    folder = Path(app.outdir).parent / "ipython"
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_CONFIG)
    os.environ["IPYTHONDIR"] = str(folder.resolve())


def configure(app: Sphinx, config: Config) -> None:
    """Set up LaTeX, with the macros of MathJax, so that each is defined in one place.

    Runs after sphinx-jupyterbook-latex, whose preamble it replaces.
    """
    macros = config.mathjax3_config["tex"]["macros"]
    commands = [_command(name, macro) for name, macro in macros.items()]
    config.latex_elements = {
        **config.latex_elements,
        "papersize": "a4paper",
        "pointsize": "11pt",
        "fontpkg": FONTS,
        "fncychap": "",
        "figure_align": "H",  # where the cell is that draws it
        "preamble": PREAMBLE + "\n".join(commands),
    }
    config.latex_additional_files = [str(Path(__file__).with_name("bbm.sty"))]
    config.latex_domain_indices = False  # lists of labels, of no use to a reader
    author = config.author.replace("_", r"\_")
    config.latex_documents = [
        (config.root_doc, "convexnn.tex", config.project, author, "jupyterBook")
    ]


def _command(name: str, macro: str | list[Any]) -> str:
    """Return the LaTeX definition of a macro of MathJax.

    unicode-math defines some names, such as R, late, at the beginning of the document.
    """
    body, count = (macro, 0) if isinstance(macro, str) else macro
    arguments = f"[{count}]" if count else ""
    return (
        rf"\AtBeginDocument{{\providecommand{{\{name}}}{{}}"
        rf"\renewcommand{{\{name}}}{arguments}{{{body}}}}}"
    )


def number_by_chapter(app: Sphinx) -> None:
    """Count theorems, figures and equations within chapters, as in the pages.

    sphinx-jupyterbook-latex wants one level more, that of the parts, for LaTeX's
    counters, but Sphinx's own numbers know nothing of parts.
    """
    if app.builder.name == "latex":
        app.config.numfig_secnum_depth = 1


def arrange(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Give the preface its title, free the proofs of boxes, move the solutions."""
    if app.builder.name != "latex":
        return
    app.config.numfig_secnum_depth = 2  # LaTeX's counters do know the parts
    preface = next(document.findall(nodes.section))
    preface.insert(1, nodes.raw("", PREFACE, format="latex"))

    for proof in document.findall(proof_node):
        (box,) = proof.children
        proof.children = []
        proof += box.children

    solutions: dict[str, addnodes.start_of_file] = {}
    for node, parent, chapter in list(_walk(document)):
        if isinstance(node, tuple(STATEMENTS)):
            node["chapter"] = chapter
        elif isinstance(node, solution_node):
            parent.children.remove(node)
            if chapter not in solutions:
                # in a file of its own, so that references resolve as in the chapter
                solutions[chapter] = addnodes.start_of_file(docname=chapter)
                title = app.env.titles[chapter].astext()
                solutions[chapter] += nodes.rubric("", title)
            solutions[chapter] += node
    if solutions:
        document += nodes.raw("", r"\appendix", format="latex")
        document += _section("Appendix", _section("Solutions", *solutions.values()))


def _section(title: str, *children: nodes.Element) -> nodes.section:
    """Return a section, on the level of parts if it is at the top."""
    name = nodes.make_id(title)
    return nodes.section("", nodes.title("", title), *children, ids=[name])


def _walk(
    node: nodes.Element, chapter: str = ""
) -> Iterator[tuple[nodes.Element, nodes.Element, str]]:
    """Yield all elements below one, with their parents and the chapters they are in.

    The parents that the nodes remember are those before the chapters were put together.
    """
    for child in node.children:
        if isinstance(child, nodes.Element):
            is_file = isinstance(child, addnodes.start_of_file)
            inside = child["docname"] if is_file else chapter
            yield child, node, inside
            yield from _walk(child, inside)


def visit_statement(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """Begin a theorem; its title, the second argument, follows as a node."""
    chapter = node["chapter"]
    numbers = translator.builder.env.toc_fignumbers[chapter][node["countertype"]]
    number = ".".join(map(str, numbers[node["ids"][0]]))
    label = rf"\phantomsection\label{{\detokenize{{{chapter}:{node['label']}}}}}"
    kind = node["realtype"].title()
    translator.body.append(f"\n{label}\\begin{{bookstatement}}{{{kind} {number}}}")


def depart_statement(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """End a theorem."""
    translator.body.append("\\end{bookstatement}\n")


def visit_proof(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """Begin a proof, whose text says that it is one."""
    translator.body.append("\n\\begin{bookproof}")


def depart_proof(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """End a proof with the sign for it."""
    translator.body.append("\\end{bookproof}\n")


def visit_exercise(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """Begin an exercise or a solution; its title is the argument."""
    label = node["label"]
    if isinstance(node, exercise_enumerable_node):
        label = f"exercise:{label}"
    else:
        # an attribute that sphinx-exercise gives Sphinx's environment
        registry = vars(translator.builder.env)["sphinx_exercise_registry"]
        exercise = registry[label]
        label = f"{exercise['docname']}:{label}"
    translator.body.append(
        f"\n\\phantomsection\\label{{{label}}}\\begin{{bookexercise}}"
    )


def depart_exercise(translator: LaTeXTranslator, node: nodes.Element) -> None:
    """End an exercise or a solution."""
    translator.body.append("\\end{bookexercise}\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.setup_extension("sphinx_proof")
    app.setup_extension("sphinx_exercise")
    for node in STATEMENTS:
        app.add_node(node, override=True, latex=(visit_statement, depart_statement))
    app.add_node(proof_node, override=True, latex=(visit_proof, depart_proof))
    for node in (exercise_enumerable_node, solution_node):
        app.add_node(node, override=True, latex=(visit_exercise, depart_exercise))
    app.connect("config-inited", draw_vectors)
    app.connect("config-inited", configure, priority=900)
    app.connect("builder-inited", number_by_chapter, priority=900)
    app.connect("doctree-resolved", arrange, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
