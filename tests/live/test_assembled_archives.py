"""What runs the chapters in the page is taken by its hash, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import tarfile
import threading
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

CONTENT = b"the bytes of the release"
OTHER = b"the bytes of somebody else"


@pytest.fixture(scope="module")
def assemble(load_module):
    """The tool."""
    return load_module("tools/live/assemble.py")


@pytest.fixture
def archive(assemble):
    """An archive that three sources should have."""
    return assemble.Archive(
        file="thing-1.0-py3-none-any.whl",
        name="thing",
        version="1.0",
        license="MIT",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        sources=["wheel", "carrier", "npm", "release"],
    )


@pytest.fixture
def release(tmp_path) -> Path:
    """The folder of the release, which has nothing yet."""
    folder = tmp_path / "release"
    folder.mkdir()
    return folder


@pytest.fixture
def collector(assemble, archive, release, tmp_path):
    """What collects the archive into an empty cache."""
    sources = {
        "wheel": {"kind": "pypi"},
        "carrier": {"kind": "pypi", "package": "carrier==2", "folder": "inside/"},
        "npm": {"kind": "npm", "package": "thing@1", "folder": "package/"},
        "release": {"kind": "url", "folder": f"{release.as_uri()}/"},
    }
    manifest = assemble.Manifest([archive], sources)
    return assemble.Collector(manifest, tmp_path / "cache")


@pytest.fixture
def registries(assemble, archive, monkeypatch):
    """What the registries send, by what they are asked for, and what was asked."""
    sent: dict[str, bytes] = {}
    asked: list[str] = []

    def answer(command, folder):
        package = command[-1]
        asked.append(package)
        if package not in sent:
            raise OSError("not found")
        content, place = sent[package], Path(folder)
        if "npm" in command[0]:
            with tarfile.open(place / "thing-1.tgz", "w:gz") as tar:
                info = tarfile.TarInfo(f"package/{archive.file}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        elif package == "carrier==2":
            with zipfile.ZipFile(place / "carrier-2-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"inside/{archive.file}", content)
        else:
            (place / archive.file).write_bytes(content)

    monkeypatch.setattr(assemble, "_run", answer)
    return sent, asked


@pytest.mark.parametrize("source", ["thing==1.0", "carrier==2", "thing@1"])
def test_first_source_with_the_right_bytes_is_taken(
    collector, archive, registries, source
):
    sent, asked = registries
    for name in ("thing==1.0", "carrier==2", "thing@1"):
        sent[name] = CONTENT if name == source else OTHER
    assert collector.collect(archive).read_bytes() == CONTENT
    count = len(asked)
    assert collector.collect(archive).read_bytes() == CONTENT
    assert len(asked) == count  # the cache had it


@pytest.mark.usefixtures("registries")
def test_release_is_the_last_source(collector, archive, release):
    (release / archive.file).write_bytes(CONTENT)
    assert collector.collect(archive).read_bytes() == CONTENT


def test_other_bytes_are_refused(assemble, collector, archive, release, registries):
    sent, _ = registries
    sent |= {"thing==1.0": OTHER, "carrier==2": OTHER, "thing@1": CONTENT[:-1]}
    (release / archive.file).write_bytes(OTHER)
    with pytest.raises(assemble.UnavailableError, match=r"other bytes, and refused"):
        collector.collect(archive)
    assert not list(collector.cache.iterdir())


def test_damaged_cache_is_not_believed(collector, archive, release, registries):
    del registries
    collector.cache.mkdir()
    collector.path(archive).write_bytes(OTHER[: len(CONTENT)].ljust(len(CONTENT)))
    (release / archive.file).write_bytes(CONTENT)
    assert collector.collect(archive).read_bytes() == CONTENT


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_what_is_missing_is_said(
    assemble, tmp_path, monkeypatch, capsys, registries, ci, code
):
    del registries

    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(assemble.urllib.request, "urlopen", refuse)
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "live.json").write_text("{}")
    arguments = ["assemble.py", "--optional", str(folder)]
    monkeypatch.setattr(assemble.sys, "argv", arguments)
    assert assemble.main() == code
    said = "".join(capsys.readouterr())
    assert "pyodide.asm.js" in said
    assert "no network" in said
    # what an earlier build assembled is not of this library
    assert (folder / "live.json").exists() == bool(code)


def test_manifest(assemble, root):
    manifest = assemble.read_manifest()
    files = [archive.file for archive in manifest.archives]
    assert len(set(files)) == len(files)
    lock = (root / "requirements.lock").read_text().replace("_", "-")
    locked = dict(re.findall(r"^([\w-]+)==(\S+)", lock, re.M))
    for archive in manifest.archives:
        assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
        assert archive.size > 0
        assert archive.license
        assert set(archive.sources) <= set(manifest.sources)
        if archive.depends is not None:  # as in the book's environment
            assert archive.version == locked[archive.name], archive.name
    assert "numpy 2.0.2: BSD-3-Clause" in assemble.licences(manifest)


def test_lock_names_nothing_that_is_not_served(assemble, tmp_path):
    manifest = assemble.read_manifest()
    official = {
        "info": {},
        "packages": {
            "numpy": {"file_name": "numpy-other.whl", "depends": []},
            "matplotlib": {
                "file_name": next(
                    a.file for a in manifest.archives if a.name == "matplotlib"
                ),
                "depends": ["numpy", "matplotlib-pyodide", "prompt_toolkit"],
            },
        },
    }
    wheel = tmp_path / "convexnn_lib-0.1.0-py3-none-any.whl"
    wheel.write_bytes(CONTENT)
    packages = assemble.cut_lock(official, manifest, wheel)["packages"]
    assert "numpy" not in packages  # it is not the file of the manifest
    assert packages["matplotlib"]["depends"] == []
    assert packages["convexnn-lib"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert packages["anywidget"]["depends"] == [
        "ipywidgets",
        "psygnal",
        "typing-extensions",
    ]
    for package in packages.values():
        assert set(package["depends"]) <= set(packages)


def test_no_archive_is_in_the_repository(root):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone: git lists no files")
    assert not re.findall(r"\.(?:whl|wasm|zip|tgz)$", listed.stdout, re.M)


def test_server_says_what_its_files_are(load_module, tmp_path):
    serve = load_module("tools/live/serve.py")
    kinds = {
        "a.mjs": "text/javascript",
        "a.js": "text/javascript",
        "a.wasm": "application/wasm",
        "a.json": "application/json",
        "a.whl": "application/zip",
        "a.html": "text/html",
    }
    for name in kinds:
        (tmp_path / name).write_text(json.dumps(name))
    with serve.server(tmp_path, 0) as book:
        threading.Thread(target=book.serve_forever, daemon=True).start()
        assert book.server_address[0] == "127.0.0.1"
        for name, kind in kinds.items():
            address = f"http://127.0.0.1:{book.server_port}/{name}"
            with urlopen(address, timeout=60) as answer:
                assert answer.headers.get_content_type() == kind
                assert json.loads(answer.read()) == name
        book.shutdown()
