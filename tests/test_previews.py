"""The previews that the build cuts out of its pages."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

PAGE = """
<p><a href="#eq-outside">not in the article</a></p><article>
<a class="reference" href="b.html#thm-far">far</a> <a href="#thm-one">near</a>
<a href="https://example.org/#x">elsewhere</a>
<div class="proof" id="thm-one"><p><span>Theorem 1</span><button>copy</button></p>
<p id="inner">See <a href="#x">it</a>. <img alt="a" src="../_images/p.webp"></p></div>
<section id="sec-x"><h2>Title<a class="headerlink" href="#sec-x">#</a></h2>
<p>First words.</p><p>Second.</p><span id="index-1"></span><p>A term.</p></section>
<dl><dt id="convexnn_lib.solve">solve(problem)</dt>
<dd><p>Train.</p><p>More.</p></dd></dl>
</article>
"""


@pytest.fixture
def module(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("_ext/previews.py")


def test_targets_are_what_pages_link_to(module: ModuleType) -> None:
    found = module.targets({"chapters/a": PAGE, "chapters/b": "<article></article>"})
    assert found["chapters/b"] == {"thm-far"}
    assert {"thm-one", "x"} <= found["chapters/a"]
    assert set(found) == {"chapters/a", "chapters/b"}


def test_a_box_is_shown_whole_and_cannot_be_pressed(module: ModuleType) -> None:
    (text,) = module.previews("chapters/a", PAGE, {"thm-one"}).values()
    assert "Theorem 1" in text
    assert "See it" in text
    assert 'src="{root}_images/p.webp"' in text
    for noise in ("<a", "<button", "id="):
        assert noise not in text


def test_a_section_and_a_function_show_their_first_words(module: ModuleType) -> None:
    names = {"sec-x", "convexnn_lib.solve"}
    section, function = (
        module.previews("chapters/a", PAGE, names)[name]
        for name in ("sec-x", "convexnn_lib.solve")
    )
    assert "Title" in section
    assert "First words" in section
    assert "solve(problem)" in function
    assert "Train." in function
    assert "Second" not in section
    assert "More" not in function


def test_a_term_shows_the_words_that_follow(module: ModuleType) -> None:
    (text,) = module.previews("chapters/a", PAGE, {"index-1"}).values()
    assert text == "<p>A term.</p>"


def test_what_nobody_links_to_has_none(module: ModuleType) -> None:
    assert module.previews("chapters/a", PAGE, {"thm-two"}) == {}
