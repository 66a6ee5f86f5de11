"""Show the layers of the library and check that imports run down them.

The layers stand in ``pyproject.toml`` (``[tool.convexnn]``), the lowest first. A room
imports the rooms of the layers below its own, never one beside or above it, nor does a
module import another that imports it, however indirectly; relative imports, those
inside functions and those for types only count as well. No module imports the package
as a whole, whose names may lead anywhere. A module of no room is as high as the highest
room that it imports, however indirectly. A module whose name begins with an underscore
is for its own room and those above it. Run it with ``make layers``.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "convexnn_lib"


def layers(root: Path = ROOT) -> list[list[str]]:
    """Return the rooms of each layer, the lowest layer first."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    rooms: list[list[str]] = settings["tool"]["convexnn"]["layers"]
    return rooms


def imports(root: Path = ROOT) -> dict[str, set[str]]:
    """Return for each module of the library the modules of it that it imports."""
    library = root / PACKAGE
    paths = {_name(path, root): path for path in sorted(library.rglob("*.py"))}
    return {
        name: set(_imported(name, path, paths)) - {name}
        for name, path in paths.items()
        if name != PACKAGE
    }


def faults(graph: dict[str, set[str]], rooms: list[list[str]]) -> list[str]:
    """Return what is wrong with the imports, one sentence each."""
    floor = {room: level for level, layer in enumerate(rooms) for room in layer}
    height = _heights(graph, floor)
    found = [
        f"{importer} imports {imported}, which is not below it."
        for importer, targets in graph.items()
        for imported in sorted(targets - {PACKAGE})
        if _upward(importer, imported, height)
    ]
    found += [
        f"{importer} imports {PACKAGE} as a whole; name the module that it needs."
        for importer, targets in graph.items()
        if PACKAGE in targets
    ]
    graph = {name: targets - {PACKAGE} for name, targets in graph.items()}
    inhabited = {_room(name) for name in graph if name.count(".") > 1}
    found += [
        f"The room {room} stands in no layer." for room in sorted(inhabited - {*floor})
    ]
    found += [
        f"The layers name {room}, which has no module."
        for room in sorted({*floor} - inhabited)
    ]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append("Imports run in a circle: " + " -> ".join(error.args[1]) + ".")
    return found


def main() -> int:
    """Print the layers, the highest first, and what is wrong with them."""
    rooms, graph = layers(), imports()
    for layer in reversed(rooms):
        for room in layer:
            members = [name for name in graph if _room(name) == room]
            targets = {target for name in members for target in graph[name]}
            below = {_room(target) for target in targets - {PACKAGE}}
            used = [name for row in rooms for name in row if name in below - {room}]
            print(
                f"{room:14}{len(members):3} modules  imports {', '.join(used) or '-'}"
            )
        print()
    found = faults(graph, rooms)
    print("\n".join(found) or "Imports run one way, and in no circle.")
    return bool(found)


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(name: str) -> str:
    """Return the room of a module; modules of no room have a name of two parts."""
    return name.split(".")[1]


def _heights(graph: dict[str, set[str]], floor: dict[str, int]) -> dict[str, int]:
    """Return the layer of each module; -1 for those that import no room."""
    height = {name: floor.get(_room(name), -1) for name in graph}
    for _ in graph:
        for name in graph:
            if _room(name) not in floor:
                below = [height.get(target, -1) for target in graph[name]]
                height[name] = max([height[name], *below])
    return height


def _upward(importer: str, target: str, height: dict[str, int]) -> bool:
    """Return whether an import leads beside or above the room that it starts from."""
    if _room(importer) == _room(target) or importer.count(".") < 2:
        return False
    return height.get(target, -1) >= height[importer] >= 0


@cache
def _statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """Return the statements that import, those within functions as well."""
    kinds = ast.Import, ast.ImportFrom
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def _imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _statements(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        else:
            module = node.module or ""
            if node.level:  # from .name, ..name
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*parts, *filter(None, [module])])
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                if inner in known or module in known:
                    yield inner if inner in known else module


if __name__ == "__main__":
    sys.exit(main())
