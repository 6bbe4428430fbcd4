"""Python source for the events that a stream consists of, generated from the same nodes as the closures.

Only the usual deltas are generated: more of a text, more of a call's arguments, in a block that is already open.
Each function returns False for anything else it meets (another key, another type, a block not yet begun), before it
has changed anything, and the closures then read the event; so the two cannot disagree without a test seeing it
(tests/wire/test_generated.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from . import notation as n
from .assembly import STREAMED

if TYPE_CHECKING:
    from .compiler import Compiler
    from .typed import Line

Fast: TypeAlias = Callable[[Any, Any, list[Any]], bool]
Test: TypeAlias = tuple[str, str]  # (variable, condition)


def _compiled(lines: list[str], name: str) -> Fast:
    scope: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<generated {name}>", "exec"), scope)  # noqa: S102 - from our own compiled shapes
    return scope["fast"]  # type: ignore[no-any-return]


# typed events


def event_function(name: str, lines: list[tuple[Line, n.Node]]) -> Fast | None:
    """A function for the deltas of one event, None where there is nothing to gain."""
    source = ["def fast(decoder, event, out):", "    by_key = decoder.lane.by_key"]
    gained = False
    for entry, node in lines:
        if not isinstance(node, n.Obj) or node.also:
            return None
        paths = dict(_holes(node, ()))
        tests = [f"{_get(path)} == {value!r}" for path, value in _constants(node, ())]
        head = f"    if {' and '.join(tests) or 'True'}:"
        streamed = STREAMED.get(entry.verb, ("", None))[0]
        simple = streamed in paths and all(not h.ops and h.table is None for h in _all(node))
        if not simple:
            source += [head, "        return False"]
            continue
        gained = True
        source += [head, f"        text = {_get(paths[streamed])}"]
        others = [_get(paths[f]) for f in entry.fields if f != streamed]
        keys = [_get(paths[k]) if k in paths else "None" for k in ("index", "sub")]
        source += [
            f"        index, sub = {', '.join(keys)}",
            "        if (type(index) is not int and index is not None) or (type(sub) is not int and sub is not None):",
            "            return False",
            f"        block = by_key.get(({entry.space!r}, index, sub))",
            "        if type(text) is not str or not text or block is None or not block.open "
            f"or block.field != {streamed!r}{''.join(f' or {o}' for o in others)}:",
            "            return False",
            "        block.pieces.append(text)",
            "        if block.event is not None:",
            "            out.append(block.event(block.index, text, block.candidate))",
            "        return True",
        ]
    source.append("    return False")
    return _compiled(source, name) if gained else None


def _get(path: tuple[str, ...]) -> str:
    """An expression for what lies at a path of an event, None where anything on the way is no object."""
    expression = "event"
    for depth, key in enumerate(path):
        found = f"{expression}.get({key!r})"
        expression = f"(_{depth} if type(_{depth} := {found}) is dict else {{}})" if depth < len(path) - 1 else found
    return expression


def _holes(node: n.Obj, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for e in node.entries:
        if isinstance(e.node, n.Hole) and e.node.name:
            yield e.node.name, (*path, e.names[0])
        elif isinstance(e.node, n.Obj):
            yield from _holes(e.node, (*path, e.names[0]))


def _constants(node: n.Obj, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for e in node.entries:
        if isinstance(e.node, n.Const) and not e.optional:
            yield (*path, e.names[0]), e.node.value
        elif isinstance(e.node, n.Obj):
            yield from _constants(e.node, (*path, e.names[0]))


def _all(node: n.Obj) -> Iterator[n.Hole]:
    for e in node.entries:
        if isinstance(e.node, n.Hole):
            yield e.node
        elif isinstance(e.node, n.Obj):
            yield from _all(e.node)


# partial answers


@dataclass(slots=True)
class _Piece:
    """Where a chunk holds what: names of keys, all spellings."""

    candidates: str
    usage: list[str]
    index: list[str]
    message: list[str]
    silent: set[str]  # keys of a candidate that must say nothing
    node: n.Obj  # the message


def piece_function(compiler: Compiler, padding: frozenset[str]) -> Fast | None:
    """A function for the usual chunk: one candidate, the envelope of the chunk before, and more of an open block."""
    piece = _layout(compiler)
    if piece is None:
        return None
    source = [
        "def fast(decoder, event, out):",
        "    if type(event) is not dict or decoder.envelope is None:",
        "        return False",
        "    envelope = event.copy()",
        f"    candidates = envelope.pop({piece.candidates!r}, None)",
        *(f"    envelope.pop({key!r}, None)" for key in sorted(padding)),
        *(f"    usage{i} = envelope.pop({key!r}, None)" for i, key in enumerate(piece.usage)),
        "    if envelope != decoder.envelope or type(candidates) is not list or len(candidates) != 1:",
        "        return False",
        "    c = candidates[0]",
        f"    if type(c) is not dict or not c.keys() <= {_keys(piece.silent, piece.index, piece.message)}:",
        "        return False",
        *(f"    if c.get({key!r}) is not None:\n        return False" for key in sorted(piece.silent)),
        f"    number = c.get({piece.index[0]!r}, 0)",
        "    if type(number) is not int:",
        "        return False",
        "    lane = decoder.assembly.lanes.get(number)",
        f"    m = {_first('c', piece.message)}",
        "    if lane is None or type(m) is not dict:",
        "        return False",
    ]
    if len(piece.message) > 1:
        source += [f"    if {' and '.join(f'{key!r} in c' for key in piece.message)}:", "        return False"]
    checks, effects, known = _message(compiler, piece.node)
    if not effects:
        return None
    source += [f"    if not m.keys() <= {_keys(known)}:", "        return False", *checks, *effects]
    for i in range(len(piece.usage)):
        source += [
            f"    if usage{i} is not None:",
            f"        decoder.assembly.usage(decoder.format.read_usage(usage{i}), decoder.format.read_usage, out)",
        ]
    source.append("    return True")
    return _compiled(source, compiler.wire)


def passing_keys(compiler: Compiler) -> frozenset[str]:
    """Keys of a chunk that differ from one to the next and are looked at each time."""
    piece = _layout(compiler)
    return frozenset([piece.candidates, *piece.usage]) if piece else frozenset()


def _keys(*groups: Any) -> str:
    return "{" + ", ".join(repr(key) for key in sorted({key for group in groups for key in group})) + "}"


def _first(variable: str, names: list[str]) -> str:
    expression = f"{variable}.get({names[-1]!r})"
    for name in reversed(names[:-1]):
        expression = f"{variable}[{name!r}] if {name!r} in {variable} else {expression}"
    return expression


def _layout(compiler: Compiler) -> _Piece | None:
    top = compiler.nodes.get(("piece", "answer", 0))
    if not isinstance(top, n.Obj) or top.also:
        return None
    usage = [e.names[0] for e in top.entries if isinstance(e.node, n.Hole) and e.node.name == "usage"]
    listed = [
        (e.names[0], option.hole.table or "")
        for e in top.entries
        for option in (e.node.options if isinstance(e.node, n.OneOf) else (e.node,))
        if isinstance(option, n.Items) and option.hole.name == "candidates"
    ]
    if len(listed) != 1:
        return None
    candidate = compiler.nodes.get((listed[0][1], "candidate", 0))
    if not isinstance(candidate, n.Obj) or candidate.also:
        return None
    index: list[str] = []
    message: list[str] = []
    silent: set[str] = set()
    node: n.Node | None = None
    for e in candidate.entries:
        hole = e.node.options[0] if isinstance(e.node, n.OneOf) else e.node
        if isinstance(hole, n.Hole) and hole.name == "index":
            index = list(e.names)
        elif isinstance(hole, n.Hole) and hole.name == "message":
            message, node = list(e.names), compiler.nodes.get((hole.table or "", "message", 0))
        else:
            silent |= set(e.names)
    if not index or not isinstance(node, n.Obj):
        return None
    return _Piece(listed[0][0], usage, index, message, silent, node)


def _message(compiler: Compiler, node: n.Obj) -> tuple[list[str], list[str], set[str]]:
    """Checks that change nothing, then effects, and the keys that both know."""
    checks: list[str] = []
    effects: list[str] = []
    known: set[str] = set()
    for number, e in enumerate(node.entries):
        known |= set(e.names)
        value = f"v{number}"
        option = e.node.options[0] if isinstance(e.node, n.OneOf) else e.node
        if isinstance(option, n.Hole) and option.name == "role":
            continue  # said before
        checks.append(f"    {value} = {_first('m', list(e.names))}")
        if len(e.names) > 1:
            checks += [f"    if {' and '.join(f'{key!r} in m' for key in e.names)}:", "        return False"]
        kind = _text_kind(compiler, option)
        if kind is not None:
            checks += [f"    if {value} is not None and type({value}) is not str:", "        return False"]
            checks += _running(f"    if {value}:", f"b{number}", kind, option.table)  # type: ignore[union-attr]
            effects += [f"    if {value}:", *_append(f"b{number}", value)]
        elif isinstance(option, n.Items) and option.hole.name == "parts":
            made = _elements(compiler, option.hole.table or "", value, number)
            checks += made[0]
            effects += made[1]
        else:
            checks += [f"    if {value} is not None:", "        return False"]
    return checks, effects, known


def _text_kind(compiler: Compiler, node: n.Node) -> str | None:
    """The kind of thing that a plain text stands for here."""
    if not isinstance(node, n.Hole) or node.table is None or node.name != "parts":
        return None
    kinds = [(kind, shape) for (table, kind, _), shape in compiler.nodes.items() if table == node.table]
    if len(kinds) != 1 or not isinstance(kinds[0][1], n.Hole) or kinds[0][1].name != "text":
        return None
    return kinds[0][0]


def _running(head: str, block: str, kind: str, table: str | None) -> list[str]:
    return [
        head,
        f"        {block} = lane.last.get({table!r})",
        f"        if {block} is None or {block}.part.kind != {kind!r} or not {block}.open:",
        "            return False",
    ]


def _append(block: str, value: str, indent: str = "        ") -> list[str]:
    return [
        f"{indent}{block}.pieces.append({value})",
        f"{indent}out.append({block}.event({block}.index, {value}, {block}.candidate))",
    ]


def _elements(compiler: Compiler, table: str, value: str, number: int) -> tuple[list[str], list[str]]:
    """A list of parts: pieces of open calls (by slot), or of an open text."""
    calls = compiler.nodes.get((table, "tool_call", 0))
    paths = dict(_holes(calls, ())) if isinstance(calls, n.Obj) else {}
    found = f"found{number}"
    checks = [
        f"    {found} = ()",
        f"    if {value}:",
        f"        if type({value}) is not list:",
        "            return False",
        f"        {found} = []",
        f"        for event in {value}:",
        "            if type(event) is not dict:",
        "                return False",
    ]
    if "slot" in paths:
        keys = {p[0] for p in paths.values()} | {e.names[0] for e in calls.entries}  # type: ignore[union-attr]
        inner = {p[1] for p in paths.values() if len(p) > 1}
        wrapper = next(p[0] for p in paths.values() if len(p) > 1)
        checks += [
            f"            text = {_get(paths['arguments'])}",
            f"            slot = {_get(paths['slot'])}",
            "            if type(slot) is not int or type(text) is not str:",
            "                return False",
            "            block = lane.by_key.get(('slot', slot))",
            "            if block is None or not block.open:",
            "                return False",
            f"            if not event.keys() <= {_keys(keys)} or not event[{wrapper!r}].keys() <= {_keys(inner)}:",
            "                return False",
            f"            if {_get(paths['id'])} or {_get(paths['name'])}:",
            "                return False",
            f"            if text:\n                {found}.append((block, text))",
        ]
    else:
        texts = _text_variants(compiler, table)
        if not texts:
            return [f"    if {value}:", "        return False"], []
        checks.append(f"            text = event.get({texts[0][1]!r})")
        for i, (kind, key, constants) in enumerate(texts):
            tests = " and ".join(
                [f"len(event) == {1 + len(constants)}", *(f"event.get({k!r}) is {v!r}" for k, v in constants)]
            )
            checks += [
                f"            {'el' if i else ''}if {tests} and {key!r} in event:",
                f"                kind = {kind!r}",
            ]
        checks += [
            "            else:\n                return False",
            f"            block = lane.last.get({table!r})",
            "            if type(text) is not str or block is None or block.part.kind != kind or not block.open:",
            "                return False",
            f"            {found}.append((block, text))",
        ]
    effects = [f"    for block, text in {found}:", *_append("block", "text")]
    if "slot" not in paths:
        effects = [
            f"    for block, text in {found}:",
            "        block.pieces.append(text)",
            "        if text:",
            "            out.append(block.event(block.index, text, block.candidate))",
        ]
    return checks, effects


def _text_variants(compiler: Compiler, table: str) -> list[tuple[str, str, list[tuple[str, Any]]]]:
    """(kind, key of its text, its constants) for the shapes that are a text and constants, and else optional."""
    out = []
    for (name, kind, _), node in compiler.nodes.items():
        if name != table or kind not in ("text", "reasoning") or not isinstance(node, n.Obj):
            continue
        keys = [e.names[0] for e in node.entries if isinstance(e.node, n.Hole) and e.node.name == "text"]
        constants = [(e.names[0], e.node.value) for e in node.entries if isinstance(e.node, n.Const)]
        if len(keys) == 1 and all(isinstance(v, bool) for _, v in constants):
            out.append((kind, keys[0], constants))
    return out
