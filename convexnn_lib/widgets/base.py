"""What the interactive figures share on Python's side."""

from __future__ import annotations

import io
import posixpath
import re
from abc import abstractmethod
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets

from convexnn_lib._validation import FloatArray

__all__ = ["InteractiveFigure", "Numbers", "module_source"]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\./[\w./-]+\.js)";\n', re.MULTILINE)
_FOLDER = files("convexnn_lib.widgets")


def module_source(name: str, folder: Traversable = _FOLDER) -> str:
    """Return the JavaScript of a figure as one module that imports nothing.

    A page that is opened from a folder may not import a second file. So the texts of
    all files that ``name.js`` imports, by lines ``import { ... } from "./x.js";``, are
    put before its own, each once and after those that it imports. Where two of these
    files have one name at their top, browsers refuse the module.
    """
    texts: dict[str, str] = {}

    def add(path: str) -> None:
        text = folder.joinpath(path).read_text(encoding="utf-8")
        for names, target in _IMPORT.findall(text):
            if " as " in names:
                raise ValueError(
                    f"{path} must not rename what it imports from {target}."
                )
            imported = posixpath.normpath(
                posixpath.join(posixpath.dirname(path), target)
            )
            if imported not in texts:
                add(imported)
        texts[path] = _IMPORT.sub("", text)
        if re.search(r"^import\b", texts[path], re.MULTILINE):
            form = 'import { ... } from "./x.js";'
            raise ValueError(f"{path} may import only by lines of the form {form}")

    add(f"{name}.js")
    return "\n".join(texts.values())


class InteractiveFigure(anywidget.AnyWidget):
    """A figure whose state is shared by Python and the page.

    A subclass ``XFigure`` in ``x.py`` supplies

    * ``_esm = module_source("x")``, the module ``x.js`` with a default export
      ``{ render({ model, el }) }``;
    * ``heights``, the pixels that the figure takes beside and below each other (at a
      width of 700 and of 350 pixels), which the page reserves before it is drawn;
    * its state as traits tagged ``sync=True``, numbers as ``Numbers``;
    * ``picture``, the present state drawn by matplotlib, for the PDF and for readers
      whose browser runs no scripts;
    * ``summary``, the present state in a few words, which notebooks store as text: it
      must be the same in every run.
    """

    _css = _FOLDER.joinpath("shared.css").read_text("utf-8")
    heights: ClassVar[tuple[int, int]]
    _heights = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, **state: Any) -> None:
        super().__init__(_heights=list(self.heights), **state)

    @abstractmethod
    def picture(self) -> Any:
        """Return a figure of matplotlib, or None where the state has no picture."""

    @abstractmethod
    def summary(self) -> str:
        """Return the present state in a few words."""

    def __repr__(self) -> str:
        """Return the name of the class and the state in a few words."""
        return f"{type(self).__name__}({self.summary()})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Offer the live figure, its picture and its text."""
        bundle = super()._repr_mimebundle_(**kwargs)
        assert bundle is not None  # figures have a view
        data, metadata = bundle
        figure = self.picture()
        if figure is None:
            return data, metadata
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=160)
        return {**data, "image/png": stream.getvalue()}, metadata


class Numbers(traitlets.TraitType[Any, Any]):
    """Numbers in one or two dimensions, kept as tuples, which cannot change in place.

    Parameters
    ----------
    default : array_like
        The value of a figure that is made without one. It sets the number of
        dimensions.
    columns : int, optional
        The length that each row must have.
    """

    info_text = "an array of finite numbers of the right shape"

    def __init__(self, default: Any, columns: int | None = None) -> None:
        self._ndim = np.ndim(default)
        self._columns = columns
        super().__init__(_as_tuples(np.array(default, dtype=float)))
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value as tuples of floats, or raise TraitError."""
        try:
            array = np.array(value, dtype=float)
        except (TypeError, ValueError):
            self.error(obj, value)
        if (
            array.ndim != self._ndim
            or array.size == 0
            or not np.isfinite(array).all()
            or self._columns not in (None, array.shape[-1])
        ):
            self.error(obj, value)
        return _as_tuples(array)


def _as_tuples(array: FloatArray) -> Any:
    # 0.0 + x is never a negative zero
    if array.ndim == 1:
        return tuple((0.0 + array).tolist())
    return tuple(map(tuple, (0.0 + array).tolist()))
