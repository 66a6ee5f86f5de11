"""The launch buttons lead to the repository that the book was built from."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ADDRESS = "https://github.com/reader/a.fork"


@pytest.fixture(scope="module")
def launch(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("_ext/launch.py")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without a remote."""
    monkeypatch.delenv("BOOK_REPOSITORY", raising=False)
    subprocess.run(["git", "init", "-q", "-b", "edition"], cwd=tmp_path, check=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "book"\n')
    return tmp_path


def _set_origin(folder: Path, address: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", address], cwd=folder, check=True)


def _options(launch: ModuleType, folder: Path) -> dict:
    config = SimpleNamespace(html_theme_options={})
    launch.add_buttons(SimpleNamespace(srcdir=folder), config)
    return config.html_theme_options


def test_no_remote_no_button(launch: ModuleType, checkout: Path) -> None:
    assert _options(launch, checkout) == {}


def test_no_repository_no_button(
    launch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOOK_REPOSITORY", raising=False)
    assert _options(launch, tmp_path) == {}


@pytest.mark.parametrize(
    "address",
    [
        "/home/reader/book",
        "https://example.org/reader/book.git",
        "https://github.com/reader",
    ],
)
def test_other_places_have_no_button(
    launch: ModuleType, checkout: Path, address: str
) -> None:
    _set_origin(checkout, address)
    assert _options(launch, checkout) == {}


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        f"{ADDRESS}.git",
        f"{ADDRESS}/",
        "git@github.com:reader/a.fork.git",
        "ssh://git@github.com/reader/a.fork",
    ],
)
def test_buttons_lead_to_origin(
    launch: ModuleType, checkout: Path, address: str
) -> None:
    _set_origin(checkout, address)
    options = _options(launch, checkout)
    assert options["repository_url"] == ADDRESS
    assert "binderhub_url" in options["launch_buttons"]


def test_environment_variable_comes_first(
    launch: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_origin(checkout, "https://github.com/another/book")
    monkeypatch.setenv("BOOK_REPOSITORY", ADDRESS)
    assert _options(launch, checkout)["repository_url"] == ADDRESS


def test_colab_needs_the_address_in_the_notebooks(
    launch: ModuleType, checkout: Path
) -> None:
    _set_origin(checkout, ADDRESS)
    assert "colab_url" not in _options(launch, checkout)["launch_buttons"]
    (checkout / "pyproject.toml").write_text(
        f'[project]\nname = "book"\n[project.urls]\nRepository = "{ADDRESS}"\n'
    )
    assert "colab_url" in _options(launch, checkout)["launch_buttons"]
