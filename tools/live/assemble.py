"""Assemble what runs the chapters in the reader's page, from archives known by hash.

``python tools/live/assemble.py FOLDER`` (``make live``) puts Pyodide, the wheels that
the chapters need and the library's own wheel into a folder that the book serves. Every
archive stands in ``manifest.json`` with its size and sha256. It is taken from the first
source that has it: the local cache, then what the manifest names. A registry's package
may carry the bytes of another project's release: the hash says whether they are. What
does not have its hash is refused, whoever sent it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from tarfile import open as open_tar
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
MANIFEST = Path(__file__).with_name("manifest.json")
LOCK = "pyodide-lock.json"
LIBRARY = "convexnn-lib"
NEEDED = ["lazy-loader", "numpy", "scipy", "threadpoolctl", "tqdm"]
WAIT = 20.0  # seconds for an answer of a server


class UnavailableError(Exception):
    """No source has an archive, or none has it with the right bytes."""


class Archive(NamedTuple):
    """A file of the manifest.

    Attributes
    ----------
    file : str
        Its name in the served folder.
    name, version, license : str
        What it is, and under which terms.
    size : int
        Its length in bytes.
    sha256 : str
        Its hash.
    sources : list of str
        Where it is, the first choice first.
    depends : list of str
        The packages that it imports, for those outside Pyodide's own lock.
    """

    file: str
    name: str
    version: str
    license: str
    size: int
    sha256: str
    sources: list[str]
    depends: list[str] | None = None


class Manifest(NamedTuple):
    """The archives, and the sources by their names."""

    archives: list[Archive]
    sources: dict[str, dict[str, str]]


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """Return what stands in the manifest."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Manifest([Archive(**a) for a in content["archives"]], content["sources"])


def cache_folder() -> Path:
    """Return where archives are kept between builds, outside the repository."""
    place = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(place) / "convexnn-live"


def is_right(path: Path, archive: Archive) -> bool:
    """Return whether a file has the length and the hash of an archive."""
    if not path.is_file() or path.stat().st_size != archive.size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == archive.sha256


class Collector:
    """Brings archives into the cache.

    Parameters
    ----------
    manifest : Manifest
        The archives and their sources.
    cache : Path
        The folder of the cache.
    """

    def __init__(self, manifest: Manifest, cache: Path) -> None:
        self.manifest, self.cache = manifest, cache
        self._tried: set[str] = set()
        self.reasons: list[str] = []

    def path(self, archive: Archive) -> Path:
        """Return where the cache keeps an archive."""
        return self.cache / f"{archive.sha256[:16]}-{archive.file}"

    def collect(self, archive: Archive) -> Path:
        """Return an archive's place in the cache, bringing it there if need be.

        Raises
        ------
        UnavailableError
            If no source has it with the right bytes.
        """
        path = self.path(archive)
        if is_right(path, archive):
            return path
        self.cache.mkdir(parents=True, exist_ok=True)
        for name in archive.sources:
            source = self.manifest.sources[name]
            fetchers: dict[str, Callable[..., None]] = {
                "npm": self._from_npm,
                "pypi": self._from_pypi,
                "url": self._from_url,
            }
            fetch = fetchers[source["kind"]]
            try:
                fetch(archive, **{k: v for k, v in source.items() if k != "kind"})
            except (OSError, subprocess.SubprocessError) as error:
                self.reasons.append(f"{name}: {error}")
            if is_right(path, archive):
                return path
        raise UnavailableError(
            f"{archive.file}: none of {', '.join(archive.sources)} has it with the "
            f"sha256 {archive.sha256[:16]}...; {'; '.join(self.reasons) or 'no word'}"
        )

    def _keep(self, file: str, content: bytes) -> None:
        """Keep a file that a source sent, if the manifest has one with these bytes."""
        sha256 = hashlib.sha256(content).hexdigest()
        for archive in self.manifest.archives:
            if (archive.file, archive.sha256) == (file, sha256):
                # whole or not at all, also when two builds run at once
                with tempfile.NamedTemporaryFile(dir=self.cache, delete=False) as part:
                    part.write(content)
                Path(part.name).replace(self.path(archive))
                return
        self.reasons.append(f"{file} was sent with other bytes, and refused")

    def _from_npm(self, archive: Archive, package: str, folder: str) -> None:
        """Take all archives of a package of npm, which is asked once."""
        if package in self._tried:
            return
        self._tried.add(package)
        with tempfile.TemporaryDirectory() as place:
            _run(["npm", "pack", "--silent", package], place)
            for tarball in Path(place).glob("*.tgz"):
                with open_tar(tarball) as members:
                    for file in self._files():
                        try:
                            found = members.extractfile(folder + file)
                        except KeyError:
                            continue
                        if found is not None:
                            self._keep(file, found.read())

    def _from_pypi(self, archive: Archive, package: str = "", folder: str = "") -> None:
        """Take an archive from PyPI: a wheel itself, or all that another carries."""
        asked = package or f"{archive.name}=={archive.version}"
        if asked in self._tried:
            return
        self._tried.add(asked)
        with tempfile.TemporaryDirectory() as place:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
            options = ["--quiet", "--no-deps", "--no-cache-dir", "--dest", place]
            # what runs anywhere, whatever Python asks for it
            options += ["--only-binary=:all:", "--platform=any"]
            options.append("--python-version=3.12")
            _run([*pip, "download", *options, asked], place)
            for wheel in Path(place).glob("*.whl"):
                if not package:
                    self._keep(wheel.name, wheel.read_bytes())
                    continue
                with zipfile.ZipFile(wheel) as members:
                    for file in self._files() & {
                        name.removeprefix(folder) for name in members.namelist()
                    }:
                        self._keep(file, members.read(folder + file))

    def _from_url(self, archive: Archive, folder: str) -> None:
        """Take one archive from a project's own release."""
        with urllib.request.urlopen(folder + archive.file, timeout=WAIT) as answer:
            self._keep(archive.file, answer.read())

    def _files(self) -> set[str]:
        """Return the names of the archives that are not in the cache yet."""
        return {
            archive.file
            for archive in self.manifest.archives
            if not self.path(archive).exists()
        }


def _run(command: list[str], folder: str) -> None:
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(f"{command[0]} is not installed")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise OSError(f"{' '.join(command[:2])} failed: {last}")


def build_wheel(folder: Path) -> Path:
    """Build the library's wheel into a folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    _run([*command, "--outdir", str(folder), str(ROOT)], str(ROOT))
    (wheel,) = folder.glob("convexnn_lib-*.whl")
    return wheel


def cut_lock(official: dict[str, Any], manifest: Manifest, wheel: Path) -> Any:
    """Return Pyodide's lock with the packages that are served, and no others."""
    packages = {}
    for archive in manifest.archives:
        entry = official["packages"].get(archive.name)
        if archive.depends is not None:
            entry = _entry(archive.name, archive.version, archive.file, archive.sha256)
            entry["depends"] = archive.depends
        elif entry is None or entry["file_name"] != archive.file:
            continue  # a file of Pyodide itself
        packages[archive.name] = dict(entry)
    version = wheel.name.split("-")[1]
    own = _entry(LIBRARY, version, wheel.name, _hash(wheel))
    packages[LIBRARY] = own | {"depends": NEEDED}
    for entry in packages.values():
        names = [re.sub(r"[-_.]+", "-", name).lower() for name in entry["depends"]]
        entry["depends"] = [name for name in names if name in packages]
    return official | {"packages": dict(sorted(packages.items()))}


def _entry(name: str, version: str, file: str, sha256: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "file_name": file,
        "install_dir": "site",
        "sha256": sha256,
        "package_type": "package",
        "imports": [name.replace("-", "_")],
        "depends": [],
        "unvendored_tests": False,
    }


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assemble(folder: Path, cache: Path) -> int:
    """Put everything into a folder, all or nothing; return the bytes.

    Raises
    ------
    UnavailableError
        If an archive cannot be had.
    """
    manifest = read_manifest()
    collector = Collector(manifest, cache)
    paths = [collector.collect(archive) for archive in manifest.archives]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        new = Path(place) / "live"
        new.mkdir()
        for archive, path in zip(manifest.archives, paths, strict=True):
            shutil.copyfile(path, new / archive.file)
        wheel = build_wheel(new)
        lock = cut_lock(json.loads((new / LOCK).read_text()), manifest, wheel)
        (new / LOCK).write_text(json.dumps(lock, indent=1), encoding="utf-8")
        (new / "licences.txt").write_text(licences(manifest), encoding="utf-8")
        sizes = {path.name: path.stat().st_size for path in sorted(new.iterdir())}
        (new / "live.json").write_text(
            json.dumps({"library": _hash(wheel), "sizes": sizes}, indent=1)
        )
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    return sum(sizes.values())


def licences(manifest: Manifest) -> str:
    """Return a list of what is served and under which terms."""
    lines = [
        f"{archive.file}\n    {archive.name} {archive.version}: {archive.license}"
        for archive in manifest.archives
    ]
    return (
        "What this book loads to run its chapters in the page. The terms in full are "
        "in the archives.\n\n" + "\n".join(lines) + "\n"
        "convexnn_lib: BSD-3-Clause AND ISC\n"
    )


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--optional",
        action="store_true",
        help="say so and go on where an archive cannot be had (never with CI set)",
    )
    arguments = parser.parse_args()
    try:
        size = assemble(arguments.folder, cache_folder())
    except UnavailableError as reason:
        if not arguments.optional or os.environ.get("CI"):
            print(f"The chapters cannot run in the page: {reason}", file=sys.stderr)
            return 1
        shutil.rmtree(arguments.folder, ignore_errors=True)
        print(f"The book is built without chapters that run in the page: {reason}")
        return 0
    print(f"{arguments.folder}: {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
