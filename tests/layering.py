"""The library's import ranks, and what breaks them, read from the source without importing it."""

import ast
from collections.abc import Iterator
from pathlib import Path

RANKS = (
    {"checks"},
    {"store", "checkpoints"},
    {"data"},
    {"features"},
    {"learning"},
    {"scores", "iqa", "gan", "evaluation"},
    {"applications"},
    {"results", "figures", "collecting"},
    {"runner"},
    {"cli", "distributed"},
    {"__main__"},
)
APPLICATIONS = (
    {"pairs", "opinion", "folders"},
    {"snapshots"},
    {"giqa", "generators", "scoregan"},
    {"attgf", "gman"},
    {"planned_trainings"},
)  # ranks within applications
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
WITHIN = {name: rank for rank, names in enumerate(APPLICATIONS) for name in names}


def _imports(source: str) -> Iterator[str]:
    """Every module or name that a file imports from the library, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("giqa_lib"))
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
            elif node.module and node.module.split(".")[0] == "giqa_lib":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules(library: Path) -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def problems(library: Path) -> list[str]:
    """One line for each import that its module's rank forbids, and for each circle."""
    modules = _modules(library)
    found = []
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        own = module.split(".")[1] if "." in module else ""
        if own and own not in RANK:
            found.append(f"{module}: {own} has no rank")
            continue
        graph[module] = set()
        for name in _imports(path.read_text(encoding="utf-8")):
            if name.startswith("."):
                found.append(f"{module} imports {name}: relative imports hide what is imported")
                continue
            target = name if name in modules else name.rpartition(".")[0]
            graph[module].add(target)
            other = name.split(".")[1] if "." in name else ""
            if not own or other in ("", "__version__"):  # all that the package itself holds
                continue
            if other != own and RANK.get(other, len(RANKS)) >= RANK[own]:
                found.append(f"{module} imports {name}: not of a lower rank")
            if own == other == "applications":
                found += _within_applications(module, name)
    return found + _circles(graph)


def _within_applications(module: str, name: str) -> list[str]:
    """What the ranks of the sub-packages of applications forbid."""
    parts, others = module.split("."), name.split(".")
    own, other = (part[2] if len(part) > 2 else "" for part in (parts, others))
    if own == other or not own:
        return []
    if other not in WITHIN or own not in WITHIN:
        return [f"{module} imports {name}: {own if own not in WITHIN else other} has no rank"]
    if WITHIN[other] >= WITHIN[own]:
        return [f"{module} imports {name}: not of a lower rank"]
    return []


def _circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, directly or through others."""
    found = []
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        if module in path:
            found.append("circle: " + " -> ".join((*path[path.index(module) :], module)))
            return
        if module in done:
            return
        for target in sorted(graph.get(module, ())):
            visit(target, (*path, module))
        done.add(module)

    for module in sorted(graph):
        visit(module, ())
    return found
