"""The plan of the house: a module imports only from its own floor or one above it, and nothing loops back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import smoothclap

ROOT = Path(smoothclap.__file__).parent
FLOORS = [
    ["errors", "files", "progress"],
    ["audio"],
    ["store"],
    ["corpora"],
    ["paralinguistics"],
    ["objectives"],
    ["models"],
    ["inference"],
    ["training", "evaluation"],
    ["search", "serving"],
    ["cli"],
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
BASE = {"errors", "files", "progress"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.name != "__init__.py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Dotted names that a module imports, and whether it does so when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(inner) for outer in ast.walk(tree) if waits(outer) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by absolute name"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) not in inside


def waits(node: ast.AST) -> bool:
    """Whether what is inside does not run when the module is imported."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def part(path: Path) -> str:
    """The file or folder of the package that a module belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def own(name: str) -> str | None:
    """The part of the package that an import names."""
    first, *rest = name.split(".")
    return rest[0] if first == "smoothclap" and rest and rest[0] in FLOOR else None


def test_every_part_has_a_floor():
    assert {part(path) for path in MODULES} <= FLOOR.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_floors_above(path: Path):
    here = part(path)
    wrong = []
    for name, _ in imports(path):
        there = own(name)
        if there is None or there == here:
            continue
        neighbours = FLOOR[there] == FLOOR[here] and not {here, there} <= BASE
        if FLOOR[there] > FLOOR[here] or neighbours:
            wrong.append(name)
    assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(wrong)}"


def module_of(name: str) -> Path | None:
    """The file that an import loads."""
    path = ROOT.joinpath(*name.split(".")[1:])
    files = [
        path.with_suffix(".py"),
        path / "__init__.py",
        path.parent.with_suffix(".py"),
        path.parent / "__init__.py",
    ]
    return next((file for file in files if name.startswith("smoothclap.") and file.is_file()), None)


def test_no_two_modules_import_each_other():
    """Also not round a longer way, and not inside functions; the lazy faces of packages are left out."""
    graph = {
        path: {found for name, _ in imports(path) if (found := module_of(name)) and found != path}
        for path in MODULES
        if path.name != "__init__.py"
    }
    done: set[Path] = set()

    def visit(path: Path, way: tuple[Path, ...]) -> None:
        assert path not in way, " -> ".join(str(step.relative_to(ROOT)) for step in (*way, path))
        if path in done or path not in graph:
            return
        for following in sorted(graph[path]):
            visit(following, (*way, path))
        done.add(path)

    for path in graph:
        visit(path, ())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_may_be_absent_or_is_slow_is_imported_inside_functions(path: Path):
    late = {"opensmile", "optuna", "gradio", "fastapi"}
    if part(path) == "cli":
        late |= {
            "torch",
            "numpy",
            "pandas",
            "transformers",
            "matplotlib",
            "soundfile",
            "yaml",
            "lightning_fabric",
        }
    early = {name.partition(".")[0] for name, at_once in imports(path) if at_once}
    assert not early & late


def test_help_waits_for_no_floor_but_the_lightest():
    heavy = [
        (path.name, name)
        for path in MODULES
        if part(path) == "cli"
        for name, at_once in imports(path)
        if at_once and own(name) not in {None, "cli", *BASE}
    ]
    assert not heavy
