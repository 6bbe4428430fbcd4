"""What can be imported from a package is what its `__all__` says, in order."""

from __future__ import annotations

import ast
import importlib

import pytest

from .source import Module, modules


def targets(node: ast.stmt) -> set[str]:
    """The names that an assignment gives."""
    found = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in found if isinstance(target, ast.Name)}


EXPORTING = {name: m for name, m in modules().items() if any("__all__" in targets(node) for node in m.tree.body)}


def order(name: str) -> tuple[int, str]:
    """CONSTANTS, Classes, functions: the order that ruff keeps too."""
    return (0 if name.isupper() else 1 if name.lstrip("_")[0].isupper() else 2, name)


def bound(module: Module) -> set[str]:
    """Public names that a module defines or takes from another of ours: no libraries, no submodules."""
    names: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("ai_protocol_")):
            names |= {alias.asname or alias.name for alias in node.names}
        else:
            names |= targets(node)
    return {name for name in names if not name.startswith("_") and f"{module.name}.{name}" not in modules()}


def test_front_doors_say_what_is_public() -> None:
    assert {"ai_protocol_integrations", "ai_protocol_runtime", "ai_protocol_runtime.types"} <= set(EXPORTING)


@pytest.mark.parametrize("name", sorted(EXPORTING))
def test_all_is_sorted_and_true(name: str) -> None:
    pytest.importorskip(name.split(".")[1] if name.startswith("ai_protocol_integrations.") else "sys")
    module = importlib.import_module(name)
    exported = list(module.__all__)
    assert exported == sorted(exported, key=order)
    assert [n for n in exported if not hasattr(module, n)] == []
    if EXPORTING[name].is_package:
        assert bound(EXPORTING[name]) - set(exported) == set()
