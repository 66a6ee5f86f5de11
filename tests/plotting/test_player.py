"""The frame player shows all frames, asks for nothing, and says what it shows."""

from __future__ import annotations

import base64
import io
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from PIL import Image

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.player import frame_player
from convexnn_lib.plotting.style import new_figure


def _bars(count: int) -> FuncAnimation:
    """Black areas that fill the frame from the left, one part more each time."""
    figure, axes = new_figure(width=2, height=1, layout=None)
    axes.set_position([0, 0, 1, 1])
    axes.set_axis_off()
    axes.set_xlim(0, count)
    axes.set_ylim(0, 1)
    return FuncAnimation(
        figure,
        lambda k: [axes.axvspan(0, k + 1, color="black")],
        frames=count,
        init_func=list,
    )


def _dark(frame: bytes) -> float:
    with Image.open(io.BytesIO(frame)) as image:
        assert image.size == (180, 90)
        return float(np.mean(np.asarray(image.convert("L")) < 128))


def test_frames_are_those_of_the_animation() -> None:
    player = frame_player(_bars(4), list("abcd"), alt="bars")
    shares = [_dark(frame) for frame in player.frames]
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.75, 1.0], atol=0.02)
    assert repr(player) == "FramePlayer(4 frames)"
    assert player._repr_png_() == player.frames[-1]
    assert not plt.get_fignums()


def test_page_holds_all_it_needs() -> None:
    player = frame_player(_bars(3), ["t < 1", "1", "2"], alt='a "bar" & <more>')
    page = player._repr_html_()
    assert "http" not in page
    assert 'alt="a &quot;bar&quot; &amp; &lt;more&gt;"' in page
    assert "prefers-reduced-motion" in page
    found = re.search(r"const sources = (\[.*\]);", page)
    assert found
    decoded = [base64.b64decode(s.split(",")[1]) for s in json.loads(found[1])]
    assert tuple(decoded) == player.frames
    labels = re.search(r"const labels = (\[.*\]);", page)
    assert labels
    assert json.loads(labels[1]) == ["t < 1", "1", "2"]
    assert "<1" not in labels[1].replace(" ", "")
    # two on one page do not share an element
    assert page.split('"')[1] != player._repr_html_().split('"')[1]


def test_errors() -> None:
    animation = _bars(3)
    with pytest.raises(InvalidDataError, match="3 frames, but there are 2 labels"):
        frame_player(animation, ["a", "b"], alt="bars")
    with pytest.raises(InvalidDataError, match="alt is empty"):
        frame_player(animation, ["a", "b", "c"], alt=" ")
