"""Buttons that start a chapter on another machine.

They need the address of the repository. It is that of ``origin``, so that the links of
a fork lead to the fork, or the environment variable ``BOOK_REPOSITORY``. A checkout
without either has no button.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

GITHUB = re.compile(
    r"(?:https://github\.com/|(?:ssh://)?git@github\.com[:/])"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?"
)


def add_buttons(app: Sphinx, config: Config) -> None:
    """Set the theme's options for the launch buttons."""
    address = repository(Path(app.srcdir))
    if address is None:
        return
    buttons = {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
    }
    # Colab opens a notebook without its repository, so that its first cell must know
    # where the library is.
    if address == published_address(Path(app.srcdir)):
        buttons["colab_url"] = "https://colab.research.google.com"
    config.html_theme_options.update(
        repository_url=address,
        repository_branch=_branch(Path(app.srcdir)),
        launch_buttons=buttons,
        use_repository_button=True,
        use_issues_button=True,
    )


def repository(folder: Path) -> str | None:
    """Return the address of the repository on GitHub, if it is there."""
    origin = os.environ.get("BOOK_REPOSITORY") or _git(
        folder, "remote", "get-url", "origin"
    )
    match = GITHUB.fullmatch(origin or "")
    return f"https://github.com/{match['owner']}/{match['name']}" if match else None


def published_address(folder: Path) -> str | None:
    """Return the address in ``pyproject.toml``, which the notebooks install from."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    address: str | None = project.get("urls", {}).get("Repository")
    return address


def _branch(folder: Path) -> str:
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return branch if branch and branch != "HEAD" else "main"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says, or None where there is no git or it refuses."""
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook; called by Sphinx."""
    app.connect("config-inited", add_buttons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
