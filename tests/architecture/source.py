"""The Python of both packages, parsed once, for the tests of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "ai_protocol_integrations": ROOT / "ai_protocol_integrations",
    "ai_protocol_runtime": ROOT / "runtime" / "ai_protocol_runtime",
}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    def where(self, node: ast.AST) -> str:
        return f"{self}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """`target` is the module named; `names` what is taken from it. `top`: done when the module itself is imported."""

    target: str
    names: tuple[str, ...]
    top: bool
    typing_only: bool
    where: str


@cache
def modules() -> dict[str, Module]:
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
            name = ".".join(parts)
            found[name] = Module(name, path, ast.parse(path.read_text(), str(path)))
    return found


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module, relative names resolved."""

    def walk(node: ast.AST, top: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, (), top, typing_only, module.where(child))
            elif isinstance(child, ast.ImportFrom):
                names = tuple(alias.name for alias in child.names)
                yield Import(absolute(module, child), names, top, typing_only, module.where(child))
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
                yield from walk(child, top and not inside, typing_only or guarded)

    return walk(module.tree, True, False)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    base = module.name.split(".")
    base = base[: len(base) - node.level + module.is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def strings(module: Module) -> Iterator[ast.Constant]:
    """String constants that do something: no docstrings, nor other strings standing alone."""
    idle = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in idle:
            yield node
