"""Badges on theorems: the statements of the talk that they settle, and the tests.

Both stand in the ledger, where each statement names its theorem, its verdict and its
tests. So a badge cannot say what the ledger does not; a theorem that it does not name
has none. Only HTML has badges: in print they would lead nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_proof.nodes import NODE_TYPES

LEDGER = "chapters/ledger"
CLAIM = re.compile(
    r"^:::\{claim\} (.*?)\n:proof: (.*?)\n.*?^:test: (.*?)\n.*?^:::$",
    re.MULTILINE | re.DOTALL,
)
LABEL = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([\w-]+)>?`")


@dataclass(frozen=True)
class Claim:
    """A statement of the talk: its number, the verdict, and its tests."""

    number: int
    verdict: str
    tests: tuple[str, ...]


def claims_by_theorem(ledger: str) -> dict[str, list[Claim]]:
    """Return which statements of the ledger rest on which theorem, by its label."""
    found: dict[str, list[Claim]] = {}
    for number, (verdict, proof, tests) in enumerate(CLAIM.findall(ledger), 1):
        claim = Claim(number, verdict, tuple(re.split(r",\s*", tests.strip())))
        for label in LABEL.findall(proof):
            found.setdefault(label, []).append(claim)
    return found


def badges(claims: list[Claim]) -> str:
    """Return the badges of a theorem as HTML."""
    links = "".join(
        f'<a class="badge claim-{claim.verdict.replace(" ", "-")}" '
        f'href="ledger.html#claim-{claim.number}">'
        f"{claim.number}: {claim.verdict}</a>"
        for claim in claims
    )
    tests = list(dict.fromkeys(test for claim in claims for test in claim.tests))
    names = "".join(f"<li><code>{escape(test)}</code></li>" for test in tests)
    count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    return (
        f'<div class="badges"><span>In the talk: {links}</span>'
        f"<details><summary>{count}</summary><ul>{names}</ul></details></div>"
    )


class AddBadges(SphinxPostTransform):
    """Put its badges below each theorem."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        text = Path(self.env.doc2path(LEDGER)).read_text(encoding="utf-8")
        claims = claims_by_theorem(text)
        for box in self.document.findall(nodes.Element):
            named = set(box["ids"]) & set(claims)
            if isinstance(box, tuple(NODE_TYPES.values())) and named:
                box += nodes.raw("", badges(claims[min(named)]), format="html")


def depend_on_ledger(app: Sphinx, document: nodes.document) -> None:
    """Write the pages anew when the ledger has changed."""
    if app.env.docname != LEDGER:
        app.env.note_dependency(app.env.doc2path(LEDGER))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform; called by Sphinx."""
    app.connect("doctree-read", depend_on_ledger)
    app.add_post_transform(AddBadges)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
