"""Every number in a chapter's prose, captions and alt texts is computed or asserted.

Numbers in digits, and words from thirteen on, are looked up among those that the code
contains or prints. A share in words, such as "about half" or "eight of the ten", is
looked up in a table, which names the assertion that states it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Numbers up to this one are read as words: two samples, 3 features, part 4.
SMALL = 12
YEARS = range(1800, 2100)

# What is no claim about a computation, or is owed an assertion.
_READ = "read off the figure"
EXEMPT: dict[str, dict[str, str]] = {
    "clarke_stationarity": {"61": "one more than the 60 samples"},
    "convex_equivalence": {
        "0.71": "one half's square root",
        "1.17": "1.3 times 0.9",
        "240": _READ,
        "28": "a section of a cited book",
        "31.1": "a theorem of a cited book",
    },
    "global_optima": {
        "-120": "a third of a turn, made of sines and cosines",
        "120": "a third of a turn, made of sines and cosines",
        "1.5": _READ,
    },
    "implicit_bias": {"0.95": "3 divided by the square root of 10"},
}

# Shares in words, with a part of the assertion that says it, or with the reason why
# none does, after a colon.
SHARES: dict[str, dict[str, str]] = {
    "beyond_the_talk": {
        "about two thirds": "abs(binom.sf(d - 1, 2 * d, 0.5) - 2 / 3) < 0.05",
        "twice": "1.5 < 0.1 * start_sharpness / 2 < 2.5",
        "none of 100": "outcomes[2, 100] == 0.0",
    },
    "clarke_stationarity": {
        "half": "np.allclose(ends, [[0.0, -0.5], [0.0, 0.5]])",
        "less than one percent": "diabetes.objective(trained) < 1.01 * rest.value",
        "more than half": "sum(near) > 20",
        "within half a percent": "sum(near) > 20",
        "about half": "abs(np.mean(saddles[near]) - 0.5) < 0.15",
    },
    "convex_equivalence": {
        "below one millionth": "certify(network, diabetes).relative_gap < 1e-06",
        "more than twice": "for c in own]) > 2 * np.median(excess)",
        "below a thousandth": "excess > 0.0005 if m < 4 else excess < 1e-05",
        "about a third": "m < 8 or 9 < found < 19",
        "more than ten percent": "min(others) > 1.1 * optimum.value",
    },
    "covers_count": {
        "exactly one half": "2 * cover_count(2 * d, d) == 2 ** (2 * d)",
        "one half": "2 * cover_count(2 * d, d) == 2 ** (2 * d)",
        "nearly a quarter": "0.2 < 1 - count_patterns(X_iris)",
        "at least two of the 80": ": what a line of the data is",
        "at most twice": ": a theorem of a cited paper",
    },
    "global_optima": {"half": "np.allclose(middle, [0.875, 0.875 / 2])"},
    "hyperplane_arrangements": {
        "two of the three": "total == [0, 0]",
        "sixteen of the 22": "len(on_the_plane) == 1 + 5 + 10",
        "half": "len(missing) == 32 == 64 - len(listed)",
        "three of the 4,866": ": those that the figure draws",
        "about half": "correct == 97",
        "nearly a hundred times": "90 < angles.max() / angles.min() < 100",
        "fewer than half": "2 * found[-1] < total",
    },
    "implicit_bias": {
        "eight of the ten": "(covered.sum(), max(aligned) < 7) == (8, True)",
        "twice": ": outputs are homogeneous of degree two",
        "four times": ": outputs are homogeneous of degree two",
        "within half": ": the zero line lies in the middle of the gap",
    },
    "max_margin": {
        "ten times": ": by definition of the column",
        "more than half a percent": "0.99 * best < margin < 0.995 * best",
        "within one percent": "excess[0][-1] < 0.01",
        "below a thousandth": "excess[2][-1] < 0.001",
        "more than ten percent": "excess[1][-4:].max() > 0.1",
        "below a millionth": "excess[4][-1] < 1e-06",
        "almost twice": "1.8 * upper < 2 * np.linalg.norm(w) < 2 * upper",
    },
    "what_is_hard": {
        "within half a percent": "ratios['semidefinite'][0] > 0.995 * alpha ** (-0.5)",
        "within three percent": "min(ratios['rounded']) > 0.97",
    },
    "without_patterns": {
        "five percent": ": an example of the proposition",
        "at most five percent": ": an example of the proposition",
        "half": ": the positive part, and half of a sum, are what they are",
        "more than five percent": "0 < gap < 0.05",
        "less than one percent": "0 <= certificate.primal / trained.value - 1 < 0.01",
    },
}

NOT_PROSE = re.compile(
    r"^(`{3,}|:{3,})\{(?:code|image|math)[^\n]*\n.*?^\1"  # directives without text
    r"|^```.*?^```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`"  # code, mathematics
    r"|^\*Running time:[^\n]*$"  # another test measures it
    r"|\bpatterns? [01]{2,}(?:(?:, | and )[01]{2,})*"
    r"|\]\([^)]*\)|https?:\S+|^:[\w-]+: \S*|^\([\w-]+\)=$|\{[\w:]+\}`[^`]*`",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"(?<![\w.-])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w,.]*\d)")

UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
STEMS = ["thir", "four", "fif", "six", "seven", "eigh", "nine"]
TEENS = [stem + "teen" for stem in STEMS]
TENS = [stem + "ty" for stem in ["twen", "thir", "for", *STEMS[2:]]]
SMALL_WORDS = [*UNITS, "ten", "eleven", "twelve"]
WORDS = {word: n for n, word in enumerate(SMALL_WORDS + TEENS, 1)}
WORDS |= {word: 10 * n for n, word in enumerate(TENS, 2)}
LARGE_WORD = re.compile(
    rf"\b(?:({'|'.join(TENS)})(?:-({'|'.join(UNITS)}))?|({'|'.join(TEENS)}))\b",
    re.IGNORECASE,
)

# Statements are proved, not measured. Units of time and turns are no shares.
STATEMENT = re.compile(r"^(:{3,})\{(?:prf:|admonition)[^\n]*\n.*?^\1$", re.M | re.S)
_WORD = "|".join(WORDS)
SHARE = re.compile(
    rf"""\b
    (?:(?:exactly|about|nearly|almost|over|within|below
        |(?:hardly\ )?(?:more|less|fewer)\ than|at\ (?:least|most))\ )?
    (?:
      (?:(?:one|a)\ )?(?<!left\ )(?<!right\ )half(?![\w-])(?:\ a\ percent)?
        (?!\ (?:an?|of\ a)\ (?:turn|minute|hour|century))
      | (?:two|{_WORD})\ thirds | (?:a|one)\ third(?=\ of\b|\W*[.,;:)]|\W*$)
      | (?:a|one|three)\ quarters? | (?:a|one)\ (?:ten|hundred|thousand|million)th
      | twice(?=\ (?:as|the|\d)) | (?:a\ hundred|{_WORD})\ times(?=\ (?:as|the))
      | (?:{_WORD})\ percent
      | (?:none|(?!one\b)(?:{_WORD}))\ of\ (?:(?:the|these|all)\ )?
        (?:\d+(?:,\d+)*|(?!one\b)(?:{_WORD}))
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)


def prose(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield the texts in which a reader meets numbers, without their mathematics."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text, exercises, _ = cell.source.partition("\n## Exercises\n")
            yield NOT_PROSE.sub(" ", text)
            if exercises or text.startswith("## Exercises\n"):
                return
        mystnb = cell.metadata.get("mystnb", {})
        for text in (
            mystnb.get("figure", {}).get("caption", ""),
            mystnb.get("image", {}).get("alt", ""),
        ):
            yield NOT_PROSE.sub(" ", text)


def known(notebook: nbformat.NotebookNode) -> list[float]:
    """Return the numbers that the code of a chapter contains or prints."""
    numbers: list[float] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant):
                if isinstance(node.value, int | float):
                    numbers.append(abs(float(node.value)))
                elif isinstance(node.value, str):
                    numbers += map(_value, NUMBER.findall(node.value))
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get(
                "text/plain", ""
            )
            numbers += map(float, re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", text))
    return numbers


def _digits(word: re.Match[str]) -> str:
    return str(sum(WORDS[part.lower()] for part in word.groups() if part))


def _value(number: str) -> float:
    return float(number.lstrip("-−").replace(",", ""))


def shares(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield the shares in words that the prose outside of statements contains."""
    for text in prose(notebook):
        words = " ".join(STATEMENT.sub(" ", text).split())
        yield from (share.lower() for share in SHARE.findall(words))


def assertions(notebook: nbformat.NotebookNode) -> str:
    """Return the assertions of a chapter, as Python writes them."""
    return "\n".join(
        ast.unparse(node)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Assert)
    )


def unknown(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the numbers of the prose that no code contains and no output rounds to."""
    values = known(notebook)
    found = []
    for text in prose(notebook):
        for number in NUMBER.findall(LARGE_WORD.sub(_digits, text)):
            value = _value(number)
            decimals = len(number.partition(".")[2])
            year = value in YEARS and "," not in number
            if decimals == 0 and (value <= SMALL or year):
                continue
            half = 0.5 * 10.0**-decimals * (1 + 1e-9)
            if not any(
                abs(factor * other - value) <= half
                for other in values
                for factor in (1.0, 100.0)  # percent
            ):
                found.append(number)
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_numbers_in_prose_are_computed_or_asserted(path: Path) -> None:
    exempt = EXEMPT.get(path.stem, {})
    found = unknown(nbformat.read(path, as_version=4))
    assert sorted(set(found) - set(exempt)) == []
    assert sorted(set(exempt) - set(found)) == [], "exemptions that nothing needs"
    assert all(exempt.values()), "each exemption has a reason"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_shares_in_words_are_asserted(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    stated = SHARES.get(path.stem, {})
    assert sorted(set(shares(notebook)) - set(stated)) == []
    assert sorted(set(stated) - set(shares(notebook))) == [], "entries of no share"
    checked = assertions(notebook)
    missing = [s for s in stated.values() if s[0] != ":" and s not in checked]
    assert missing == [], "no assertion says so"
    assert all(len(statement) > 4 for statement in stated.values())


def _chapter(text: str, code: str, printed: str) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("stream", name="stdout", text=printed)
    cells = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell(code, outputs=[output]),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It finds 4,866 patterns, 97.3 % of them, in 1975.", []),
        ("It finds 4,867 patterns.", ["4,867"]),
        ("It finds 1,975 patterns.", ["1,975"]),
        ("The share is 0.973, or 0.97, about 97 %.", []),
        ("The share is 0.974.", ["0.974"]),
        ("The patterns 111, 011 and 110 are not the 101 cells.", ["101"]),
        ("For $n=77$, `x[55]` and [a](page55) nothing is claimed: 13 others.", ["13"]),
        ("Of 20 samples, 2.5 to 3 are.", ["2.5"]),
        (
            "Sixteen of Twenty, and twenty-one, or thirty-three-fold.",
            ["16", "21", "33"],
        ),
        ("Two 3-dimensional sets of 20.\n\n## Exercises\n\nGive 77 rows.", []),
    ],
)
def test_wrong_numbers_are_found(text: str, missing: list[str]) -> None:
    chapter = _chapter(text, "assert len(rows) == 4_866\nn = 20", "share 0.9731\n")
    assert unknown(chapter) == missing


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("More than half of them, about half, and one half.", 3),
        (
            "Half a minute, half a turn, a half-plane, its left half, the third.",
            0,
        ),
        (
            "Two thirds; a third. A third neuron, nearly a quarter, a thousandth.",
            4,
        ),
        ("Eight of the ten, none of 100, one of the two, each of the four.", 2),
        ("Twice as large, ten times the cost, met twice, and three percent.", 3),
        (":::{prf:proof}\nHalf of it.\n:::\nNine\nof ten are left.", 1),
        ("A two-layer network with one neuron, and three of its weights.", 0),
    ],
)
def test_shares_are_found(text: str, found: int) -> None:
    assert len(list(shares(_chapter(text, "", "")))) == found


def test_captions_and_alt_texts_are_read() -> None:
    chapter = _chapter("No number.", "n = 20", "")
    chapter.cells[1].metadata["mystnb"] = {
        "figure": {"caption": "With 20 samples and 31 patterns.", "name": "fig"},
        "image": {"alt": "A curve falls to 0.55."},
    }
    assert unknown(chapter) == ["31", "0.55"]
