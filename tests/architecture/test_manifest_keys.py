"""No dead data: every key that a manifest may have is read by some code."""

from __future__ import annotations

import ast
import importlib
import inspect

from pydantic import BaseModel

from .source import modules, strings

GETTERS = {"attrgetter", "get", "getattr", "pop"}


def schema() -> dict[str, list[type[BaseModel]]]:
    """The pydantic models of the manifests, by the module that defines them."""
    found: dict[str, list[type[BaseModel]]] = {}
    for name in modules():
        if name.startswith("ai_protocol_runtime.manifest"):
            for _, value in inspect.getmembers(importlib.import_module(name), inspect.isclass):
                if issubclass(value, BaseModel) and value.__module__ == name:
                    found.setdefault(name, []).append(value)
    return found


def read_names(apart: set[str]) -> set[str]:
    """What code outside the schema reads: ``x.name``, ``getattr(x, "name")``, ``x["name"]``, ``x.get("name")``.

    The wire language reads YAML as it stands, by lists of keys: there, every string counts.
    """
    names = set()
    for module in modules().values():
        if module.name in apart:
            continue
        if module.name.startswith("ai_protocol_runtime.wire."):
            names |= {str(node.value) for node in strings(module)}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
            elif isinstance(node, ast.Call) and called(node) in GETTERS:
                names |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                names.add(str(node.slice.value))
    return names


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def test_every_key_is_read_by_some_code() -> None:
    models = schema()
    assert models, "no pydantic models in ai_protocol_runtime.manifest"
    read = read_names(set(models))
    fields = [(model, field) for group in models.values() for model in group for field in model.model_fields]
    unread = [f"{model.__name__}.{field}" for model, field in fields if field not in read]
    assert unread == []
