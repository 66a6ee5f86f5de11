"""The frame player shows all frames, asks for nothing, and says what it shows."""

from __future__ import annotations

import base64
import io
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
    frames = [base64.b64decode(frame) for frame in player.frames]
    shares = [_dark(frame) for frame in frames]
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.75, 1.0], atol=0.02)
    assert (player.labels, player.alt) == (list("abcd"), "bars")
    assert player._heights == [140, 140]
    assert not plt.get_fignums()


def test_what_a_cell_stores() -> None:
    player = frame_player(_bars(2), ["1", "2"], alt="bars")
    data, _ = player._repr_mimebundle_()
    assert data["text/plain"] == repr(player) == "FramePlayer(2 frames)"
    assert data["image/png"] == base64.b64decode(player.frames[-1])
    assert "application/vnd.jupyter.widget-view+json" in data


def test_it_asks_for_nothing_from_elsewhere() -> None:
    player = frame_player(_bars(2), ["1", "2"], alt="bars")
    for source in (player._esm, player._css):
        assert "http" not in source
    # types, which comments import, are for the check of the script alone
    assert not re.search(r"^\s*import\b|\bimport\(", player._esm, re.MULTILINE)
    assert "import" not in player._css
    assert "prefers-reduced-motion" in player._esm


def test_errors() -> None:
    animation = _bars(3)
    with pytest.raises(InvalidDataError, match="3 frames, but there are 2 labels"):
        frame_player(animation, ["a", "b"], alt="bars")
    with pytest.raises(InvalidDataError, match="alt is empty"):
        frame_player(animation, ["a", "b", "c"], alt=" ")
    with pytest.raises(InvalidDataError, match="two frames or more"):
        frame_player(_bars(1), ["a"], alt="bars")
