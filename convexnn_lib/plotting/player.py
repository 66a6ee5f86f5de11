"""An animation as a picture that readers step through, in a notebook or on a page.

Moving pictures by `matplotlib.animation` ask for a movie or for scripts and fonts from
elsewhere. Here the frames lie in the page, a slider chooses one of them, and nothing
moves unless the reader asks for it.
"""

from __future__ import annotations

import base64
import html
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.animation import AbstractMovieWriter, FuncAnimation
from PIL import Image

from convexnn_lib.errors import InvalidDataError

__all__ = ["FramePlayer", "frame_player"]

_COLOURS = 48  # of a frame: lines, fills, and the steps of their edges


@dataclass(frozen=True, eq=False, repr=False)
class FramePlayer:
    """Frames with a slider, which a notebook and the built book show.

    Attributes
    ----------
    frames : tuple of bytes
        The pictures, as PNG files.
    labels : tuple of str
        What the slider says at each of them.
    alt : str
        What the pictures show, for readers who do not see them.
    """

    frames: tuple[bytes, ...]
    labels: tuple[str, ...]
    alt: str

    def __repr__(self) -> str:
        """Return the number of frames."""
        return f"FramePlayer({len(self.frames)} frames)"

    def _repr_png_(self) -> bytes:
        """Return the last frame, for a printed page."""
        return self.frames[-1]

    def _repr_html_(self) -> str:
        """Return the last frame with a slider and a button, all in one element.

        The button is not offered to readers whose system asks for less motion.
        """
        sources = [
            "data:image/png;base64," + base64.b64encode(frame).decode()
            for frame in self.frames
        ]
        with Image.open(io.BytesIO(self.frames[-1])) as picture:
            width, height = picture.size
        return _PAGE.format(
            name=f"player-{uuid.uuid4().hex}",
            alt=html.escape(self.alt, quote=True),
            source=sources[-1],
            width=width,
            height=height,
            last=len(sources) - 1,
            label=html.escape(self.labels[-1], quote=True),
            sources=json.dumps(sources),
            labels=json.dumps(self.labels).replace("<", "\\u003c"),
        )


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
        If there is not one label for each frame, or no alternative text.
    """
    if not alt.strip():
        raise InvalidDataError("alt is empty; say what the pictures show.")
    writer = _PNGWriter()
    animation.save("frames", writer=writer, dpi=dpi)
    if len(writer.frames) != len(labels):
        raise InvalidDataError(
            f"the animation has {len(writer.frames)} frames, but there are "
            f"{len(labels)} labels; give one for each."
        )
    return FramePlayer(tuple(writer.frames), tuple(labels), alt)


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


_PAGE = """\
<div id="{name}" style="max-width: {width}px">
<img alt="{alt}" src="{source}" width="{width}" height="{height}"
 style="display: block; width: 100%; height: auto; background: white">
<div style="display: flex; gap: 0.75em; align-items: center; margin-top: 0.5em">
<button type="button" hidden style="min-width: 4.5em">Play</button>
<input type="range" min="0" max="{last}" value="{last}" step="1"
 aria-label="frame" aria-valuetext="{label}" style="flex: 1; min-width: 0">
<output aria-live="off" style="min-width: 5em">{label}</output>
</div>
<script>
(() => {{
  const root = document.getElementById("{name}");
  const [picture, button, slider, text] =
    ["img", "button", "input", "output"].map((tag) => root.querySelector(tag));
  const sources = {sources};
  const labels = {labels};
  let timer = null;
  const show = (k) => {{
    picture.src = sources[k];
    slider.value = k;
    slider.setAttribute("aria-valuetext", labels[k]);
    text.textContent = labels[k];
  }};
  const stop = () => {{
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }};
  slider.addEventListener("input", () => {{ stop(); show(Number(slider.value)); }});
  button.addEventListener("click", () => {{
    if (timer !== null) {{ stop(); return; }}
    let k = Number(slider.value) < {last} ? Number(slider.value) : -1;
    button.textContent = "Stop";
    timer = setInterval(() => {{
      k += 1;
      show(k);
      if (k === {last}) stop();
    }}, 250);
  }});
  button.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
}})();
</script>
</div>"""
