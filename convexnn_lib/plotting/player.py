"""An animation as a picture that readers step through, in a notebook or on a page.

Moving pictures by `matplotlib.animation` ask for a movie or for scripts and fonts from
elsewhere. Here the frames lie in the page, a slider chooses one of them, and nothing
moves unless the reader asks for it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from matplotlib.animation import AbstractMovieWriter, FuncAnimation
from PIL import Image

from convexnn_lib._extras import extra
from convexnn_lib.errors import InvalidDataError

with extra("widgets", "The player of frames"):
    import anywidget
    import traitlets

__all__ = ["FramePlayer", "frame_player"]

_COLOURS = 48  # of a frame: lines, fills, and the steps of their edges
_CONTROLS = 50  # pixels below the picture

_STYLE = """
.frame-player img { display: block; width: 100%; height: auto; background: #ffffff; }
.frame-player-controls { display: flex; gap: 0.75em; align-items: center; }
.frame-player-controls { margin-top: 0.5em; }
.frame-player-controls button { min-width: 4.5em; }
.frame-player-controls input { flex: 1; min-width: 0; }
.frame-player-controls output { min-width: 5em; }
"""


class FramePlayer(anywidget.AnyWidget):
    """Frames with a slider, which a notebook and the built book show.

    The state and the script are all it needs, so that it also works in the built book,
    where the page reserves the height ``_heights`` for it.

    Attributes
    ----------
    frames : list of str
        The pictures, as PNG files in base64.
    labels : list of str
        What the slider says at each of them.
    alt : str
        What the pictures show, for readers who do not see them.
    """

    _esm = files("convexnn_lib.plotting").joinpath("player.js").read_text("utf-8")
    _css = traitlets.Unicode(_STYLE).tag(sync=True)
    _heights = traitlets.List(traitlets.Int()).tag(sync=True)
    frames = traitlets.List(traitlets.Unicode()).tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        """Return the number of frames."""
        return f"FramePlayer({len(self.frames)} frames)"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Offer the player, its text, and the last frame for a printed page."""
        bundle = super()._repr_mimebundle_(**kwargs)
        assert bundle is not None  # it has a view
        data, metadata = bundle
        return {**data, "image/png": base64.b64decode(self.frames[-1])}, metadata


def frame_player(
    animation: FuncAnimation, labels: Sequence[str], *, alt: str, dpi: int = 90
) -> FramePlayer:
    """Turn an animation into a picture with a slider.

    Parameters
    ----------
    animation : matplotlib.animation.FuncAnimation
        The animation.
    labels : sequence of str
        What the slider says at each frame, such as the time.
    alt : str
        What the pictures show, in a sentence or two.
    dpi : int
        Pixels per inch.

    Returns
    -------
    FramePlayer
        Its frames lie within the page, and it asks for nothing from elsewhere.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is not one label for each frame, fewer than two frames, or no
        alternative text.
    """
    if not alt.strip():
        raise InvalidDataError("alt is empty; say what the pictures show.")
    writer = _PNGWriter()
    animation.save("frames", writer=writer, dpi=dpi)
    count = len(writer.frames)
    if count != len(labels) or count < 2:
        raise InvalidDataError(
            f"the animation has {count} frames, but there are {len(labels)} labels; "
            "give one for each of two frames or more."
        )
    with Image.open(io.BytesIO(writer.frames[0])) as picture:
        width, height = picture.size
    narrow = round(height * min(1.0, 350 / width))
    player = FramePlayer(
        frames=[base64.b64encode(frame).decode() for frame in writer.frames],
        labels=list(labels),
        alt=alt,
        _heights=[height + _CONTROLS, narrow + _CONTROLS],
    )
    player._css += f".frame-player {{ max-width: {width}px; }}\n"
    return player


class _PNGWriter(AbstractMovieWriter):
    """Keep the frames of an animation as small PNG files, in memory."""

    def setup(self, fig: Any, outfile: Any, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)
        self.frames: list[bytes] = []

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        drawn, small = io.BytesIO(), io.BytesIO()
        self.fig.savefig(drawn, format="png", dpi=self.dpi)
        with Image.open(drawn) as picture:
            picture.convert("RGB").quantize(_COLOURS).save(
                small, format="png", optimize=True
            )
        self.frames.append(small.getvalue())

    def finish(self) -> None:
        """There is no file to close."""
