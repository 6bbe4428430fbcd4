"""Imports run one way, and what is heavy or belongs to one room is imported there only."""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from .source import ROOT, Import, Module, imports, modules

# docs/architecture.md, from the bottom up. A room may import itself and what stands before it; rooms that share a step
# do not know each other, but for what ALSO allows.
STEPS = (
    {"types", "jsonschema"},
    {"manifest", "vectors"},
    {"wire"},
    {"flow", "transport", "simulator"},
    {"client"},
    {"gateway", "telemetry"},
    {"cli"},
    {"adapters"},
)
ALSO = {("flow", "transport"), ("simulator", "transport")}  # its commands and requests; the simulator is a transport
RANK = {room: step for step, rooms in enumerate(STEPS) for room in rooms}

PURE = {"types", "jsonschema", "vectors", "manifest", "wire", "flow"}
NETWORK = {"socket", "ssl", "http", "urllib.request", "asyncio", "httpx", "httpx2", "requests", "aiohttp"}
# Ids and the time are passed in: what decides or decodes asks nobody.
CHANCE = {"random", "secrets", "time", "uuid"}
FRAMEWORKS = {"langchain", "langchain_core", "llama_index"}


def room(name: str) -> str | None:
    """The room of a module; None for the packages' own front doors."""
    package, _, rest = name.partition(".")
    if package == "ai_protocol_integrations":
        return "adapters"
    first = rest.partition(".")[0]
    if first == "__main__":
        return "cli"
    return first or None


def ours(found: Import) -> list[str]:
    """The modules of ours that an import names: ``from . import a`` may be the module a."""
    known = modules()
    if found.target not in known:
        return []
    inner = [f"{found.target}.{name}" for name in found.names]
    return [name for name in inner if name in known] or [found.target]


def roots(found: Import) -> set[str]:
    parts = found.target.split(".")
    return {".".join(parts[: n + 1]) for n in range(len(parts))} | {f"{found.target}.{name}" for name in found.names}


def all_imports() -> list[tuple[Module, Import]]:
    return [(module, found) for module in modules().values() for found in imports(module)]


def test_every_room_is_known() -> None:
    """A new room is given its place in docs/architecture.md and here."""
    assert {room(name) for name in modules()} - set(RANK) - {None} == set()


def test_imports_run_one_way() -> None:
    wrong = []
    for module, found in all_imports():
        here = room(module.name)
        for target in ours(found):
            there = room(target)
            if here is None or there is None or here == there or (here, there) in ALSO:
                continue
            if RANK[there] >= RANK[here]:
                wrong.append(f"{found.where}: {here} imports {there}")
    assert wrong == []


def test_inner_rooms_do_not_import_the_front_door() -> None:
    """What is imported from `ai_protocol_runtime` itself would bring the whole client along."""
    doors = {name for name in modules() if room(name) is None}
    inner = [(m, f) for m, f in all_imports() if room(m.name) not in (None, "adapters", "cli", "gateway")]
    assert [f"{f.where}: imports {f.target}" for _, f in inner if f.names and doors & set(ours(f))] == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("httpx", {"ai_protocol_runtime.transport.http"}),
        ("httpx2", {"ai_protocol_runtime.transport.http"}),
        ("yaml", {name for name in modules() if room(name) in ("manifest", "wire", "cli")}),
        ("langchain_core", {name for name in modules() if name.startswith("ai_protocol_integrations.langchain")}),
        ("llama_index", {name for name in modules() if name.startswith("ai_protocol_integrations.llama_index")}),
    ],
)
def test_library_is_imported_in_one_place(library: str, allowed: set[str]) -> None:
    used = [(m, f) for m, f in all_imports() if library in roots(f) and not f.typing_only]
    assert [f.where for m, f in used if m.name not in allowed] == []


def test_decisions_and_decoding_are_pure() -> None:
    """No network below transport/, and neither a clock nor dice in wire/ and flow/."""
    wrong = []
    for module, found in all_imports():
        here = room(module.name)
        barred = (NETWORK if here in PURE else set()) | (CHANCE if here in PURE - {"manifest"} else set())
        barred |= {"ai_protocol_runtime.transport.http"} if here == "flow" else set()
        wrong += [f"{found.where}: {here} imports {name}" for name in sorted(roots(found) & barred)]
    assert wrong == []


def test_no_cycles() -> None:
    """Among what is imported with a module; a package's own front door is no part of its rooms."""
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for module, found in all_imports():
        if found.top and not found.typing_only:
            graph[module.name] |= set(ours(found)) - {module.name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("package", "barred"),
    [
        ("ai_protocol_integrations", FRAMEWORKS | {"httpx", "pydantic", "yaml", "tenacity"}),
        ("ai_protocol_runtime", FRAMEWORKS | {"opentelemetry", "boto3"}),
    ],
)
def test_importing_a_package_does_not_bring(package: str, barred: set[str]) -> None:
    code = f"import sys, {package}; print(*set({sorted(barred)!r}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
