"""Reads the notation of the wire language (docs/wire-language.md): YAML data in, a tree of nodes out.

Nothing here knows how a node matches or builds; nothing elsewhere looks at the notation again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from ai_protocol_runtime.types.errors import ManifestError

from . import operators

Path: TypeAlias = tuple[str | int, ...]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
"A hole without a default."


@dataclass(slots=True)
class Const:
    value: Any


@dataclass(slots=True)
class Hole:
    """``$name``, ``$name~``, ``$name=default``, ``$=default``, ``$name | operator | table``."""

    name: str  # "" for a hole that fills nothing
    optional: bool = False
    default: Any = ABSENT
    joined: bool = False
    read_only: bool = False
    answered: bool = False  # the default is for answers alone
    ops: tuple[operators.Operator, ...] = ()
    table: str | None = None

    @property
    def numbered(self) -> bool:
        """Whether its default holds the number of the item: ``$=item_#``."""
        return isinstance(self.default, str) and "#" in self.default


@dataclass(slots=True)
class Template:
    """A text with holes in it: ``data:$mime_type;base64,$data``."""

    pattern: re.Pattern[str]
    pieces: tuple[tuple[str, str], ...]  # (literal, hole), the last hole may be ""


@dataclass(slots=True)
class Items:
    """``[$parts | table]``: each element on its own."""

    hole: Hole


@dataclass(slots=True)
class Single:
    """``[$name]``: a list of exactly one."""

    hole: Hole


@dataclass(slots=True)
class OneOf:
    options: tuple[Node, ...]
    otherwise: Any = ABSENT


@dataclass(slots=True)
class Join:
    """``{$join: shape}``: a list of objects with one hole each, one text for us."""

    shape: Obj
    hole: Hole
    otherwise: Any = ABSENT


@dataclass(slots=True)
class Refer:
    """``{$each: supports, $by: indices, $of: sources, $as: [$citations | table]}``: things made of two lists."""

    each: tuple[str, ...]
    by: tuple[str, ...]
    of: tuple[str, ...]
    items: Items


@dataclass(slots=True)
class Entry:
    names: tuple[str, ...]
    optional: bool
    node: Node


@dataclass(slots=True)
class Obj:
    entries: tuple[Entry, ...]
    also: tuple[Hole, ...] = ()  # `$with`: this object's keys are described by tables too


Node: TypeAlias = Const | Hole | Template | Items | Single | OneOf | Join | Refer | Obj

_HOLE = re.compile(r"\$(?P<name>[a-z_]*)(?P<mark>[~+-])?(?:=(?P<default>.*))?", re.DOTALL)
_INSIDE = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+))")


@dataclass(slots=True)
class Notation:
    """Reads shapes of one wire format. `fault` makes the error for a path in the file."""

    maps: dict[str, operators.Operator]
    tables: frozenset[str]
    fault: Any

    def read(self, data: Any, path: Path) -> Node:
        if isinstance(data, dict):
            return self._mapping(data, path)
        if isinstance(data, list):
            return self._list(data, path)
        if isinstance(data, str) and "$" in data:
            return self._text(data, path)
        return Const(data)

    def hole(self, data: Any, path: Path) -> Hole:
        node = self.read(data, path)
        if not isinstance(node, Hole):
            raise self.error(path, f"a hole such as `$parts | table` belongs here, not `{data}`")
        return node

    def error(self, path: Path, message: str) -> ManifestError:
        error: ManifestError = self.fault(path, message)
        return error

    def _mapping(self, data: dict[Any, Any], path: Path) -> Node:
        if "$one_of" in data:
            self._only(data, {"$one_of", "$else"}, path)
            options = data["$one_of"]
            if not isinstance(options, list) or not options:
                raise self.error((*path, "$one_of"), "`$one_of` takes a list of shapes")
            nodes = tuple(self.read(o, (*path, "$one_of", n)) for n, o in enumerate(options))
            return OneOf(nodes, data.get("$else", ABSENT))
        if "$join" in data:
            self._only(data, {"$join", "$else"}, path)
            shape = self.read(data["$join"], (*path, "$join"))
            holes = [e.node for e in shape.entries if isinstance(e.node, Hole)] if isinstance(shape, Obj) else []
            if not isinstance(shape, Obj) or len(holes) != 1:
                raise self.error((*path, "$join"), "`$join` takes an object with exactly one hole")
            return Join(shape, holes[0], data.get("$else", ABSENT))
        if "$each" in data:
            return self._reference(data, path)
        entries = []
        also: list[Hole] = []
        for key, value in data.items():
            here = (*path, key)
            if key == "$with":
                also = [self.hole(v, here) for v in (value if isinstance(value, list) else [value])]
                if any(hole.table is None for hole in also):
                    raise self.error(here, "`$with` takes a hole with a table: `$format | format`")
                continue
            if not isinstance(key, str):
                raise self.error(here, f"a key of a shape is a text; quote it: '{key}'")
            if key.startswith("$"):
                raise self.error(here, f"unknown construct `{key}`; there are $one_of, $else, $join, $each and $with")
            optional = key.endswith("~")
            names = tuple((key[:-1] if optional else key).split("|"))
            node = self.read(value, here)
            # a hole that may be empty makes its key one that may be absent
            optional = optional or (isinstance(node, Hole) and node.optional)
            entries.append(Entry(names, optional, node))
        return Obj(tuple(entries), tuple(also))

    def _reference(self, data: dict[Any, Any], path: Path) -> Refer:
        self._only(data, {"$each", "$by", "$of", "$as"}, path)
        names = []
        for word in ("$each", "$by", "$of"):
            if not isinstance(data.get(word), str):
                raise self.error((*path, word), f"`{word}` names a key; `$each` goes with `$by`, `$of` and `$as`")
            names.append(tuple(data[word].split("|")))
        items = self.read(data.get("$as"), (*path, "$as"))
        if not isinstance(items, Items):
            raise self.error((*path, "$as"), "`$as` takes a list of things: `[$citations | table]`")
        return Refer(names[0], names[1], names[2], items)

    def _only(self, data: dict[Any, Any], allowed: set[str], path: Path) -> None:
        for key in data:
            if key not in allowed:
                raise self.error((*path, key), f"`{key}` cannot stand beside {', '.join(sorted(allowed))}")

    def _list(self, data: list[Any], path: Path) -> Node:
        if not data:
            return Const([])
        if len(data) != 1 or isinstance(data[0], (dict, list)):
            raise self.error(path, "a list in a shape holds one hole: `[$parts | table]` or `[$name]`")
        hole = self.hole(data[0], (*path, 0))
        return Items(hole) if hole.table else Single(hole)

    def _text(self, data: str, path: Path) -> Node:
        head, *pipes = [piece.strip() for piece in data.split(" | ")]
        match = _HOLE.fullmatch(head)
        if match is None:
            return self._template(data, path)
        name, mark, default = match["name"], match["mark"], match["default"]
        if not name and default is None:
            raise self.error(path, f"`{data}`: a hole has a name; write $$ for nothing else")
        ops: list[operators.Operator] = []
        table = None
        for pipe in pipes:
            op = self.maps.get(pipe) or operators.find(pipe)
            if op is not None:
                ops.append(op)
            elif pipe in self.tables:
                table = pipe
            else:
                known = [*self.maps, *operators.OPERATORS, *self.tables]
                raise self.error(path, f"`{pipe}` is no operator, map or table of this file{nearest(pipe, known)}")
        value = ABSENT if default is None else yaml.safe_load(default)
        optional = mark in ("~", "-") or value is not ABSENT
        answered = mark == "~" and value is not ABSENT
        return Hole(name, optional, value, mark == "+", mark == "-", answered, tuple(ops), table)

    def _template(self, data: str, path: Path) -> Node:
        pieces: list[tuple[str, str]] = []
        pattern = ""
        end = 0
        for match in _INSIDE.finditer(data):
            name = match[1] or match[2]
            literal = data[end : match.start()]
            pieces.append((literal, name))
            # the last hole takes what is left; the others stop at the next literal
            pattern += re.escape(literal) + f"(?P<{name}>{'.*' if match.end() == len(data) else '.*?'})"
            end = match.end()
        if not pieces:
            raise self.error(path, f"`{data}` is neither a constant nor a hole")
        if data[end:]:
            pieces.append((data[end:], ""))
            pattern += re.escape(data[end:])
        return Template(re.compile(pattern, re.DOTALL), tuple(pieces))


def nearest(name: str, known: list[str]) -> str:
    """``; did you mean `x`?`` or nothing."""
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean `{close[0]}`?" if close else ""
