"""Show the layers of the library and check that imports run down them.

The layers stand in ``pyproject.toml`` (``[tool.convexnn]``), the lowest first. A room
imports the rooms of the layers below its own, never one beside or above it, nor does a
module import another that imports it, however indirectly; imports inside functions
and those for types only count as well. A module whose name begins with an underscore
is for its own room and those above it. Run it with ``make layers``.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
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
        name: set(_imported(path, paths)) - {name, PACKAGE}
        for name, path in paths.items()
        if name != PACKAGE
    }


def faults(graph: dict[str, set[str]], rooms: list[list[str]]) -> list[str]:
    """Return what is wrong with the imports, one sentence each."""
    floor = {room: level for level, layer in enumerate(rooms) for room in layer}
    found = [
        f"{importer} imports {imported}, which is not below it."
        for importer, targets in graph.items()
        for imported in sorted(targets)
        if _upward(_room(importer), _room(imported), floor)
    ]
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
            below = {_room(target) for name in members for target in graph[name]}
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


def _upward(room: str, target: str, floor: dict[str, int]) -> bool:
    """Return whether an import leads beside or above the room that it starts from."""
    if target not in floor or room == target:
        return False
    return room in floor and floor[target] >= floor[room]


def _imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in known or node.module in known:
                    yield name if name in known else node.module


if __name__ == "__main__":
    sys.exit(main())
